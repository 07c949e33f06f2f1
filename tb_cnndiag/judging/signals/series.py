"""Series of layers: which rows, one number over all layers, and values at the steps of another series."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.payloads import FloatArray, IntArray


def trainable_rows(history: History) -> list[int]:
    """Rows of the trainable layers."""
    return [row for row, layer in enumerate(history.layers) if layer.trainable]


def median_over_layers(values: FloatArray) -> FloatArray:
    """Median over the measured layers at each snapshot, ``(snapshots,)``; NaN where no layer was measured."""
    return _over_layers(np.nanmedian, values)


def max_over_layers(values: FloatArray) -> FloatArray:
    """Maximum over the measured layers at each snapshot, ``(snapshots,)``; NaN where no layer was measured."""
    return _over_layers(np.nanmax, values)


def _over_layers(function: Callable[..., FloatArray], values: FloatArray) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(function(values, axis=1))


def values_at(steps: IntArray, measured: IntArray, values: FloatArray) -> FloatArray:
    """``values``, measured at the steps ``measured``, at ``steps``: the latest value; NaN before the first."""
    if not len(measured):
        return np.full(len(steps), np.nan)
    position = np.searchsorted(measured, steps, side="right") - 1
    return np.where(position >= 0, values[np.maximum(position, 0)], np.nan)
