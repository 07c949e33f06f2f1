"""Checks of the fourth round that the other rounds have no need of, by plain Keras and NumPy."""

from __future__ import annotations

from benchmarks.faults.symptoms import Outcome, Symptom


def loss_keeps(share: float) -> Symptom:
    """The loss of the last epoch is more than this share of the first one's, or not finite."""
    return lambda o: not o.curves["loss"][-1] <= share * o.curves["loss"][0]


def held_out_below(level: float) -> Symptom:
    """Accuracy on what was held out never comes up to this."""
    return lambda o: not max(o.curves["val_accuracy"]) >= level


def loss_for_nothing(o: Outcome) -> bool:
    """The loss is as good as 0 although a sixth of the answers are wrong."""
    return o.curves["loss"][-1] < 1e-3 and max(o.curves["accuracy"][-2:]) < 5 / 6


def costs_more_held_out(times: float) -> Symptom:
    """In an epoch after the first, held-out data cost so many times what training did."""
    return lambda o: any(
        val > times * loss for val, loss in zip(o.curves["val_loss"][1:], o.curves["loss"][1:], strict=True)
    )
