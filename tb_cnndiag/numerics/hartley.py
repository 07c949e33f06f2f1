"""Images as sums of waves: the Hartley transform, the form of the Fourier transform that has real coefficients."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray


def waves(height: int, width: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Matrices A, B, C, D such that A z B + C z D is the transform of coefficients z ``(height, width)``.

    The transform is orthonormal and its own inverse. Coefficient (u, v) is Re F − Im F of the orthonormal Fourier
    transform F (Bracewell 1983).
    """
    down, across = _angles(height), _angles(width)
    scale = np.sqrt(height * width)
    return (
        np.cos(down) / scale,
        np.cos(across) + np.sin(across),
        np.sin(down) / scale,
        np.cos(across) - np.sin(across),
    )


def _angles(side: int) -> FloatArray:
    index = np.arange(side)
    return np.asarray(2 * np.pi * np.outer(index, index) / side)


def frequencies(height: int, width: int) -> FloatArray:
    """Frequency of each coefficient ``(height, width)``, in periods per pixel."""
    return np.asarray(np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]))
