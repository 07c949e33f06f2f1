"""Gradients and signals that explode with the initial weights: the learning rate is not the cause."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.loss import relative_loss
from tb_cnndiag.judging.signals.magnitudes import gains_from_input
from tb_cnndiag.judging.signals.series import trainable_rows
from tb_cnndiag.judging.signals.weights import initial_weight_norms
from tb_cnndiag.numerics.activations import LINEAR_GROWTH

# First ‖g‖ relative to the initial ‖w‖ (median over layers) above which gradients explode, if the relative loss shows
# that they did harm.
GRADIENT, HARMFUL_LOSS = 10.0, 0.95
# Number of snapshots below which a loss that starts high may still fall.
SNAPSHOTS = 3
# Keras' default rate of SGD is 0.01: if updates are too large at no more than that, the gradient is the cause.
USUAL_RATE = 0.011
# Gain from the input above which signals explode, if the first relative loss shows that they did harm.
SIGNAL, HARMFUL_FIRST_LOSS = 1e3, 5.0


def exploding_gradients(history: History) -> tuple[int, float] | None:
    """(row of the layer with the largest, median over layers) of the first ‖g‖ relative to the initial ‖w‖.

    None unless gradients explode. Only for plain SGD at a usual learning rate: other optimizers scale the gradient.
    """
    rate, loss = learning_rate(history), relative_loss(history)
    gradients = history.series("gradient_flow", "gradient_norm")
    if optimizer_name(history) != "SGD" or not rate or rate > USUAL_RATE or not loss.size or loss[-1] < HARMFUL_LOSS:
        return None
    if np.isfinite(loss).all() and len(loss) < SNAPSHOTS:
        return None
    rows = trainable_rows(history)
    weights = initial_weight_norms(history, rows)
    if weights is None or not len(gradients) or not rows:
        return None
    ratios = gradients.values[0, rows] / weights
    known = np.isfinite(ratios)
    if not known.any() or float(np.median(ratios[known])) < GRADIENT:
        return None
    return rows[int(np.nanargmax(ratios))], float(np.median(ratios[known]))


def exploding_activations(history: History) -> tuple[int, float] | None:
    """(row, gain from the input) of the layer where activations of more than linear growth made the signal largest.

    None unless signals explode.
    """
    loss = relative_loss(history)
    if not loss.size or loss[0] < HARMFUL_FIRST_LOSS:
        return None
    rows = [
        row for row, layer in enumerate(history.layers) if not layer.output and layer.activation not in LINEAR_GROWTH
    ]
    gains = gains_from_input(history)
    largest = max(rows, key=lambda row: gains.get(row, 0.0), default=None)
    return (largest, gains[largest]) if largest is not None and gains.get(largest, 0.0) >= SIGNAL else None


def explodes_initially(history: History) -> bool:
    """Whether gradients or activations explode with the initial weights: this explains large updates later."""
    return exploding_gradients(history) is not None or exploding_activations(history) is not None
