"""How much updates change the weights, and what the learning rate does."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History, Series
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.persistence import Streak
from tb_cnndiag.judging.signals.series import trainable_rows
from tb_cnndiag.judging.signals.weights import initial_weight_norms


def update_ratios(history: History) -> Series:
    """Update-to-weight ratio ‖Δw‖/‖w‖ per step of the trainable layers, ``(snapshots, trainable layers)``.

    Only snapshots at which it was measured.
    """
    series = history.series("update_ratio", "update_ratio")
    values = series.values[:, trainable_rows(history)]
    measured = np.isfinite(values).any(axis=1)
    return Series(series.steps[measured], values[measured])


def has_cyclical_learning_rate(history: History) -> bool:
    """Whether a schedule has raised the learning rate after lowering it: the loss follows the schedule then."""
    _, rates = history.scalars("training_curve", "learning_rate")
    changes = np.sign(np.diff(rates))[np.diff(rates) != 0]
    return bool((np.diff(changes) > 0).any())


def overflow_after_large_updates(history: History, threshold: float) -> tuple[Streak, float] | None:
    """(period, update-to-weight ratio) if weights overflowed after first updates above the threshold; None otherwise.

    The ratio is estimated from the optimizer's settings: the overflow destroys what was measured.
    """
    non_finite = history.series("weight_health", "non_finite")
    rms = history.series("weight_health", "rms")
    gradients = history.series("gradient_flow", "gradient_norm")
    snapshots = np.flatnonzero((non_finite.values > 0).any(axis=1))
    rate = learning_rate(history)
    rows = trainable_rows(history)
    weights = initial_weight_norms(history, rows)
    if not snapshots.size or not rate or not len(gradients) or weights is None:
        return None
    if optimizer_name(history) == "SGD":
        before = gradients.steps <= non_finite.steps[snapshots[0]]
        norms = gradients.values[before][:, rows] if before.any() else np.full((1, len(rows)), np.nan)
        ratios = rate * norms[-1] / weights
    else:  # optimizers that scale each weight's update change it by about the learning rate
        ratios = rate / np.maximum(rms.values[0, rows], 1e-12)
    known = ratios[np.isfinite(ratios)]
    ratio = float(np.median(known)) if known.size else 0.0
    if ratio < threshold:
        return None
    return Streak(int(non_finite.steps[snapshots[0]]), int(non_finite.steps[-1]), True), ratio
