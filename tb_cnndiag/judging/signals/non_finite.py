"""NaN and infinity: at which step, in which layer and in what they appeared first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, column, logged

# Where non-finite numbers are measured, in the order in which they spread within a snapshot.
_SOURCES = (
    ("weight_health", "non_finite", "weights"),
    ("untouched_weights", "non_finite", "biases or normalizations"),
    ("activation_density", "non_finite_share", "activations"),
    ("gradient_flow", "non_finite_ratio", "gradients"),
)


@dataclass(frozen=True)
class Appearance:
    """Where non-finite numbers were at the first step that has some in a source.

    Attributes:
        step: That step.
        what: What contains them.
        amounts: How many, or which share, in each layer, ``(layers,)``; zeros for the whole model.
    """

    step: int
    what: str
    amounts: NDArray[np.float64]


def _series(signals: Signals) -> list[tuple[str, Track]]:
    """(what, amounts ``(snapshots, layers or 1)``) of every source; the input comes first."""
    found = []
    means, observed = column(signals, "model_input", "mean"), column(signals, "model_input", "constant_share")
    means = Track(*_raw(signals, "model_input", "mean"))
    if len(means) == len(observed) and len(means):
        bad = ~np.isfinite(means.values) & np.isfinite(observed.values)
        found.append(("the input", Track(means.steps, bad.astype(float))))
    for diagnostic, name, what in _SOURCES:
        steps, values = _raw(signals, diagnostic, name)
        if len(steps):
            found.append((what, Track(steps, np.nan_to_num(values, nan=0.0, posinf=1.0))))
    for name in signals.history.scalar_names("training_curve"):
        if name in ("loss", "val_loss"):
            curve = logged(signals, name)
            found.append((name, Track(curve.steps, (~np.isfinite(curve.values)).astype(float))))
    return found


def _raw(signals: Signals, diagnostic: str, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    series = signals.history.series(diagnostic, name)
    return np.asarray(series.steps), series.values.astype(np.float64)


def _amount(signals: Signals) -> Track:
    tracks = [track for _, track in signals.once(_series)]
    if not tracks:
        return Track.unknown("nothing was recorded")
    steps = np.unique(np.concatenate([track.steps for track in tracks]))
    amount = np.zeros(len(steps))
    for track in tracks:
        largest = track.values.max(axis=1, initial=0.0)
        # NaN never disappears, so what was found stays found.
        position = np.searchsorted(track.steps, steps, side="right") - 1
        so_far = np.maximum.accumulate(largest)
        amount = np.maximum(amount, np.where(position >= 0, so_far[np.maximum(position, 0)], 0.0))
    return Track.of_model(steps, amount)


NON_FINITE = Signal("non-finite values", "count", _amount)
"""Largest number of non-finite values in a layer so far; at least a part of 1 if any were found elsewhere."""


def appearances(signals: Signals, limit: float) -> list[Appearance]:
    """The first appearance in each source that has more than ``limit``; the input first."""
    found = []
    for what, track in signals.once(_series):
        snapshots = np.flatnonzero((track.values > limit).any(axis=1))
        if snapshots.size:
            amounts = track.values[snapshots[0]]
            if not track.of_layers and len(signals.layers) != 1:
                amounts = np.zeros(len(signals.layers))
            found.append(Appearance(int(track.steps[snapshots[0]]), what, np.where(amounts > limit, amounts, 0.0)))
    return found


def has_non_finite(signals: Signals) -> bool:
    """Whether weights are not finite: rectified units are 0 then, too."""
    _, values = _raw(signals, "weight_health", "non_finite")
    return bool((values > 0).any())
