"""Gradients that explode with the initial weights."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.gradients import GRADIENT_NORM
from tb_cnndiag.judging.signals.weights import initial_weight_norms
from tb_cnndiag.payloads import FloatArray

# Keras' default rate of SGD is 0.01: if updates are too large at no more than that, the gradient is the cause.
USUAL_RATE = 0.011


def first_gradients(signals: Signals) -> FloatArray | None:
    """First ‖g‖ relative to the initial ‖w‖ of each trainable layer; None where they are not known."""
    gradients, rows = signals(GRADIENT_NORM), signals.trainable
    weights = initial_weight_norms(signals, rows)
    if weights is None or not len(gradients) or not rows:
        return None
    return gradients.values[0, rows] / weights


def _first(signals: Signals) -> Track:
    ratios = first_gradients(signals)
    if ratios is None or not np.isfinite(ratios).any():
        return Track.unknown("first gradients or initial weights were not recorded")
    return Track.constant([float(np.median(ratios[np.isfinite(ratios)]))])


FIRST_RELATIVE_GRADIENT = Signal("first gradient relative to the initial weights", "ratio", _first)
"""First ‖g‖ relative to the initial ‖w‖, median over the trainable layers."""


def steepest_layer(signals: Signals) -> int | None:
    """Row of the trainable layer whose first gradient is largest relative to its weights."""
    ratios = first_gradients(signals)
    return None if ratios is None else signals.trainable[int(np.nanargmax(ratios))]


def plain_descent_at_a_usual_rate(signals: Signals) -> bool:
    """Whether the updates are the gradients times a usual rate: only plain SGD does not scale them."""
    rate = learning_rate(signals)
    return bool(optimizer_name(signals) == "SGD" and rate and rate <= USUAL_RATE)
