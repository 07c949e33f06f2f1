"""All facts of losses whose facts follow from their formulas, and where facts change from one case to the next."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.numerics.loss_facts import loss_facts
from tb_cnndiag.payloads import LossFacts

Loss = Callable[[Any, Any], Any]


def _facts(loss: Loss, shape: tuple[int, ...], target: tuple[int, ...] | None = None) -> LossFacts:
    def quiet(y: Any, p: Any) -> float:
        with np.errstate(all="ignore"):
            return float(loss(y.astype(np.float64), p.astype(np.float64)))

    return loss_facts(quiet, shape, shape if target is None else target)


def _softmax(z: Any) -> Any:
    made = np.exp(z - z.max(axis=-1, keepdims=True))
    return made / made.sum(axis=-1, keepdims=True)


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _of_true(function: Callable[[Any], Any]) -> Loss:
    """The mean of a function of the true class's output."""
    return lambda y, p: function((y * p).sum(axis=-1)).mean()


def _each(true: Callable[[Any], Any], other: Callable[[Any], Any]) -> Loss:
    """The mean over outputs, each for itself."""
    return lambda y, p: np.where(y.reshape(p.shape) == 1, true(p), other(p)).mean()


def _normalized(loss: Loss) -> Loss:
    return lambda y, p: loss(y, p / p.sum(axis=-1, keepdims=True))


def _numbers(loss: Loss) -> Loss:
    """A loss of class numbers."""
    return lambda y, p: loss(np.eye(p.shape[-1])[y.reshape(p.shape[:-1]).astype(int)], p)


def _square(y: Any, p: Any) -> Any:
    return ((y.reshape(p.shape) - p) ** 2).mean()


_log = _of_true(lambda p: -np.log(p))
_focal = _of_true(lambda p: -((1 - p) ** 2) * np.log(p + 1e-7))
_binary = _each(lambda p: -np.log(p), lambda p: -np.log(1 - p))
_binary_focal = _each(lambda p: -((1 - p) ** 2) * np.log(p), lambda p: -(p**2) * np.log(1 - p))
LN2, LN4 = math.log(2), math.log(4)
FOCAL = 0.75**2 * LN4
# Of four classes: 0.9 for one of them and 1/30 for each other, against 1/4 for all.
CERTAIN = 1 - (0.9**2 + 3 / 30**2) / 4

_LOG = LossFacts("", "categorical_crossentropy", 1.0, False, True, False, True, None, LN4, 0.0, False)
_FOCAL = LossFacts("", "", None, False, True, False, True, None, FOCAL, 0.0, True)
_LOGITS = LossFacts(
    "", "categorical_crossentropy", 1.0, True, True, False, True, None, LN4, math.log(1 + 3 / math.e), True
)
# The true class's probability where its logit is 1, among four and as a single output.
ONE, SINGLE = math.e / (math.e + 3), math.e / (math.e + 1)
_BINARY = LossFacts("", "binary_crossentropy", 1.0, False, False, False, True, None, LN2, 0.0, False)


@pytest.mark.parametrize(
    ("loss", "shape", "target", "expected"),
    [
        (_log, (4,), (4,), _LOG),
        (_log, (6, 5, 4), (6, 5, 4), _LOG),
        (_numbers(_log), (4,), (), dataclasses.replace(_LOG, same_as="sparse_categorical_crossentropy", sparse=True)),
        (_log, (2,), (2,), dataclasses.replace(_LOG, uninformed=LN2)),
        (_log, (20,), (20,), dataclasses.replace(_LOG, uninformed=math.log(20))),
        (_normalized(_log), (4,), (4,), _LOG),
        (_normalized(_log), (2,), (2,), dataclasses.replace(_LOG, uninformed=LN2)),
        (lambda y, p: -3 * _log(y, p), (4,), (4,),
         dataclasses.replace(_LOG, factor=-3.0, falls=False, uninformed=None, lowest=3 * math.log(0.2))),
        (_focal, (4,), (4,), _FOCAL),
        (_focal, (2,), (2,), dataclasses.replace(_FOCAL, uninformed=0.25 * LN2)),
        (_numbers(_focal), (4,), (1,), dataclasses.replace(_FOCAL, sparse=True, least_at_target=None)),
        (_numbers(_focal), (5, 4), (5,), dataclasses.replace(_FOCAL, sparse=True, least_at_target=None)),
        (_normalized(_focal), (4,), (4,), _FOCAL),
        (_normalized(_focal), (2,), (2,), dataclasses.replace(_FOCAL, uninformed=0.25 * LN2)),
        (lambda y, z: _log(y, _softmax(z)), (4,), (4,), _LOGITS),
        (lambda y, z: _log(y, _softmax(z)), (2,), (2,),
         dataclasses.replace(_LOGITS, uninformed=LN2, lowest=math.log(1 + 1 / math.e))),
        (lambda y, z: _focal(y, _softmax(z)), (4,), (4,),
         dataclasses.replace(
             _LOGITS, same_as="", factor=None, uninformed=FOCAL, lowest=-((1 - ONE) ** 2) * math.log(ONE))),
        # One minus the square: a certain answer is better than equal shares.
        (_of_true(lambda p: 1 - p**2), (4,), (4,),
         LossFacts("", "", None, None, True, False, True, False, CERTAIN, 0.0, True)),
        (lambda y, z: _of_true(lambda p: 1 - p**2)(y, _softmax(z)), (4,), (4,),
         LossFacts("", "", None, True, True, False, True, False, CERTAIN, 1 - ONE**2, True)),
        (_binary, (1,), (1,), _BINARY),
        (_binary, (1,), (), _BINARY),
        (_binary, (), (), _BINARY),
        (_binary, (7, 5, 1), (7, 5), _BINARY),
        (_binary, (3,), (3,), dataclasses.replace(_BINARY, uninformed=-(math.log(1 / 3) + 2 * math.log(2 / 3)) / 3)),
        (_binary_focal, (1,), (1,),
         LossFacts("", "", None, False, False, False, True, None, 0.25 * LN2, 0.0, False)),
        (_binary_focal, (3,), (3,), LossFacts(
            "", "", None, False, False, False, True, None,
            (4 / 9 * math.log(3) + 2 / 9 * math.log(1.5)) / 3, 0.0, False)),
        (lambda y, z: _binary(y, _sigmoid(z)), (1,), (1,), LossFacts(
            "", "binary_crossentropy", 1.0, True, False, False, True, False, LN2,
            (math.log(1 + 1 / math.e) + LN2) / 2, True)),
        (lambda y, z: _binary(y, _sigmoid(z)), (4,), (4,), LossFacts(
            "", "binary_crossentropy", 1.0, True, False, False, True, False, LN2,
            (math.log(1 + 1 / math.e) + 3 * LN2) / 4, True)),
        (lambda y, z: _binary_focal(y, _sigmoid(z)), (1,), (1,), LossFacts(
            "", "", None, True, False, False, True, False, 0.25 * LN2,
            (-((1 - SINGLE) ** 2) * math.log(SINGLE) + 0.25 * LN2) / 2, True)),
        (_square, (1,), (), LossFacts("", "mean_squared_error", 1.0, False, False, False, True, True, 0.25, 0.0, True)),
        (_square, (), (1,), LossFacts("", "mean_squared_error", 1.0, False, False, False, True, True, 0.25, 0.0, True)),
    ],
)  # fmt: skip
def test_all_facts(loss: Loss, shape: tuple[int, ...], target: tuple[int, ...], expected: LossFacts) -> None:
    found = _facts(loss, shape, target)
    for field in dataclasses.fields(LossFacts):
        got, wanted = getattr(found, field.name), getattr(expected, field.name)
        assert got == (pytest.approx(wanted, rel=1e-4, abs=2e-6) if isinstance(wanted, float) else wanted), field.name


NOT_FINITE = "it is not finite where outputs are between 0.1 and 0.9 and targets are 0 or 1"
NO_EFFECT = "it does not depend on the outputs"


@pytest.mark.parametrize(
    ("loss", "unknown"),
    [
        (_of_true(lambda p: np.where(p > 0.85, math.nan, -p)), NOT_FINITE),
        (_of_true(lambda p: np.where(p < 0.25, math.inf, -p)), NOT_FINITE),
        (_of_true(lambda p: np.where((p > 0.4) & (p < 0.6), -math.inf, -p)), NOT_FINITE),
        (_of_true(lambda p: np.where((p > 0.95) | (p < 0.15), math.nan, -p)), ""),
        # Outputs make a difference of 2.8 between a true output of 0.2 and one of 3.
        (_of_true(lambda p: 1 + 3e-5 * p), NO_EFFECT),
        (_of_true(lambda p: 1 + 5e-5 * p), ""),
        (_of_true(lambda p: -1000 - 0.03 * p), NO_EFFECT),
        (_of_true(lambda p: -1000 - 0.05 * p), ""),
        (_of_true(lambda p: 3e-7 * p), NO_EFFECT),
        (_of_true(lambda p: 5e-7 * p), ""),
        (_of_true(lambda p: np.maximum(p, 1.5)), ""),  # it depends on them beyond 1
    ],
)
def test_why_nothing_is_known(loss: Loss, unknown: str) -> None:
    found = _facts(loss, (4,))
    assert found.unknown == unknown
    if unknown:
        assert found == LossFacts(unknown)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("loss", "falls"),
    [
        # Its smallest change is that of 0.3 between outputs of 0.2 and 0.5, on a level of 1, of 1,000 and of 0.
        (_of_true(lambda p: 1 - 3e-4 * p), None),
        (_of_true(lambda p: 1 - 4e-4 * p), True),
        (_of_true(lambda p: 1000 - 0.3 * p), None),
        (_of_true(lambda p: 1000 - 0.4 * p), True),
        (_of_true(lambda p: -3e-6 * p), None),
        (_of_true(lambda p: -4e-6 * p), True),
        (_of_true(lambda p: np.abs(p - 0.6)), None),
        (_of_true(lambda p: -np.minimum(p, 0.5)), None),
        (_of_true(lambda p: -np.maximum(p, 0.5)), None),
        # It does not matter which class is the true one.
        (lambda y, p: 1 - p.max(axis=-1).mean(), None),
        (lambda y, p: 1 - 1e-3 * (y * p).sum(axis=-1).mean() - np.maximum(p.max(axis=-1), 0.6).mean(), True),
    ],
)
def test_whether_it_falls(loss: Loss, falls: bool | None, sign: int) -> None:
    for classes in (3, 4, 20):
        found = _facts(lambda y, p: sign * loss(y, p), (classes,))
        assert found.falls is (falls if sign > 0 or falls is None else False)
        assert (found.uninformed is None) == (found.falls is not True) or sign < 0


@pytest.mark.parametrize("best", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_lowest_value_is_that_of_all_outputs_from_zero_to_one(best: float) -> None:
    assert _facts(_of_true(lambda p: 1 + (p - best) ** 2), (4,)).lowest == pytest.approx(1, abs=1e-6)
    assert _facts(
        _each(lambda p: 1 + (p - best) ** 2, lambda p: 1 + (1 - p - best) ** 2), (1,)
    ).lowest == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("loss", "finite", "lowest"),
    [
        (_of_true(lambda p: -np.log(p)), False, 0.0),
        (_of_true(lambda p: -np.log(1 - p)), False, 0.0),
        (_of_true(lambda p: np.log(p)), False, math.log(0.2)),
        (_of_true(lambda p: p * (1 - p)), True, 0.0),
        (_of_true(lambda p: np.where(np.abs(p - 0.5) >= 0.5, math.nan, p)), False, 0.2),
    ],
)
def test_values_at_bounds(loss: Loss, finite: bool, lowest: float) -> None:
    found = _facts(loss, (4,))
    assert found.finite_at_bounds is finite
    assert found.lowest == pytest.approx(lowest, abs=1e-6)


@pytest.mark.parametrize(("change", "steady"), [(0.0, True), (2e-5, True), (5e-5, False), (1.0, False)])
def test_a_factor_needs_a_loss_that_does_not_depend_on_the_size_of_the_batch(change: float, steady: bool) -> None:
    """A batch of 4 samples is compared with one of 8: they differ by a share of 4 changes."""
    found = _facts(lambda y, p: (1 + change * (len(y) - 4)) * _log(y, p), (4,))
    assert found.same_as == "categorical_crossentropy"
    assert (found.factor, found.uninformed) == ((pytest.approx(1), pytest.approx(LN4)) if steady else (None, None))


@pytest.mark.parametrize(("bend", "same"), [(2.7e-3, True), (3.0e-3, False), (-2.7e-3, True), (-3.0e-3, False)])
def test_a_multiple_varies_by_less_than_two_thousandths(bend: float, same: bool) -> None:
    """Ratios to the cross-entropy from 1 + 0.2 · bend to 1 + 0.9 · bend, in the middle 1 + 0.5 · bend."""
    found = _facts(_of_true(lambda p: -np.log(p) * (1 + bend * p)), (4,))
    assert found.same_as == ("categorical_crossentropy" if same else "")
    assert found.factor == (pytest.approx(1 + 0.5 * bend, rel=1e-5) if same else None)


@pytest.mark.parametrize(
    ("known", "shape", "same_as"),
    [
        (_square, (3,), "mean_squared_error"),
        (_each(lambda p: np.abs(1 - p), np.abs), (3,), "mean_absolute_error"),
        (_each(lambda p: p - np.log(p), lambda p: p), (3,), "poisson"),
        (lambda y, z: _binary(y, _sigmoid(z)), (3,), "binary_crossentropy"),
        (_each(lambda p: -np.log(p), lambda p: -np.log(1 - p)), (1,), "binary_crossentropy"),
        # The same for some outputs only: below 2, at least 1.5 away, of one sign, summing to 1, alike in all samples.
        (lambda y, p: (np.minimum(np.abs(y - p), 2) ** 2).mean(), (3,), ""),
        (lambda y, p: np.minimum(np.abs(y - p), 2).mean(), (3,), ""),
        (lambda y, z: _log(y, _softmax(np.clip(z, -2.5, 9))), (4,), ""),
        (lambda y, z: _log(y, _softmax(np.clip(z, -9, 2.5))), (4,), ""),
        (lambda y, z: _binary(y, _sigmoid(np.clip(z, -2.5, 9))), (3,), ""),
        (lambda y, p: _log(y, p) + (p.sum(axis=-1) - 1).mean(), (4,), ""),
        (lambda y, p: -np.log((y * p).sum(axis=-1).mean()), (4,), ""),
        (lambda y, z: _log(y, _softmax(z)) ** 2, (4,), ""),
    ],
)
@pytest.mark.parametrize("factor", [1.0, -0.25, 7.0])
def test_multiples_of_known_losses(known: Loss, shape: tuple[int, ...], same_as: str, factor: float) -> None:
    found = _facts(lambda y, p: factor * known(y, p), shape)
    assert found.same_as == same_as
    assert found.factor == (pytest.approx(factor, rel=1e-4) if same_as else None)


@pytest.mark.parametrize(
    ("loss", "shape", "from_logits"),
    [
        # Softmax of outputs that are cut: adding a number to all changes something, above or below.
        (lambda y, z: _focal(y, _softmax(np.maximum(z, 0))), (4,), False),
        (lambda y, z: _focal(y, _softmax(np.minimum(z, 1))), (4,), None),
        (lambda y, z: _focal(y, _softmax(3 * z)), (4,), True),
        # Functions of z: they fall from −5 to 5, and are never negative.
        (_each(lambda z: np.logaddexp(0, -z), lambda z: np.logaddexp(0, z) ** 2), (1,), True),
        (_each(lambda z: np.logaddexp(0, -z) - 0.5, lambda z: np.logaddexp(0, z) - 0.5), (1,), None),
        (_each(lambda z: np.maximum(5 - z, 0), lambda z: np.maximum(5 + z, 0)), (1,), True),
        (_each(lambda z: np.maximum(1 - z, 0), lambda z: np.maximum(1 + z, 0)), (1,), None),
        (_each(lambda z: np.logaddexp(0, -np.maximum(z, -1)), lambda z: np.logaddexp(0, z)), (1,), True),
        (_each(lambda z: np.logaddexp(0, -z), lambda z: np.logaddexp(0, z) ** 2), (3,), True),
        (_each(lambda z: np.logaddexp(0, -z), lambda z: 0 * z), (3,), None),
        # Outputs below 0 are not defined, or count as 0.
        (_each(lambda p: (1 - p) * -np.log(p), lambda p: p * -np.log(1 - p)), (1,), False),
        (_of_true(lambda p: np.log(np.clip(p, 1e-3, 1)) ** 2), (4,), False),
        (_of_true(lambda p: np.exp(-np.maximum(p, -1))), (4,), None),
        (_of_true(lambda p: np.exp(-np.where(p < -1, 0, p))), (4,), None),
    ],
)
def test_whether_it_takes_logits(loss: Loss, shape: tuple[int, ...], from_logits: bool | None) -> None:
    found = _facts(loss, shape)
    assert found.from_logits is from_logits
    assert (found.unknown, found.same_as) == ("", "")


@pytest.mark.parametrize("classes", [2, 3, 8, 9, 12])
def test_the_best_of_equal_shares_and_of_one_certain_class(classes: int) -> None:
    """Up to eight classes, a certain one is tried too; of more, as many samples as classes would be needed."""
    other = 0.1 / (classes - 1)
    certain = 1 - (0.9**2 + (classes - 1) * other**2) / classes
    expected = min(certain, 1 - classes**-2) if classes <= 8 else 1 - classes**-2
    square = _of_true(lambda p: 1 - p**2)
    assert _facts(square, (classes,)).uninformed == pytest.approx(expected, rel=1e-5)
    assert _facts(lambda y, z: square(y, _softmax(z)), (classes,)).uninformed == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("best", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_the_best_constant_of_a_single_output(best: float) -> None:
    """A cross-entropy in which the classes weigh as much as makes this constant the best one."""
    weighted = _each(lambda p: -best * np.log(p), lambda p: -(1 - best) * np.log(1 - p))
    expected = -(best * math.log(best) + (1 - best) * math.log(1 - best)) / 2
    assert _facts(weighted, (1,)).uninformed == pytest.approx(expected, rel=1e-5)
    assert _facts(lambda y, z: weighted(y, _sigmoid(z)), (1,)).uninformed == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("of_error", "least"),
    [
        (np.square, True),
        (np.abs, True),
        (lambda e: 5 + e**2, True),
        (lambda e: -(e**2), False),
        (lambda e: np.maximum(e, 0) + 0.1 * e**2 * (e > 0), False),  # outputs that are too large cost nothing
        (lambda e: np.maximum(-e, 0), False),
        (lambda e: np.maximum(np.abs(e) - 0.4, 0), True),
        (lambda e: np.maximum(np.abs(e) - 0.6, 0), False),
        (lambda e: np.where(np.abs(e) > 1.9, 0, np.abs(e)), False),
        # As good as the target only far above, far below, near above, near below.
        (lambda e: np.where(e < -1.9, 0, np.abs(e)), False),
        (lambda e: np.where(e > 1.9, 0, np.abs(e)), False),
        (lambda e: np.where((e < -0.4) & (e > -0.6), 0, np.abs(e)), False),
        (lambda e: np.where((e > 0.4) & (e < 0.6), 0, np.abs(e)), False),
        (lambda e: np.where(np.abs(e) > 1.9, math.nan, np.abs(e)), None),
        (lambda e: np.where(e == 0, math.nan, np.abs(e)), None),
        (lambda e: 1 + 4.0e-4 * np.minimum(np.abs(e), 0.2), False),  # 0.8e-4 more: no difference
        (lambda e: 1 + 6.0e-4 * np.minimum(np.abs(e), 0.2), True),
        (lambda e: 4e-6 * np.minimum(np.abs(e), 0.2), False),
        (lambda e: 6e-6 * np.minimum(np.abs(e), 0.2), True),
    ],
)
def test_whether_it_is_least_where_outputs_equal_targets(of_error: Callable[[Any], Any], least: bool | None) -> None:
    for classes in (1, 3):
        # Beside that it falls where targets are 0 or 1, so that it is a loss of something.
        found = _facts(
            lambda y, p: np.where(np.isin(y, (0, 1)).all(), np.abs(y - p).mean(), of_error(y - p).mean()), (classes,)
        )
        assert found.least_at_target is least


def test_targets_of_both_signs_are_tried() -> None:
    assert _facts(lambda y, p: ((np.abs(y) - p) ** 2).mean(), (3,)).least_at_target is False
    assert _facts(lambda y, p: ((np.minimum(y, 1) - p) ** 2).mean(), (3,)).least_at_target is False


@pytest.mark.parametrize(
    ("loss", "classes", "exclusive"),
    [
        (_focal, 2, True),
        (_focal, 3, True),
        (_normalized(_focal), 2, True),
        (_normalized(_focal), 5, True),
        (lambda y, z: _focal(y, _softmax(z)), 5, True),
        (_binary_focal, 2, False),
        (_binary_focal, 5, False),
        (lambda y, p: np.sqrt(((y - p) ** 2).mean()), 2, None),
        (lambda y, p: np.sqrt(((y - p) ** 2).mean()), 5, None),
        # How the rest is divided among the others counts only where the true class has little, or much.
        (lambda y, p: np.where((y * p).sum(axis=-1) < 0.4, ((1 - y) * p**2).sum(axis=-1), 0.0).mean(), 5, None),
        (lambda y, p: np.where((y * p).sum(axis=-1) > 0.4, ((1 - y) * p**2).sum(axis=-1), 0.0).mean(), 5, None),
    ],
)
def test_whether_only_the_true_class_counts(loss: Loss, classes: int, exclusive: bool | None) -> None:
    assert _facts(loss, (classes,)).exclusive is exclusive
