"""Checks of the fourth round that the other rounds have no need of, by plain Keras and NumPy."""

from __future__ import annotations

from benchmarks.faults.symptoms import Outcome, Symptom


def loss_keeps(share: float) -> Symptom:
    """The loss of the last epoch is more than this share of the first one's, or not finite."""
    return lambda o: not o.curves["loss"][-1] <= share * o.curves["loss"][0]


def loss_for_nothing(o: Outcome) -> bool:
    """The loss is as good as 0 although a sixth of the answers are wrong."""
    return o.curves["loss"][-1] < 1e-3 and max(o.curves["accuracy"][-2:]) < 5 / 6
