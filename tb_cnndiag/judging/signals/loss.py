"""The training loss, relative to the prior loss, and how it develops."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, logged
from tb_cnndiag.judging.signals.loss_function import loss_function
from tb_cnndiag.judging.signals.prior_loss import prior_loss
from tb_cnndiag.payloads import FloatArray

# A loss that falls below this can be negative; rounding makes others fall a little below 0.
NEGATIVE = -1e-3
# Epochs over which rises of the loss are counted.
OSCILLATION_EPOCHS = 5


def _loss(signals: Signals) -> Track:
    names = signals.history.scalar_names("training_curve")
    losses = [name for name in names if "loss" in name.lower() and not name.startswith("val_")]
    # A training step of one's own may call its only loss something else.
    return logged(signals, losses[0] if "loss" not in names and len(losses) == 1 else "loss")


LOSS = Signal("training loss", "loss", _loss)
"""As Keras logs it."""


def reference(signals: Signals) -> float:
    """What the loss is compared with: the prior loss; where it is unknown, the first loss; 0 without a loss.

    For a regression it is the larger of the two: its loss may start far above the prior loss while it learns.
    """
    loss, prior = signals(LOSS), prior_loss(signals)
    if not len(loss):
        return 0.0
    if prior is not None and loss_function(signals).of_classes:
        return prior
    first = loss.first()
    return max(prior or 0.0, first if np.isfinite(first) else 0.0)


def _relative_loss(signals: Signals) -> Track:
    loss, base = signals(LOSS), reference(signals)
    if not len(loss):
        return loss
    facts = signals.info.loss_facts
    if prior_loss(signals) is None and facts is not None and (facts.lowest or 0.0) < NEGATIVE:
        return Track.unknown("the loss can be negative: what share of the first loss is left says nothing")
    if not base > 0:
        return Track.unknown("the prior loss is not known, and the first loss is not positive")
    # A loss that is not finite is as high as can be.
    return Track(loss.steps, np.where(np.isfinite(loss.values), loss.values / base, np.inf))


RELATIVE_LOSS = Signal("loss relative to the prior loss", "ratio", _relative_loss)
"""The training loss relative to the prior loss."""


def _first_relative_loss(signals: Signals) -> Track:
    loss = signals(RELATIVE_LOSS)
    return Track.constant([loss.first()], loss.reason) if len(loss) else loss


FIRST_RELATIVE_LOSS = Signal("first loss relative to the prior loss", "ratio", _first_relative_loss)
"""That of the first snapshot."""


def _last_relative_loss(signals: Signals) -> Track:
    loss = signals(RELATIVE_LOSS)
    return Track.constant([loss.last()], loss.reason) if len(loss) else loss


LAST_RELATIVE_LOSS = Signal("last loss relative to the prior loss", "ratio", _last_relative_loss)
"""That of the last snapshot."""


def _finite_loss(signals: Signals) -> Track:
    loss = signals(RELATIVE_LOSS)
    if len(loss) and not np.isfinite(loss.values).all():
        return Track.unknown("the loss is not finite")
    return loss


FINITE_RELATIVE_LOSS = Signal("loss relative to the prior loss", "ratio", _finite_loss)
"""The training loss relative to the prior loss; unknown if it was ever not finite."""


def _rise(signals: Signals) -> Track:
    loss = signals(FINITE_RELATIVE_LOSS)
    if not len(loss):
        return loss
    best = np.minimum.accumulate(loss.values, axis=0)
    return Track(loss.steps, loss.values / np.maximum(best, 1e-12))


def _rise_after_first(signals: Signals) -> Track:
    rise = signals(LOSS_RISE)
    return rise if len(rise) != 1 else Track.unknown("there is a single loss")


LOSS_RISE = Signal("loss relative to its best value", "ratio", _rise)
"""The training loss relative to its best value so far."""


RISE_OF_SEVERAL = Signal("loss relative to its best value", "ratio", _rise_after_first)
"""The same; unknown while there is a single loss."""


def _zigzag(signals: Signals) -> Track:
    loss = signals(FINITE_RELATIVE_LOSS)
    return (
        Track(loss.steps, repeated_rise(loss, OSCILLATION_EPOCHS * signals.period, signals.period))
        if len(loss)
        else loss
    )


def repeated_rise(loss: Track, window: float, period: float) -> FloatArray:
    """The second largest rise over one period within the last ``window`` steps, ``(snapshots, 1)``; 1 without two.

    A rise is the loss relative to that of one period earlier. Two rises are at least a period apart.
    """
    steps, values = loss.steps.astype(float), loss.values[:, 0]
    rises = np.ones(len(values))
    before = np.interp(steps - period, steps, values)
    early = steps - period < steps[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        rises[~early] = (values / before)[~early]
    found = np.ones(len(values))
    for i in range(len(values)):
        recent = np.flatnonzero((steps > steps[i] - window) & (np.arange(len(steps)) <= i))
        best = recent[np.argmax(rises[recent])]
        others = recent[np.abs(steps[recent] - steps[best]) >= period]
        if others.size:
            found[i] = max(float(rises[others].max()), 1.0)
    return found[:, None]


LOSS_ZIGZAG = Signal("repeated rise of the loss", "ratio", _zigzag)
"""Second largest rise of the loss over one epoch within five epochs: the loss oscillates if it is large."""


def loss_is_not_finite(signals: Signals) -> bool | str:
    """Whether the last loss is NaN or infinite."""
    loss = signals(LOSS)
    return loss.reason or not bool(np.isfinite(loss.values[-1, 0]))


def learns(signals: Signals, threshold: float) -> bool:
    """Whether the last loss is below a threshold relative to the prior loss."""
    return bool(signals(RELATIVE_LOSS).last() < threshold)


def _decrease(signals: Signals) -> Track:
    loss = signals(FINITE_RELATIVE_LOSS)
    if not len(loss):
        return loss
    first = max(abs(loss.first()), 1e-12)
    return Track(loss.steps, (loss.first() - np.minimum.accumulate(loss.values, axis=0)) / first)


def _best_of_first(signals: Signals) -> Track:
    decrease = signals(LOSS_DECREASE)
    return Track(decrease.steps, 1 - decrease.values, decrease.reason) if len(decrease) else decrease


BEST_OF_FIRST_LOSS = Signal("best loss relative to the first loss", "ratio", _best_of_first)
"""The best loss so far relative to the first one: what was learned, even if the loss is weighted."""


LOSS_DECREASE = Signal("decrease of the loss", "share", _decrease)
"""Decrease of the best loss so far below the first one, as a share of the first one."""
