"""What steps that are too large leave behind: a loss that goes up and down, dead layers, large weights, overflow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Streak, layer_config, learning_rate, optimizer_name
from tb_cnndiag.judging.faults.loss_progress import at, middle, norms_as_drawn, trained_rows
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray, IntArray

# Rises in so large a share of so many snapshots are no chance.
ZIGZAG_SNAPSHOTS, ZIGZAG_SHARE = 5, 0.4
# Fewer dead units are those that every layer has.
ALIVE = 0.4


def cycles(history: History) -> bool:
    """Whether a schedule has raised the learning rate after it had fallen: what the loss does then is its work."""
    _, rates = history.scalars("training_curve", "learning_rate")
    changes = np.sign(np.diff(rates))[np.diff(rates) != 0]
    return bool((np.diff(changes) > 0).any())


def zigzag(course: FloatArray, rise: float) -> NDArray[np.bool_]:
    """Where the loss has risen by much in many of the latest snapshots, if it fell between."""
    window = ZIGZAG_SNAPSHOTS
    rises = np.concatenate([[False], course[1:] >= rise * course[:-1]])
    return np.array([rises[max(i - window + 1, 0) : i + 1].sum() >= ZIGZAG_SHARE * window for i in range(len(course))])


def killed(history: History, steps: IntArray, limit: float) -> tuple[FloatArray, str]:
    """Largest share of dead units at these steps, of rectified hidden layers, and where it is last.

    Nothing where a layer was dead from the start: that explains what dies later.
    """
    dead = history.series("dead_units", "dead_ratio")
    rows = [
        row
        for row, layer in enumerate(history.layers)
        if layer.trainable and not layer.output and layer.activation in RECTIFIED
        if not layer_config(layer).get("activity_regularizer")  # its penalty can do that
        if len(dead)
        and (dead.values[0, row] < ALIVE or (dead.steps[0] > 0 and dead.values[0, row] < dead.values[-1, row]))
    ]
    born = any(
        dead.values[0, row] >= limit for row, layer in enumerate(history.layers) if len(dead) and not layer.output
    )
    broken = history.series("weight_health", "non_finite")
    # Weights that are not finite leave rectified units at 0 too.
    if born or not rows or (broken.values > 0).any():
        return np.zeros(len(steps)), ""
    shares = np.nan_to_num(dead.values[:, rows])
    return at(steps, dead.steps, shares.max(axis=1)), history.layers[rows[int(shares[-1].argmax())]].path


def overflow(history: History, limit: float) -> tuple[Streak, float] | None:
    """(when, step over weights) when weights overflowed after steps as large as they were at the start.

    The step is told from the optimizer's settings: what was measured is lost in the overflow.
    """
    broken = history.series("weight_health", "non_finite")
    start = history.series("weight_health", "rms")
    gradients = history.series("gradient_flow", "gradient_norm")
    snapshots = np.flatnonzero((broken.values > 0).any(axis=1))
    rate = learning_rate(history)
    rows = trained_rows(history)
    weights = norms_as_drawn(history, rows)
    if not snapshots.size or not rate or not len(gradients) or weights is None:
        return None
    if optimizer_name(history) == "SGD":
        before = gradients.steps <= broken.steps[snapshots[0]]
        norms = gradients.values[before][:, rows] if before.any() else np.full((1, len(rows)), np.nan)
        steps = rate * norms[-1] / weights
    else:  # optimizers that scale each weight's step move it by about the learning rate
        steps = rate / np.maximum(start.values[0, rows], 1e-12)
    known = steps[np.isfinite(steps)]
    step = float(np.median(known)) if known.size else 0.0
    if step < limit:
        return None
    return Streak(int(broken.steps[snapshots[0]]), int(broken.steps[-1]), True), step


def growth(history: History, steps: IntArray) -> FloatArray:
    """RMS weight of the layers at each step over that of the first snapshot, median; a step too large leaves large weights.

    What is left of the ratio of a step to the weights is small then, for it is taken of the weights it has made.
    """
    sizes = history.series("weight_health", "rms")
    if not len(sizes) or sizes.steps[0] > 0:
        return np.ones(len(steps))
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = sizes.values[:, trained_rows(history)] / sizes.values[0, trained_rows(history)]
    return np.nan_to_num(at(steps, sizes.steps, middle(grown)), nan=1.0)
