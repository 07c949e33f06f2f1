"""The size of the gradient, by depth."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, over_layers, recorded
from tb_cnndiag.payloads import FloatArray

GRADIENT_NORM = Signal("gradient norm", "norm", recorded("gradient_flow", "gradient_norm"))
"""‖g‖ of each kernel."""

RELATIVE_GRADIENT = Signal("gradient-to-weight ratio", "ratio", recorded("gradient_flow", "relative_gradient"))
"""‖g‖/‖w‖ of each kernel."""

MISSING_GRADIENT = Signal("steps without a finite gradient", "share", recorded("gradient_flow", "non_finite_ratio"))
"""Share of steps in which the gradient of a kernel was not finite; NaN for a kernel that received none."""


def _median(signals: Signals) -> Track:
    return over_layers(np.nanmedian, signals(RELATIVE_GRADIENT), range(len(signals.layers)))


MEDIAN_RELATIVE_GRADIENT = Signal("gradient-to-weight ratio", "ratio", _median)
"""Median over the layers."""


def _largest(signals: Signals) -> Track:
    return over_layers(np.nanmax, signals(RELATIVE_GRADIENT), signals.trainable)


LARGEST_RELATIVE_GRADIENT = Signal("largest gradient-to-weight ratio", "ratio", _largest)
"""Maximum over the trainable layers."""


def rows_with_gradient(signals: Signals) -> list[int]:
    """Rows of the trainable layers whose relative gradient is known in the end."""
    gradients = signals(RELATIVE_GRADIENT)
    return [row for row in signals.trainable if len(gradients) and np.isfinite(gradients.values[-1, row])]


def _decay(signals: Signals, last: int | None) -> Track:
    gradients, rows = signals(RELATIVE_GRADIENT), rows_with_gradient(signals)
    if not len(gradients):
        return gradients
    if len(rows) < 3 or last is None:
        return Track.unknown("fewer than 3 trainable layers received a gradient")
    norms = gradients_of(signals, rows[0])
    if norms.size and (norms == 0).all():
        return Track.unknown("the first layer has no gradient at all: this is another fault")
    with np.errstate(divide="ignore", invalid="ignore"):
        return Track.of_model(gradients.steps, gradients.values[:, rows[0]] / gradients.values[:, last])


def _decay_from_output(signals: Signals) -> Track:
    rows = rows_with_gradient(signals)
    return _decay(signals, rows[-1] if rows else None)


def _decay_from_hidden(signals: Signals) -> Track:
    rows = rows_with_gradient(signals)
    hidden = [row for row in rows if not signals.layers[row].output]
    return _decay(signals, hidden[-1] if hidden else rows[-1] if rows else None)


GRADIENT_DECAY = Signal("relative gradient, first to last layer", "ratio", _decay_from_output)
"""Relative gradient of the first trainable layer divided by that of the last."""

HIDDEN_GRADIENT_DECAY = Signal("relative gradient, first to last hidden layer", "ratio", _decay_from_hidden)
"""Relative gradient of the first trainable layer divided by that of the last hidden one."""


def _first_update(signals: Signals) -> Track:
    from tb_cnndiag.judging.signals.updates import UPDATE_RATIO

    updates, rows = signals(UPDATE_RATIO), rows_with_gradient(signals)
    if not len(updates) or not rows:
        return Track.unknown(updates.reason or "no trainable layer received a gradient")
    return Track.of_model(updates.steps, np.nan_to_num(updates.values[:, rows[0]]))


FIRST_LAYER_UPDATE = Signal("update-to-weight ratio of the first layer", "ratio", _first_update)
"""Of the first trainable layer that has a gradient."""


def gradients_of(signals: Signals, row: int) -> FloatArray:
    """‖g‖ of one kernel at each snapshot, ``(snapshots,)``."""
    norms = signals(GRADIENT_NORM)
    return norms.values[:, row] if len(norms) else np.empty(0)


def _zero_gradient(signals: Signals) -> Track:
    """1 where the gradient of a trainable kernel has been exactly 0 at every snapshot, else 0."""
    norms = signals(GRADIENT_NORM)
    if not len(norms):
        return norms
    known = ~np.isnan(norms.values)
    zero = np.logical_and.accumulate((norms.values == 0) | ~known, axis=0) & known
    return Track(norms.steps, np.where(known, zero, np.nan))


ZERO_GRADIENT = Signal("gradient that is exactly 0", "share", _zero_gradient)
"""1 for a kernel whose gradient has been exactly 0 at every snapshot so far, else 0."""


def _zero_gradients(signals: Signals) -> Track:
    return over_layers(np.nanmin, signals(ZERO_GRADIENT), signals.trainable)


ALL_ZERO_GRADIENTS = Signal("gradients that are all exactly 0", "share", _zero_gradients)
"""1 while the gradients of all trainable kernels have been exactly 0 at every snapshot, else 0."""


def _no_gradient(signals: Signals) -> Track:
    """1 where a kernel receives no gradient although another kernel of its part does, else 0."""
    measured = signals(MISSING_GRADIENT)
    if not len(measured):
        return measured
    known = ~np.isnan(measured.values)
    parts = np.array([part_of(signals, row) for row in range(len(signals.layers))])
    found = np.zeros(known.shape)
    for part in set(parts.tolist()):
        rows = parts == part
        others = np.asarray(known[:, rows].any(axis=1))
        found[:, rows] = others[:, None] & ~known[:, rows]
    return Track(measured.steps, found)


NO_GRADIENT = Signal("no gradient", "share", _no_gradient)
"""1 for a kernel that receives no gradient while others of its part do, else 0."""


def part_of(signals: Signals, row: int) -> str:
    """The model that a layer belongs to, in a run of several; else empty."""
    return signals.layers[row].path.partition("/")[0] if ", " in signals.info.model else ""
