"""Checks of the third round that the other rounds have no need of, by plain Keras and NumPy."""

from __future__ import annotations

import numpy as np

from benchmarks.faults import symptoms as shows
from benchmarks.faults.first import symptoms as from_first
from benchmarks.faults.symptoms import Outcome, Symptom


def as_by_rate(o: Outcome) -> bool:
    """Accuracy is within 6 points of always naming the most frequent class."""
    return not shows.accuracy(o) >= float(np.bincount(np.asarray(o.y, int).ravel()).max()) / len(o.y) + 0.06


def tells_less_than(share: float) -> Symptom:
    """Squares of what is left are more than this share of the variance of what was to be told, or not finite."""

    def check(o: Outcome) -> bool:
        wanted = np.asarray(o.y[:256], float)
        told = np.asarray(o.model.predict(o.x[:256], verbose=0), float).reshape(wanted.shape)
        return not np.mean((told - wanted) ** 2) < share * np.mean((wanted - wanted.mean(axis=0)) ** 2)

    return check


def out_of_unit(share: float) -> Symptom:
    """This share of the answers, which the loss takes for chances, lies outside 0 … 1."""

    def check(o: Outcome) -> bool:
        told = o.model.predict(o.x[:512], verbose=0)
        return bool(np.mean((told < 0) | (told > 1)) >= share)

    return check


def no_chances(o: Outcome) -> bool:
    """The labels, which the loss takes for chances, are not all in 0 … 1."""
    return float(np.min(o.y)) < 0 or float(np.max(o.y)) > 1


def same_everywhere(o: Outcome) -> bool:
    """What is fed in is the same number but for a thousandth of the values."""
    values, counts = np.unique(o.x, return_counts=True)
    return bool(len(values) > 0 and counts.max() >= 0.999 * np.size(o.x))


def entirely_dead(*names: str) -> Symptom:
    """One of these layers never fires at all."""
    return from_first.any_dead(*names, share=1.0)


def scale_near_nothing(layer: str, share: float) -> Symptom:
    """Of so many channels of a normalisation neither scale nor shift has left 0."""

    def check(o: Outcome) -> bool:
        of = o.model.get_layer(layer)
        return bool(np.mean((np.abs(of.gamma) < 1e-6) & (np.abs(of.beta) < 1e-6)) >= share)

    return check


def not_a_number_within(o: Outcome) -> bool:
    """What is fed in is not finite."""
    return not np.isfinite(o.x).all()


def clusters_within(layer: str, at_most: float, cosine: float = 0.95) -> Symptom:
    """The filters of a layer fall into so few directions, as a share of their number."""

    def check(o: Outcome) -> bool:
        rows = shows.kernel(o, layer)
        left = list(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30))
        groups = 0
        while left:
            left = [row for row in left[1:] if float(row @ left[0]) < cosine]
            groups += 1
        return groups <= at_most * len(rows)

    return check


def first_loss_above(level: float) -> Symptom:
    """The mean loss of the first epoch is above this, or not finite."""
    return lambda o: not o.curves["loss"][0] < level


def falls_short(best: float, curve: str = "accuracy") -> Symptom:
    """At no epoch does this curve of the training come up to what is reached without the fault."""
    return lambda o: not max(o.curves[curve]) >= best
