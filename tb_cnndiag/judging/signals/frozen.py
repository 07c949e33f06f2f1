"""Layers that are not trainable: whether their weights are random or pretrained."""

from __future__ import annotations

import math

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.layers import initial_rms
from tb_cnndiag.judging.signals.weights import WEIGHT_RMS


def frozen_rows(signals: Signals) -> list[int]:
    """Rows of hidden layers that are not trainable, in a model with layers that are."""
    if not signals.trainable:
        return []
    return [row for row, layer in enumerate(signals.layers) if not layer.trainable and not layer.output]


def _deviation(signals: Signals) -> Track:
    sizes, rows = signals(WEIGHT_RMS), frozen_rows(signals)
    if not len(sizes):
        return sizes
    found = np.full(len(signals.layers), np.nan)
    worst = 0.0
    for row in rows:
        layer, size = signals.layers[row], sizes.last(row)
        initial = initial_rms(layer)
        if initial and math.isfinite(size):
            # The relative standard error of the RMS of n numbers is about 1/√(2n).
            error = 2 / math.sqrt(2 * max(math.prod(layer.kernel_shape), 1))
            deviation = abs(size / initial - 1)
            found[row] = deviation if deviation > error else 0.0
            worst = max(worst, found[row])
    # The RMS of few weights proves little, and a short training hardly changes it: all layers must be random.
    return Track.constant(np.where(np.isnan(found), np.nan, worst), "no frozen layer has a known initializer")


RANDOM_DEVIATION = Signal("deviation from random weights", "ratio", _deviation)
"""Largest relative deviation of the RMS weight of a frozen layer from that of its initializer; 0 within its error.

Pretrained weights have another RMS: transfer learning is not reported.
"""
