"""How large the weights are, initially and later."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, over_layers, recorded
from tb_cnndiag.payloads import FloatArray

WEIGHT_RMS = Signal("RMS weight", "weight", recorded("weight_health", "rms"))
"""Root mean square of each kernel."""

ZERO_SHARE = Signal("share of weights that are 0", "share", recorded("weight_health", "zero_share"))
"""Share of the weights of each kernel that are exactly 0."""


def initial_weight_norms(signals: Signals, rows: list[int]) -> FloatArray | None:
    """‖w‖ of the kernels of these layers at step 0, ``(rows,)``, never 0; None without a snapshot at step 0."""
    rms = signals(WEIGHT_RMS)
    if not len(rms) or rms.steps[0] > 0:
        return None
    counts = np.array([signals.layers[row].units * signals.layers[row].fan_in for row in rows])
    return np.asarray(np.maximum(rms.values[0, rows] * np.sqrt(counts), 1e-12))


def _growth(signals: Signals) -> Track:
    rms = signals(WEIGHT_RMS)
    if not len(rms):
        return rms
    if rms.steps[0] > 0:
        return Track.unknown("the initial weights were not recorded")
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = Track(rms.steps, rms.values / rms.values[0])
    median = over_layers(np.nanmedian, growth, signals.trainable)
    return Track(median.steps, np.fmax.accumulate(median.values, axis=0), median.reason)


WEIGHT_GROWTH = Signal("growth of the weights", "ratio", _growth)
"""RMS weight relative to the initial one, median over the trainable layers, largest so far.

Updates that are too large make weights large. Their update-to-weight ratio is small then, for it is taken of the
weights after the update.
"""
