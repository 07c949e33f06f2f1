"""Targets, losses and outputs that do not fit, on handmade histories."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import Targets
from tests.judging.faults.made import INFO, LAYERS, history

TURNS = Targets(low=2.0, high=10.0, variance=4.0, deviation=1.7)
SEVERAL_LABELS = Targets((4,), 0.0, 1.0, whole=True)
ONE_HOT = replace(SEVERAL_LABELS, distribution=True)


def _found(loss: Any, activation: str, units: int, targets: Targets, classes: int = 0) -> list[Finding]:
    head = replace(LAYERS[3], units=units, activation=activation, output_shape=(units,))
    probe = replace(INFO.probe, targets=targets, class_counts=(16,) * classes)
    info = replace(INFO, layers=(*LAYERS[:3], head), loss=json.dumps(loss), probe=probe)
    run = history({"model_output.row_sum_error": [[0, 0, 0, 0.0]]}, info=info)
    return [finding for finding in judge(run) if finding.fault == "output_loss_mismatch"]


@pytest.mark.parametrize(
    ("loss", "activation", "units", "targets", "severity", "parameter", "proposed"),
    [
        ("mse", "sigmoid", 1, TURNS, "error", "activation", "linear"),
        ("mae", "relu", 1, replace(TURNS, low=-8.0), "error", "activation", "linear"),
        ("mse", "tanh", 1, Targets(low=-1.2, high=1.0), "warning", "activation", "linear"),
        (
            "sparse_categorical_crossentropy",
            "softmax",
            4,
            Targets(low=-1.0, high=3.0, whole=True),
            "error",
            "labels",
            "",
        ),
        ("sparse_categorical_crossentropy", "softmax", 4, Targets(low=0.0, high=3.0), "error", "labels", ""),
        ("binary_crossentropy", "sigmoid", 1, Targets(low=-1.0, high=1.0, whole=True), "error", "labels", "0 or 1"),
        ("categorical_crossentropy", "softmax", 4, SEVERAL_LABELS, "error", "loss", "binary_crossentropy"),
        ("mse", "linear", 4, TURNS, "error", "units", "1"),
        ("mse", "softmax", 2, Targets((2,), 0.1, 0.9), "error", "activation", "sigmoid"),
        ("mae", "softmax", 2, Targets((2,), -3.0, 40.0), "error", "activation", "linear"),
    ],
)
def test_targets_that_do_not_fit(
    loss: str, activation: str, units: int, targets: Targets, severity: str, parameter: str, proposed: str
) -> None:
    (finding,) = _found(loss, activation, units, targets)
    assert (finding.layer, finding.severity, finding.adjustments[0].parameter) == ("head", severity, parameter)
    assert finding.adjustments[0].proposed == proposed or not proposed


def test_class_indices_under_a_squared_error_need_another_loss() -> None:
    (finding,) = _found("mse", "softmax", 4, Targets(high=3.0, whole=True), classes=4)
    assert (finding.adjustments[0].parameter, finding.adjustments[0].proposed) == (
        "loss",
        "sparse_categorical_crossentropy",
    )


@pytest.mark.parametrize(
    ("loss", "activation", "units", "targets"),
    [
        ("mse", "linear", 1, TURNS),
        ("mse", "relu", 1, TURNS),  # never below 0
        ("mse", "sigmoid", 1, Targets(low=0.0, high=1.0)),
        ("mse", "sigmoid", 1, Targets(low=-0.02, high=1.0)),  # noise about the bound
        ("mse", "tanh", 3, Targets((3,), -1.0, 1.0)),
        ("categorical_crossentropy", "softmax", 4, ONE_HOT),
        ("binary_crossentropy", "sigmoid", 4, SEVERAL_LABELS),
        ("sparse_categorical_crossentropy", "softmax", 4, Targets(low=0.0, high=3.0, whole=True)),
        ("kl_divergence", "softmax", 4, replace(ONE_HOT, whole=False)),
    ],
)
def test_targets_that_fit(loss: str, activation: str, units: int, targets: Targets) -> None:
    assert not _found(loss, activation, units, targets)


def test_softmax_over_another_axis() -> None:
    run = history({"model_output.row_sum_error": [[0, 0, 0, 0.6]]})
    (finding,) = [finding for finding in judge(run) if finding.fault == "output_loss_mismatch"]
    assert (finding.severity, finding.adjustments[0].parameter) == ("error", "axis")


def test_labels_that_the_loss_ignores() -> None:
    for ignored, expected in ((None, True), (-1, False)):
        loss = {
            "class_name": "SparseCategoricalCrossentropy",
            "config": {"from_logits": False, "ignore_class": ignored},
        }
        assert bool(_found(loss, "softmax", 4, Targets(low=-1.0, high=3.0, whole=True))) == expected


def test_outputs_that_are_no_distribution_under_a_divergence() -> None:
    head = replace(LAYERS[3], activation="sigmoid")
    info = replace(INFO, layers=(*LAYERS[:3], head), loss='"kl_divergence"')
    run = history({"model_output.row_sum_error": [[0, 0, 0, 1.1]]}, info=info)
    (finding,) = [finding for finding in judge(run) if finding.fault == "output_loss_mismatch"]
    assert finding.adjustments[0].proposed == "softmax"


@pytest.mark.parametrize(
    ("loss", "share", "name", "expected"),
    [
        ([-2.1, -6.5, -11.9], 1.0, "my_cross_entropy", True),
        ([-2.1, -6.5, -11.9], 0.4, "my_cross_entropy", False),  # it distinguishes classes: the loss may be negative
        ([2.1, 1.5, 0.9], 1.0, "my_cross_entropy", False),
        ([-0.1, -0.5, -0.9], 1.0, "mse", False),
    ],
)
def test_a_loss_that_rewards_wrong_answers(loss: list[float], share: float, name: str, expected: bool) -> None:
    nan = float("nan")
    rows = {
        f"model_output.{name}": [[nan, nan, nan, value]] * 3
        for name, value in (("top_class_share", share), ("spread", 0.1))
    }
    run = history(rows, info=replace(INFO, loss=json.dumps(name)), scalars={"loss": loss})
    changes = [f.adjustments[0].parameter for f in judge(run) if f.fault == "output_loss_mismatch"]
    assert changes == (["loss"] if expected else [])
