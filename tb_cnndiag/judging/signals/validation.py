"""The validation loss, compared with its best value and with the training loss."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, logged

# Epochs after the best one over which a noisy validation loss is averaged.
AVERAGED_EPOCHS = 3


def _both(signals: Signals) -> tuple[Track, Track, Track]:
    """(validation loss, training loss at its steps, their reasons): empty tracks where one is unknown."""
    validation, training = logged(signals, "val_loss"), logged(signals, "loss")
    if not len(validation) or not len(training):
        unknown = validation if not len(validation) else training
        return unknown, unknown, unknown
    if not np.isfinite(validation.values).all():
        unknown = Track.unknown("the validation loss is not finite")
        return unknown, unknown, unknown
    return validation, Track(validation.steps, training.at(validation.steps)), validation


def _recent(signals: Signals) -> Track:
    """Mean validation loss over the last epochs after its best one so far."""
    validation, _, _ = _both(signals)
    if not len(validation):
        return validation
    values, steps = validation.values[:, 0], validation.steps
    recent = np.empty(len(values))
    for i in range(len(values)):
        best = int(np.argmin(values[: i + 1]))
        after = (steps > max(steps[best], steps[i] - AVERAGED_EPOCHS * signals.period)) & (steps <= steps[i])
        recent[i] = values[after].mean() if after.any() else values[i]
    return Track.of_model(steps, recent)


def _rise(signals: Signals) -> Track:
    validation, training, _ = _both(signals)
    if not len(validation):
        return validation
    values = validation.values[:, 0]
    at_best = np.array([int(np.argmin(values[: i + 1])) for i in range(len(values))])
    best, falls = values[at_best], training.values[:, 0] < training.values[at_best, 0]
    recent = signals(RECENT_VALIDATION_LOSS).values[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return Track.of_model(validation.steps, np.where(falls & (best > 0), recent / best, 1.0))


def _noise(signals: Signals) -> Track:
    validation, _, _ = _both(signals)
    if not len(validation):
        return validation
    best = np.minimum.accumulate(validation.values[:, 0])
    recent = signals(RECENT_VALIDATION_LOSS).values[:, 0]
    first = validation.first()
    return Track.of_model(validation.steps, (recent - best) / first if first > 0 else np.full(len(best), np.nan))


def _gap(signals: Signals) -> Track:
    validation, training, _ = _both(signals)
    if not len(validation):
        return validation
    with np.errstate(divide="ignore", invalid="ignore"):
        return Track.of_model(validation.steps, signals(RECENT_VALIDATION_LOSS).values[:, 0] / training.values[:, 0])


RECENT_VALIDATION_LOSS = Signal("recent validation loss", "loss", _recent)
"""Mean over at most three epochs after the best one: shows whether a noisy validation loss has risen."""

VALIDATION_RISE = Signal("validation loss relative to its best value", "ratio", _rise)
"""While the training loss is below what it was at the best validation loss; else 1."""

VALIDATION_RISE_OF_FIRST = Signal("rise of the validation loss relative to the first", "share", _noise)
"""Rise of the validation loss above its best value, relative to its first value."""

GENERALIZATION_GAP = Signal("validation loss relative to the training loss", "ratio", _gap)
"""The recent validation loss relative to the training loss."""


def accuracy_gap(signals: Signals) -> Track:
    """Training accuracy minus validation accuracy at each snapshot."""
    for name in signals.history.scalar_names("training_curve"):
        if name.endswith("accuracy") and not name.startswith("val_"):
            training, validation = logged(signals, name), logged(signals, f"val_{name}")
            if len(training) and len(validation):
                return Track(validation.steps, training.at(validation.steps) - validation.values)
    return Track.unknown("no accuracy was logged for training and validation")


ACCURACY_GAP = Signal("training accuracy minus validation accuracy", "share", accuracy_gap)
"""Training accuracy minus validation accuracy."""


def best_step(signals: Signals) -> int:
    """Step of the best validation loss."""
    validation = logged(signals, "val_loss")
    return int(validation.steps[int(np.argmin(validation.values[:, 0]))]) if len(validation) else 0


def _ratio(signals: Signals) -> Track:
    validation, training, _ = _both(signals)
    if not len(validation):
        return validation
    with np.errstate(divide="ignore", invalid="ignore"):
        return Track(validation.steps, validation.values / training.values)


VALIDATION_TO_TRAINING = Signal("validation loss relative to the training loss", "ratio", _ratio)
"""The validation loss of each snapshot relative to its training loss."""
