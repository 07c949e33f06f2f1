"""How much updates change the weights."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, column, over_layers, recorded
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.weights import initial_weight_norms

# A warm-up whose updates are this many times too small would take many times the epochs so far.
PATIENCE = 20

UPDATE_RATIO = Signal("update-to-weight ratio", "ratio", recorded("update_ratio", "update_ratio"))
"""‖Δw‖/‖w‖ per step of each layer."""


def _median(signals: Signals) -> Track:
    return over_layers(np.nanmedian, signals(UPDATE_RATIO), signals.trainable)


MEDIAN_UPDATE_RATIO = Signal("update-to-weight ratio", "ratio", _median)
"""Median over the trainable layers."""


def _largest(signals: Signals) -> Track:
    return over_layers(np.nanmax, signals(UPDATE_RATIO), signals.trainable)


LARGEST_UPDATE_RATIO = Signal("largest update-to-weight ratio", "ratio", _largest)
"""Maximum over the trainable layers."""


def _patient(signals: Signals) -> Track:
    largest = signals(LARGEST_UPDATE_RATIO)
    return Track(largest.steps, PATIENCE * largest.values, largest.reason)


PATIENT_UPDATE_RATIO = Signal("update-to-weight ratio after a longer warm-up", "ratio", _patient)
"""What the largest update-to-weight ratio becomes if a warm-up goes on for 20 times as long."""


def _peak(signals: Signals) -> Track:
    median = signals(MEDIAN_UPDATE_RATIO)
    return Track(median.steps, np.fmax.accumulate(median.values, axis=0), median.reason)


PEAK_UPDATE_RATIO = Signal("largest update-to-weight ratio so far", "ratio", _peak)
"""Maximum so far of the median over the trainable layers."""


def _overflowing_update(signals: Signals) -> Track:
    """The update-to-weight ratio before the weights overflowed, estimated from the optimizer's settings.

    The overflow destroys what was measured.
    """
    non_finite = column(signals, "weight_health", "non_finite")
    rms, gradients = column(signals, "weight_health", "rms"), column(signals, "gradient_flow", "gradient_norm")
    broken = np.flatnonzero((non_finite.values > 0).any(axis=1))
    if not len(non_finite):
        return non_finite
    if not broken.size:
        return Track.constant([0.0])
    rate, rows = learning_rate(signals), signals.trainable
    weights = initial_weight_norms(signals, rows)
    if not rate or not len(gradients) or weights is None:
        return Track.unknown("learning rate, gradients or initial weights are not known")
    if optimizer_name(signals) == "SGD":
        before = gradients.steps <= non_finite.steps[broken[0]]
        norms = gradients.latest[before][:, rows] if before.any() else np.full((1, len(rows)), np.nan)
        ratios = rate * norms[-1] / weights
    else:  # optimizers that scale each weight's update change it by about the learning rate
        ratios = rate / np.maximum(rms.values[0, rows], 1e-12)
    known = ratios[np.isfinite(ratios)]
    ratio = float(np.median(known)) if known.size else 0.0
    return Track.of_model(non_finite.steps[broken], np.full(len(broken), ratio))


OVERFLOWING_UPDATE = Signal("update-to-weight ratio before an overflow", "ratio", _overflowing_update)
"""Update-to-weight ratio before the weights overflowed; 0 without an overflow."""
