"""Signals and gradients that are too large from the first steps on, whatever the learning rate does then."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import learning_rate, optimizer_name
from tb_cnndiag.judging.faults.loss_progress import norms_as_drawn, progress, trained_rows
from tb_cnndiag.judging.faults.series import growths_from_the_input
from tb_cnndiag.numerics.activations import TAME

# ‖g‖/‖w‖ of half the layers over the first steps, and the loss over chance that shows that they did harm.
GRADIENT, HARM = 10.0, 0.95
LOOKS = 3
# The rate that Keras gives SGD: steps that are too large at no more than that are the gradient's doing.
USUAL_RATE = 0.011
# Growth of a signal from the input to a layer behind activations that grow faster than their input, and the loss.
SIGNAL, LOSS = 1e3, 5.0


def by_gradients(history: History) -> tuple[int, float] | None:
    """(row of the layer with the largest, median over layers) of ‖g‖ at first over ‖w‖ as drawn; None if well.

    Of plain SGD at a usual rate only: other optimizers scale what they are given.
    """
    rate, course = learning_rate(history), progress(history)
    gradients = history.series("gradient_flow", "gradient_norm")
    if optimizer_name(history) != "SGD" or not rate or rate > USUAL_RATE or not course.size or course[-1] < HARM:
        return None
    if np.isfinite(course).all() and len(course) < LOOKS:  # a loss that starts high is given time to fall
        return None
    rows = trained_rows(history)
    weights = norms_as_drawn(history, rows)
    if weights is None or not len(gradients) or not rows:
        return None
    relative = gradients.values[0, rows] / weights
    known = np.isfinite(relative)
    if not known.any() or float(np.median(relative[known])) < GRADIENT:
        return None
    return rows[int(np.nanargmax(relative))], float(np.median(relative[known]))


def by_activations(history: History) -> tuple[int, float] | None:
    """(row, growth) of the signal that has grown most from the input on, by what activations do; None if well."""
    course = progress(history)
    if not course.size or course[0] < LOSS:
        return None
    wild = [row for row, layer in enumerate(history.layers) if not layer.output and layer.activation not in TAME]
    grown = growths_from_the_input(history)
    most = max(wild, key=lambda row: grown.get(row, 0.0), default=None)
    return (most, grown[most]) if most is not None and grown.get(most, 0.0) >= SIGNAL else None


def exploded(history: History) -> bool:
    """Whether either explains what large steps leave behind."""
    return by_gradients(history) is not None or by_activations(history) is not None
