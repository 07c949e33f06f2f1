"""The accuracy that Keras logs in training."""

from __future__ import annotations

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, logged
from tb_cnndiag.judging.signals.prior_loss import output_layer


def logged_accuracy(signals: Signals) -> Track:
    """The first training accuracy that was logged."""
    for name in signals.history.scalar_names("training_curve"):
        if name.endswith(("accuracy", "acc")) and not name.startswith("val_"):
            return logged(signals, name)
    return Track.unknown("no accuracy was logged: add it to the metrics")


def _above_majority(signals: Signals) -> Track:
    accuracy, head, counts = logged_accuracy(signals), output_layer(signals), signals.info.probe.class_counts
    if not len(accuracy) or head is None:
        return Track.unknown(accuracy.reason or "the model has several outputs")
    majority = max(counts) / sum(counts) if sum(counts) else 1 / max(head.units, 2)
    if majority == 1:
        return Track.unknown("the probe has samples of one class only")
    return Track(accuracy.steps, (accuracy.values - majority) / (1 - majority))


TRAINING_ACCURACY = Signal("training accuracy above that of the largest class", "share", _above_majority)
"""Logged training accuracy, between that of predicting the largest class for every sample (0) and 1."""


def accuracy_is_not_logged(signals: Signals) -> bool:
    """Whether only the loss says how well the training goes; a weighted loss can fall while one class is predicted."""
    return not len(logged_accuracy(signals))
