"""What decides each check of an output layer, on its own: boundaries and the words that name what was measured."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.faults.output_loss_mismatch import OutputLossMismatch
from tb_cnndiag.judging.fitting import Mismatch, mismatch
from tb_cnndiag.judging.signals.loss_function import LossFunction, loss_of
from tb_cnndiag.judging.signals.targets import Head
from tb_cnndiag.payloads import LossFacts, Targets
from tests.judging.faults.made import LAYERS

LIMITS = {name: limit.value for name, limit in OutputLossMismatch.limits.items()}
ONE_HOT = Targets((4,), 0.0, 1.0, whole=True, variance=0.19, distribution=True)


def checked(
    loss: str | LossFunction, activation: str, units: int = 4, targets: Targets | None = None, **known: Any
) -> Mismatch | None:
    layer = replace(LAYERS[3], activation=activation, units=units, output_shape=(units,))
    numbers = {"row_sum_error": 0.0, "last_loss": 0.5, "first_loss": 1.0, "top_share": 0.3, "relative_loss": 0.4}
    head = Head(
        layer,
        3,
        loss_of(loss) if isinstance(loss, str) else loss,
        targets,
        known.pop("counts", ()),
        **numbers | {"loss_to_spread": math.nan} | known,
    )
    return mismatch(head, LIMITS)


def message(*given: Any, **known: Any) -> str:
    found = checked(*given, **known)
    return found.message if found else ""


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_one_probability_distinguishes_two_classes(classes: int) -> None:
    found = message("binary_crossentropy", "sigmoid", 1, counts=(8,) * classes)
    assert found == (f"The single output of head cannot distinguish {classes} classes." if classes > 2 else "")


def test_a_squared_error_of_classes_needs_a_target_for_each_output() -> None:
    assert "little gradient" in message("mse", "softmax", 4, ONE_HOT)
    assert not message("mse", "softmax", 4, replace(ONE_HOT, distribution=False, whole=False, high=0.9, shape=(9,)))
    assert not message("mse", "sigmoid", 4, replace(ONE_HOT, shape=(9,)))
    assert not message("mse", "sigmoid", 4, replace(ONE_HOT, whole=False))
    assert not message("mse", "sigmoid", 4, replace(ONE_HOT, distribution=False))


def test_the_severity_of_a_squared_error_of_classes_depends_on_what_was_learned() -> None:
    for relative, severity in ((0.94, "info"), (0.95, "warning")):
        found = checked("mse", "softmax", 4, ONE_HOT, relative_loss=relative)
        assert found is not None
        assert found.severity == severity


def test_a_softmax_over_another_axis() -> None:
    expected = "The softmax of head runs over an axis other than the classes: the outputs of a sample do not sum to 1."
    assert message("categorical_crossentropy", "softmax", row_sum_error=0.02) == expected
    assert not message("categorical_crossentropy", "softmax", row_sum_error=0.01)
    assert not message("categorical_crossentropy", "softmax", row_sum_error=math.nan)


OWN = LossFunction("custom", "mine", "categorical", from_logits=True, facts=LossFacts(from_logits=True, falls=True))


@pytest.mark.parametrize(
    ("loss", "activation", "parameter", "proposed", "reason"),
    [
        (OWN, "softmax", "activation", "linear", "the loss applies softmax itself"),
        (OWN, "linear", "softmax", "once", "the loss applies softmax itself"),  # a function of probabilities behind it
        (replace(OWN, family="binary"), "sigmoid", "activation", "linear", "the loss applies sigmoid itself"),
        (OWN, "sigmoid", "activation", "linear", "the loss applies softmax itself"),
    ],
)
def test_what_to_change_for_a_loss_of_logits_that_is_not_one_of_keras(
    loss: LossFunction, activation: str, parameter: str, proposed: str, reason: str
) -> None:
    error = 0.9 if activation == "sigmoid" else 0.0
    found = checked(loss, activation, row_sum_error=error)
    assert found is not None
    assert (found.severity, found.parameter, found.proposed, found.reason) == ("warning", parameter, proposed, reason)


def test_what_to_change_for_a_loss_of_probabilities_that_is_not_one_of_keras() -> None:
    for family, fitting in (("categorical", "softmax"), ("binary", "sigmoid")):
        loss = LossFunction("custom", "mine", family, facts=LossFacts(from_logits=False, falls=True))  # type: ignore[arg-type]
        found = checked(loss, "linear", row_sum_error=3.0)
        assert found is not None
        assert (found.severity, found.parameter, found.proposed) == ("error", "activation", fitting)


def test_a_sign_is_wrong_by_its_factor_or_because_the_loss_of_a_softmax_rises() -> None:
    def facts(**known: Any) -> LossFunction:
        return LossFunction("custom", "mine", "other", facts=LossFacts(**known))

    assert "rewards" in message(facts(factor=-1.0), "linear", 1)
    assert "rewards" in message(facts(falls=False), "softmax")
    for fitting in (facts(factor=1.0), facts(falls=None), facts(falls=True), LossFunction("mine", "mine")):
        assert not message(fitting, "softmax")
    assert not message(facts(falls=False), "linear")
    assert "is always 1" in message(facts(falls=False), "softmax", 1)


@pytest.mark.parametrize(("dropout", "loss", "found"), [(0.3, "mse", True), (0.0, "mse", False), (0.3, "mine", False)])
def test_dropout_behind_the_output(dropout: float, loss: str, found: bool) -> None:
    layer = replace(LAYERS[3], activation="linear", units=1, output_shape=(1,), dropout=dropout, dropout_at="drop")
    numbers = {"row_sum_error": 0.5, "last_loss": 0.5, "first_loss": 1.0, "top_share": 0.3, "relative_loss": 0.4}
    head = Head(layer, 3, loss_of(loss), Targets((), 2.0, 10.0, variance=4.0), (), **numbers, loss_to_spread=math.nan)
    why = "The dropout drop sets outputs of head to 0: training compares them with targets."
    expected = ("warning", why, "dropout", "0.3", "before the output layer", "outputs stay whole")
    assert mismatch(head, LIMITS) == (expected if found else None)


@pytest.mark.parametrize(
    ("facts", "proposed"),
    [
        (LossFacts(factor=-2.0, same_as="mean_squared_error"), "mean_squared_error"),
        (LossFacts(factor=-1.0, sparse=True), "sparse_categorical_crossentropy"),
        (LossFacts(factor=-1.0), "categorical_crossentropy"),
    ],
)
def test_the_loss_that_has_the_right_sign(facts: LossFacts, proposed: str) -> None:
    found = checked(LossFunction("custom", "mine", "other", facts=facts), "softmax")
    why = "The loss mine is larger where head is closer to the targets: it rewards wrong predictions."
    assert found == ("error", why, "loss", "mine", proposed, "is minimal for correct predictions")


@pytest.mark.parametrize(
    ("low", "high", "outside"),
    [(0.0, 1.0, 0.0), (-1.0, 1.0, 0.5), (0.0, 4.0, 0.75), (-1.0, 3.0, 0.5), (2.0, 2.0, 1e12)],
)
def test_the_share_of_targets_outside_the_range_of_a_sigmoid(low: float, high: float, outside: float) -> None:
    layer = replace(LAYERS[3], activation="sigmoid", units=1)
    numbers = dict.fromkeys(
        ("row_sum_error", "last_loss", "first_loss", "top_share", "relative_loss", "loss_to_spread"), 0.0
    )
    head = Head(layer, 3, loss_of("mse"), Targets((), low, high), (3, 0, 2), **numbers)
    assert head.outside == pytest.approx(outside)
    assert (head.low, head.high, head.classes) == (0, 1, 2)
    assert replace(head, targets=None).outside == 0
