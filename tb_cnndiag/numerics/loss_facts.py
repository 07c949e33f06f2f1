"""What a loss needs and gives, from the numbers that it gives at a few made points. Losses are plain functions here."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from tb_cnndiag.payloads import FloatArray, LossFacts

Loss: TypeAlias = Callable[[FloatArray, FloatArray], float]
"""(targets, outputs) → the loss of a batch; NaN where it cannot be computed."""

# Least samples of a batch; most classes of which all are equally frequent in a batch.
SAMPLES, FEW_CLASSES = 4, 8
# Two values are equal if they differ by less than this share; float32 is exact to 1e-7 of the largest summand.
EQUAL, NOISE = 1e-4, 1e-6
# A loss is a multiple of another one if their ratio varies by less than this share: losses add 1e-7 inside logarithms.
MULTIPLE = 2e-3
# Targets of a regression that no probability can be.
NUMBERS = (2.5, -1.5)


def loss_facts(loss: Loss, shape: tuple[int, ...], target_shape: tuple[int, ...]) -> LossFacts:
    """What the values of a loss show.

    Args:
        loss: The loss of a batch; it is called up to 100 times.
        shape: Shape of one sample's output; the last axis has the classes.
        target_shape: Shape of one sample's target: ``shape``, or without the last axis for class numbers.
    """
    points = _Points(loss, shape, target_shape)
    if not points.fits:
        return LossFacts("targets have another shape than outputs")
    right = [points.answers(share) for share in (0.2, 0.5, 0.9)]
    if not np.isfinite(right).all():
        return LossFacts("it is not finite where outputs are between 0.1 and 0.9 and targets are 0 or 1")
    if points.equal(*right, points.logits(3.0)):
        return LossFacts("it does not depend on the outputs")
    same_as, factor = next(_multiples(points), ("", None))
    steady = points.steady
    shifted = _applies_softmax(points)
    logits = _takes_logits(points, shifted=shifted)
    falls = _falls(right)
    wrong = points(points.wrong(0.9)) if points.units > 1 else math.nan
    if math.isfinite(wrong) and falls is not _falls([wrong, right[-1]]):
        falls = None  # it does not matter which class is the true one
    bounds = [points.answers(share) for share in (1.0, 0.0)]
    return LossFacts(
        same_as=same_as.removesuffix(LOGITS),
        factor=factor if steady else None,
        from_logits=same_as.endswith(LOGITS) if same_as else logits,
        exclusive=True if shifted else _is_exclusive(points),
        sparse=points.sparse,
        falls=falls,
        least_at_target=_least_at_target(points),
        uninformed=_uninformed(points, logits=bool(logits)) if steady and falls else None,
        lowest=float(min([*right, *(value for value in bounds if math.isfinite(value))])),
        finite_at_bounds=bool(np.isfinite(bounds).all()),
    )


class _Points:
    """A loss at made outputs; one value per class is repeated over all positions."""

    def __init__(self, loss: Loss, shape: tuple[int, ...], target_shape: tuple[int, ...]) -> None:
        self._loss, self._shape, self._target_shape = loss, shape, target_shape
        self.units = shape[-1] if shape else 1
        self.samples = FEW_CLASSES if self.units > FEW_CLASSES else self.units * -(-SAMPLES // self.units)
        self.sparse = self.units > 1 and target_shape != shape
        self.labels = np.arange(self.samples) % max(self.units, 2)
        """Class of each sample, ``(samples,)``; of a single output: 0 or 1."""

    @property
    def fits(self) -> bool:
        """Whether targets have the shape of outputs, or are class numbers."""
        shape, target = self._shape, self._target_shape
        if self.sparse or self.units == 1:
            return target in (shape, shape[:-1], (*shape[:-1], 1))
        return target == shape

    @property
    def one_hot(self) -> FloatArray:
        """Targets of the classes, ``(samples, units)``."""
        if self.units == 1:
            return self.labels[:, None].astype(np.float64)
        return np.eye(self.units)[self.labels]

    def __call__(self, outputs: FloatArray, targets: FloatArray | None = None, repeat: int = 1) -> float:
        """The loss at outputs ``(samples, units)``; ``targets`` are the classes, unless others are given."""
        wanted = self.one_hot if targets is None else targets
        if self.sparse:
            wanted = self.labels[:, None].astype(np.float64)
        ends = (self._shape[-1:], self._target_shape[-1:] if self._target_shape else ())
        made = []
        for values, shape, end in zip((outputs, wanted), (self._shape, self._target_shape), ends, strict=True):
            last = values if end == values.shape[1:] else values[:, 0]
            array = last.reshape(len(values), *[1] * (len(shape) - (last.ndim - 1)), *last.shape[1:])
            made.append(np.tile(np.broadcast_to(array, (len(values), *shape)), (repeat, *[1] * len(shape))))
        return self._loss(made[1].astype(np.float32), made[0].astype(np.float32))

    def true(self, value: float, others: FloatArray) -> FloatArray:
        """Outputs with ``value`` for the true class of each sample, and ``others``, ``(units − 1,)``, behind it."""
        outputs = np.empty((self.samples, self.units))
        for row, label in zip(outputs, self.labels, strict=True):
            row[(label + np.arange(self.units)) % self.units] = [value, *others]
        return outputs

    def probabilities(self, share: float, *, even: bool = False) -> FloatArray:
        """Outputs that give this probability to the true answer; that of the others differs, unless ``even``."""
        if self.units == 1:
            return np.where(self.labels[:, None] == 1, share, 1 - share)
        weights = np.ones(self.units - 1) if even else np.arange(1.0, self.units)
        return self.true(share, (1 - share) * weights / weights.sum())

    def wrong(self, share: float) -> FloatArray:
        """Outputs that give this probability to the class behind the true one."""
        return np.asarray(np.roll(self.probabilities(share), 1, axis=1))

    def uneven(self, made: Callable[[float], FloatArray], *values: float) -> FloatArray:
        """Outputs that are made with another value for each class."""
        each = np.stack([made(value) for value in values])
        return np.asarray(each[self.labels % len(values), np.arange(self.samples)])

    def apart(self, true: float, others: float) -> FloatArray:
        """Outputs that do not sum to 1."""
        return self.true(true, np.full(self.units - 1, others))

    def made_logits(self, value: float) -> FloatArray:
        """Outputs with this value for the true answer, those of the others lie around 0."""
        if self.units == 1:
            return np.where(self.labels[:, None] == 1, value, -value)
        return self.true(value, np.linspace(-0.5, 0.5, self.units - 1) if self.units > 2 else np.zeros(1))

    def answers(self, share: float) -> float:
        """The loss where the true answer has this probability."""
        return self(self.probabilities(share))

    def logits(self, value: float) -> float:
        """The loss where the true answer has this logit."""
        return self(self.made_logits(value))

    @functools.cached_property
    def steady(self) -> bool:
        """Whether the loss of a batch does not depend on how many samples it has."""
        outputs = self.probabilities(0.5)
        return self.equal(self(outputs), self(outputs, repeat=2))

    def equal(self, *values: float) -> bool:
        """Whether values are finite and equal."""
        first = values[0]
        return all(
            math.isfinite(value) and abs(value - first) <= EQUAL * max(abs(value), abs(first)) + NOISE
            for value in values
        )


def _falls(values: list[float]) -> bool | None:
    """Whether it falls from value to value: True, or False if it rises throughout; None otherwise."""
    changes = np.diff(values)
    least = EQUAL * np.abs(values).max() + NOISE
    return True if (changes < -least).all() else False if (changes > least).all() else None


def _applies_softmax(points: _Points) -> bool:
    """Whether a number that is added to all outputs changes nothing, inside and outside 0 … 1."""
    if points.units == 1:
        return False
    outputs = points.true(0.2, np.linspace(0.1, 0.4, points.units - 1))
    return points.equal(*(points(outputs + shift) for shift in (0.0, 0.25, -4.0, 4.0)))


def _takes_logits(points: _Points, *, shifted: bool) -> bool | None:
    """Whether it turns logits into probabilities itself; None where that is not certain."""
    if shifted or _applies_sigmoid(points):
        return True
    single = points.units == 1
    if not single and points.equal(*(points(factor * points.probabilities(0.5)) for factor in (1, 2, 0.5))):
        return False  # it divides by the sum
    beyond = ((-0.5, 0.0), (-5.0, 0.0))
    if single:
        pairs = [(points.answers(low), points.answers(end)) for low, end in beyond]
    else:
        pairs = [(points(points.apart(low, 0.3)), points(points.apart(end, 0.3))) for low, end in beyond]
    undefined = all(not math.isfinite(value) or points.equal(value, end) for value, end in pairs)
    return False if undefined else None


def _applies_sigmoid(points: _Points) -> bool:
    """Whether it falls from logit to logit as far as ±5, is not minimal at any of them, and never negative."""
    values = [points.logits(value) for value in (-5.0, -1.0, 0.0, 1.0, 5.0)]
    if points.units > 1:
        others = [points(points.apart(0.0, -value)) for value in (-5.0, -1.0, 0.0, 1.0, 5.0)]
    else:
        others = values
    return all(np.isfinite(each).all() and min(each) >= 0 and _falls(each) is True for each in (values, others))


def _is_exclusive(points: _Points) -> bool | None:
    """Whether only the output of the true class counts, apart from a division by the sum; False if each counts alone.

    Outputs count alone if the effects of the true class and of the others add up, and the others raise the loss.
    """
    if points.units == 1:
        return False
    low, high = points(points.apart(0.3, 0.2)), points(points.apart(0.3, 0.4))
    if points.equal(low + points(points.apart(0.6, 0.4)), high + points(points.apart(0.6, 0.2))) and high > low:
        return False if not points.equal(low, high) else None
    if points.units == 2:
        by_sum = points.equal(*(points(factor * points.probabilities(0.5)) for factor in (1, 2)))
        alone = by_sum or points.equal(low, high)
    else:
        alone = all(
            points.equal(points.answers(share), points(points.probabilities(share, even=True))) for share in (0.2, 0.5)
        )
    return True if alone else None


def _least_at_target(points: _Points) -> bool | None:
    """Whether it is smallest where outputs equal targets that are any numbers; None where that is not defined."""
    if points.sparse:
        return None
    least = True
    for number in NUMBERS:
        targets = np.full((points.samples, points.units), number)
        best, *others = (points(targets + offset, targets) for offset in (0.0, -2.0, -0.5, 0.5, 2.0))
        if not np.isfinite([best, *others]).all():
            return None
        least = least and all(other > best + EQUAL * abs(best) + NOISE for other in others)
    return least


def _uninformed(points: _Points, *, logits: bool) -> float | None:
    """The loss of the best prediction that is the same for all samples, where classes are equally frequent."""
    shares = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    if points.units == 1:
        constants = [np.full(1, math.log(share / (1 - share)) if logits else share) for share in shares]
    else:
        constants = [np.full(points.units, 0.0 if logits else 1 / points.units)]
        if points.units <= FEW_CLASSES:
            certain = 0.1 / (points.units - 1) + (0.9 - 0.1 / (points.units - 1)) * np.eye(points.units)
            constants += list(np.log(certain) if logits else certain)
    values = [points(np.tile(constant, (points.samples, 1))) for constant in constants]
    finite = [value for value in values if math.isfinite(value)]
    return min(finite) if finite else None


# The end of the name of a loss that takes logits.
LOGITS = " of logits"


def _multiples(points: _Points) -> Iterator[tuple[str, float]]:
    """Losses of Keras that it is a multiple of, with the factor."""
    prefix = "sparse_" if points.sparse else ""
    answers = [points.probabilities(share) for share in (0.2, 0.5, 0.9)]
    answers += [points.uneven(points.probabilities, 0.2, 0.9, 0.6)]
    logits = [points.made_logits(value) for value in (-3.0, 0.0, 3.0)]
    logits += [points.uneven(points.made_logits, -3.0, 2.0, 0.5)]
    if points.units > 1:
        answers += [points.apart(0.5, 0.3)]
        logits += [points.true(1.0, np.linspace(-2.0, 2.0, points.units - 1))]
        name = f"{prefix}categorical_crossentropy"
        yield from _multiple(points, name, answers, _cross_entropy)
        yield from _multiple(points, name, answers, _normalized_cross_entropy)
        yield from _multiple(points, f"{name}{LOGITS}", logits, _cross_entropy_of_logits)
    if not points.sparse:
        yield from _multiple(points, "binary_crossentropy", answers, _binary_cross_entropy)
        yield from _multiple(points, f"binary_crossentropy{LOGITS}", logits, _binary_cross_entropy_of_logits)
        yield from _multiple(points, "mean_squared_error", answers + logits, lambda y, p: (y - p) ** 2)
        yield from _multiple(points, "mean_absolute_error", answers + logits, lambda y, p: np.abs(y - p))
        yield from _multiple(points, "poisson", answers, lambda y, p: p - y * np.log(p))


def _multiple(
    points: _Points, name: str, outputs: list[FloatArray], known: Callable[[FloatArray, FloatArray], FloatArray]
) -> Iterator[tuple[str, float]]:
    """The name and the factor if the loss is this multiple of the mean of ``known`` at all these outputs."""
    ratios = []
    for each in outputs:
        value = points(each)
        if not math.isfinite(value):
            return
        ratios.append(value / float(np.mean(known(points.one_hot, each))))
    factor = float(np.median(ratios))
    if factor and np.ptp(ratios) <= MULTIPLE * abs(factor):
        yield name, factor


def _cross_entropy(y: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(-np.log((y * p).sum(axis=1)))


def _normalized_cross_entropy(y: FloatArray, p: FloatArray) -> FloatArray:
    return _cross_entropy(y, p / p.sum(axis=1, keepdims=True))


def _cross_entropy_of_logits(y: FloatArray, z: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.exp(z).sum(axis=1)) - (y * z).sum(axis=1))


def _binary_cross_entropy(y: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(-np.log(np.where(y == 1, p, 1 - p)))


def _binary_cross_entropy_of_logits(y: FloatArray, z: FloatArray) -> FloatArray:
    return np.asarray(np.log1p(np.exp(np.where(y == 1, -z, z))))
