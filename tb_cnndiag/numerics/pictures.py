"""Arrays as small 8-bit pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray, IntArray


def evenly_spaced(count: int, limit: int) -> IntArray:
    """At most ``limit`` evenly spaced indices below ``count``, starting at 0, ``(≤ limit,)``."""
    return np.arange(0, count, -(-count // limit) or 1)


def interpolation(places: FloatArray, cells: int) -> FloatArray:
    """Weights ``(places, cells)`` of the cells whose values lie on straight lines at these places.

    A cell stands at its index; a place beyond the first or last one gets its value.
    """
    inside = np.clip(places, 0, cells - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(inside[:, None] - np.arange(cells))))


def signed_picture(values: FloatArray) -> tuple[NDArray[np.uint8], float]:
    """Pixels ``(height, width, channels)`` uint8 of values of the same shape, and their scale.

    The scale is the largest magnitude. A pixel q stands for the value (q − 128)/127 · scale, so zero is 128. Values
    that are not finite count as zero.
    """
    finite = np.nan_to_num(np.asarray(values, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    scale = float(np.abs(finite).max(initial=0.0))
    levels = finite / scale if scale > 0 else finite
    return (128 + np.rint(127 * levels)).astype(np.uint8), scale


def color_picture(values: FloatArray) -> NDArray[np.uint8]:
    """Pixels ``(height, width, 3)`` of an image ``(height, width, channels)``, from its lowest value to its highest.

    Three channels are red, green and blue. Any other number of channels is averaged and drawn in gray.
    """
    finite = np.nan_to_num(np.asarray(values, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
    levels = (finite - low) / (high - low) if high > low else np.full_like(finite, 0.5)
    if levels.shape[-1] != 3:
        levels = np.repeat(levels.mean(axis=-1, keepdims=True), 3, axis=-1)
    return np.rint(255 * levels).astype(np.uint8)
