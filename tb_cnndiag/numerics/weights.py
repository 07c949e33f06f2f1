"""The size and state of a kernel's weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray

# Weights this much smaller than the largest of their layer are lost in the rounding of float32, for any input.
VANISHED = 1e-20


def norm(values: FloatArray) -> float:
    """Euclidean norm of all values ``(…, …)``, at any scale; NaN if a value is not finite."""
    with np.errstate(all="ignore"):
        square = float(np.einsum("ij,ij->", values, values))
    if not 1e-30 < square < 1e30:
        square = float(np.einsum("ij,ij->", values, values, dtype=np.float64))
    return float(np.sqrt(square)) if np.isfinite(square) else float("nan")


def root_mean_square(kernel: FloatArray) -> float:
    """Root mean square of all weights; NaN if a weight is not finite, or if there are no weights."""
    return norm(kernel) / float(np.sqrt(kernel.size)) if kernel.size else float("nan")


def gain(kernel: FloatArray) -> float:
    """RMS weight × √fan-in: the factor by which a layer amplifies independent inputs of unit variance, ≥ 0.

    He initialization gives √2 (He et al. 2015, eq. 10). LeCun, and Glorot with equal fans, give 1.

    Args:
        kernel: ``(units, fan_in)``.
    """
    return root_mean_square(kernel) * float(np.sqrt(kernel.shape[1]))


def constant_ratio(kernel: FloatArray) -> float:
    """Share of units whose weights all have the same value, 0..1: they respond only to the mean of their input.

    Args:
        kernel: ``(units, fan_in)``. The result is 0 if the fan-in is 1, where the share has no meaning.
    """
    units, fan_in = kernel.shape
    if fan_in < 2 or not units:
        return 0.0
    suspects = np.flatnonzero((kernel[:, 0] == kernel[:, 1]) & (kernel[:, 0] == kernel[:, -1]))
    constant = (kernel[suspects] == kernel[suspects, :1]).all(axis=1)
    return float(np.count_nonzero(constant) / units)


def vanished(kernel: FloatArray) -> NDArray[np.bool_]:
    """Units whose weights are all 0, or so small that they change no sum of the layer, ``(units,)``.

    Args:
        kernel: ``(units, fan_in)``.
    """
    largest = np.abs(kernel).max(axis=1, initial=0)
    finite = largest[np.isfinite(largest)]
    return np.asarray(largest <= VANISHED * float(finite.max(initial=0)))
