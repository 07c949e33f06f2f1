"""What the numbers of losses show: losses of NumPy, whose needs are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.numerics.loss_facts import loss_facts
from tb_cnndiag.payloads import LossFacts


def softmax(z: Any) -> Any:
    shifted = np.exp(z - z.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def cross_entropy(y: Any, p: Any) -> Any:
    return -(y * np.log(p + 1e-7)).sum(axis=-1).mean()


def of_logits(y: Any, z: Any) -> Any:
    return cross_entropy(y, softmax(z))


def of_class_numbers(y: Any, z: Any) -> Any:
    labels = y.reshape(y.shape[: z.ndim - 1]).astype(int)
    return -np.log(np.take_along_axis(softmax(z), labels[..., None], axis=-1)).mean()


def binary(y: Any, p: Any) -> Any:
    y = y.reshape(p.shape)
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def binary_of_logits(y: Any, z: Any) -> Any:
    return binary(y, sigmoid(np.asarray(z, np.float64)))


def squared(y: Any, p: Any) -> Any:
    return ((y.reshape(p.shape) - p) ** 2).mean()


def focal(y: Any, p: Any) -> Any:
    p = np.clip(p, 1e-7, 1)
    return -(y * (1 - p) ** 2 * np.log(p)).sum(axis=-1).mean()


def binary_focal_of_logits(y: Any, z: Any) -> Any:
    p = sigmoid(z.astype(np.float64))
    return -(0.25 * y * (1 - p) ** 2 * np.log(p) + 0.75 * (1 - y) * p**2 * np.log(1 - p)).mean()


def dice(y: Any, p: Any) -> Any:
    return 1 - 2 * (y * p).sum() / (y.sum() + p.sum())


def contrastive(y: Any, d: Any) -> Any:
    y = y.reshape(d.shape)
    return (y * d**2 + (1 - y) * np.maximum(1 - d, 0) ** 2).mean()


def smoothed(y: Any, p: Any) -> Any:
    return cross_entropy(0.9 * y + 0.1 / y.shape[-1], p / p.sum(axis=-1, keepdims=True))


def weighted(y: Any, p: Any) -> Any:
    return -(np.arange(1, y.shape[-1] + 1) * y * np.log(np.clip(p, 1e-7, 1))).sum(axis=-1).mean()


def huber(y: Any, p: Any) -> Any:
    error = np.abs(y.reshape(p.shape) - p)
    return np.where(error < 1, error**2 / 2, error - 0.5).mean()


def facts(loss: Callable[[Any, Any], Any], *shapes: tuple[int, ...]) -> LossFacts:
    def quiet(y: Any, p: Any) -> float:
        with np.errstate(all="ignore"):
            return float(loss(y, p))

    return loss_facts(quiet, shapes[0], shapes[-1])


@pytest.mark.parametrize(
    ("loss", "shape", "target", "same_as", "from_logits"),
    [
        (cross_entropy, (4,), (4,), "categorical_crossentropy", False),
        (cross_entropy, (2,), (2,), "categorical_crossentropy", False),
        (cross_entropy, (1000,), (1000,), "categorical_crossentropy", False),
        (cross_entropy, (8, 8, 3), (8, 8, 3), "categorical_crossentropy", False),
        (of_logits, (4,), (4,), "categorical_crossentropy", True),
        (of_class_numbers, (4,), (), "sparse_categorical_crossentropy", True),
        (of_class_numbers, (4,), (1,), "sparse_categorical_crossentropy", True),
        (of_class_numbers, (6, 6, 3), (6, 6), "sparse_categorical_crossentropy", True),
        (of_class_numbers, (6, 6, 3), (6, 6, 1), "sparse_categorical_crossentropy", True),
        (binary, (1,), (), "binary_crossentropy", False),
        (binary, (), (), "binary_crossentropy", False),
        (binary, (3,), (3,), "binary_crossentropy", False),
        (binary_of_logits, (1,), (1,), "binary_crossentropy", True),
        (binary_of_logits, (5,), (5,), "binary_crossentropy", True),
        (squared, (1,), (), "mean_squared_error", False),
        (squared, (4,), (4,), "mean_squared_error", False),
        (lambda y, p: np.abs(y - p).mean(), (4,), (4,), "mean_absolute_error", False),
        (lambda y, p: (p - y * np.log(p)).mean(), (1,), (1,), "poisson", False),
        (focal, (4,), (4,), "", False),
        (binary_focal_of_logits, (1,), (1,), "", True),
        (binary_focal_of_logits, (3,), (3,), "", True),
        (weighted, (4,), (4,), "", False),
        (smoothed, (4,), (4,), "", False),
        (lambda y, z: smoothed(y, softmax(z)), (4,), (4,), "", True),
        (dice, (4,), (4,), "", None),
        (dice, (8, 8, 1), (8, 8, 1), "", None),
        (contrastive, (1,), (), "", None),
        (huber, (2,), (2,), "", None),
    ],
)
def test_what_a_loss_takes(
    loss: Any, shape: tuple[int, ...], target: tuple[int, ...], same_as: str, from_logits: bool | None
) -> None:
    found = facts(loss, shape, target)
    assert (found.same_as, found.from_logits, found.unknown) == (same_as, from_logits, "")
    assert found.factor == (pytest.approx(1, abs=1e-3) if same_as else None)
    assert found.sparse == (loss is of_class_numbers)


@pytest.mark.parametrize(
    ("loss", "units", "exclusive", "least"),
    [
        (cross_entropy, 4, True, None),
        (of_logits, 2, True, False),
        (focal, 4, True, False),
        (weighted, 3, True, False),
        (binary, 3, False, False),
        (binary_of_logits, 4, False, False),
        (binary, 1, False, False),
        (squared, 3, False, True),
        (huber, 3, False, True),
        (lambda y, p: np.sqrt(((y - p) ** 2).mean()), 3, None, True),
        (smoothed, 4, None, False),
        (contrastive, 1, False, False),
    ],
)
def test_whether_classes_exclude_each_other_or_targets_are_numbers(
    loss: Any, units: int, exclusive: bool | None, least: bool | None
) -> None:
    found = facts(loss, (units,))
    assert (found.exclusive, found.least_at_target) == (exclusive, least)


def test_a_wrong_sign() -> None:
    assert facts(lambda y, p: -cross_entropy(y, p), (4,)).factor == pytest.approx(-1, abs=1e-3)
    assert facts(lambda y, p: -cross_entropy(y, p), (4,)).falls is False
    assert facts(lambda y, p: -squared(y, p), (1,)).factor == pytest.approx(-1)
    assert facts(lambda y, p: -focal(y, p), (4,)).falls is False
    assert facts(focal, (4,)).falls is True
    assert facts(dice, (4,)).falls is True


def test_a_loss_that_is_infinite_where_predictions_are_wrong_falls() -> None:
    assert facts(lambda y, p: -np.log(np.maximum((y * p).sum(axis=-1) - 0.05, 0)).mean(), (10,)).falls is True


def test_a_loss_to_which_the_true_class_does_not_matter_neither_falls_nor_rises() -> None:
    """A squared error of class numbers: each output is compared with the same number."""
    assert facts(lambda y, p: ((y[:, None] - p) ** 2).mean(), (4,), ()).falls is None


@pytest.mark.parametrize("classes", [2, 3, 4, 8, 20])
def test_the_loss_of_a_prediction_that_is_the_same_for_all_samples(classes: int) -> None:
    assert facts(cross_entropy, (classes,)).uninformed == pytest.approx(math.log(classes), rel=1e-4)
    assert facts(of_class_numbers, (classes,), ()).uninformed == pytest.approx(math.log(classes), rel=1e-4)
    expected = (1 - 1 / classes) ** 2 * math.log(classes)
    assert facts(focal, (classes,)).uninformed == pytest.approx(expected, rel=1e-4)


def test_a_sum_over_the_batch_has_no_factor() -> None:
    found = facts(lambda y, p: 5 * len(y) * cross_entropy(y, p), (4,))
    assert (found.same_as, found.factor, found.uninformed) == ("categorical_crossentropy", None, None)
    assert facts(lambda y, p: 5 * cross_entropy(y, p), (4,)).factor == pytest.approx(5, rel=1e-3)


def test_bounds() -> None:
    assert facts(lambda y, p: -np.log((y * p).sum(axis=-1)).mean(), (4,)).finite_at_bounds is False
    assert facts(cross_entropy, (4,)).finite_at_bounds is True
    assert facts(lambda y, p: 3 - (y * p).sum(axis=-1).mean(), (4,)).lowest == pytest.approx(2)


def test_why_nothing_is_known() -> None:
    assert "shape" in facts(squared, (4,), (7,)).unknown
    assert "finite" in facts(lambda y, p: (y * np.log(y / p)).sum(), (4,)).unknown
    assert "depend" in facts(lambda y, p: y.sum(), (4,)).unknown
    assert facts(lambda y, p: math.nan, (4,)).unknown
