"""``output_loss_mismatch`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.history import History
from tb_cnndiag.payloads import Probe
from tests.judging.faults.made import INFO, LAYERS, found, history


def _loss(name: str, **config: Any) -> str:
    return json.dumps({"class_name": name, "config": config})


class TestOutputLossMismatch:
    def _run(self, loss: str, activation: str, units: int, error: float) -> History:
        head = replace(LAYERS[3], activation=activation, units=units)
        classes = Probe("given", 64, (64 // max(units, 2),) * max(units, 2))
        info = replace(INFO, layers=(*LAYERS[:3], head), loss=loss, probe=classes)
        nan = float("nan")
        return history({"model_output.row_sum_error": [[nan, nan, nan, error]] * 2}, info=info)

    @pytest.mark.parametrize(
        ("loss", "activation", "units", "error", "parameter"),
        [
            ('"sparse_categorical_crossentropy"', "linear", 4, 3.0, "from_logits"),
            ('"categorical_crossentropy"', "relu", 4, 2.0, "activation"),
            ('"categorical_crossentropy"', "sigmoid", 4, 0.9, "activation"),
            ('"sparse_categorical_crossentropy"', "sigmoid", 1, 0.5, "units"),
            ('"binary_crossentropy"', "softmax", 1, 0.0, "activation"),
            ('"binary_crossentropy"', "linear", 1, 4.0, "from_logits"),
            (_loss("SparseCategoricalCrossentropy", from_logits=True), "softmax", 4, 0.0, "from_logits"),
            (_loss("BinaryCrossentropy", from_logits=False), "tanh", 1, 1.0, "activation"),
            ('"mse"', "softmax", 1, 0.0, "activation"),
        ],
    )
    def test_mismatches(self, loss: str, activation: str, units: int, error: float, parameter: str) -> None:
        (finding,) = found("output_loss_mismatch", self._run(loss, activation, units, error))
        assert finding.layer == "head"
        assert finding.adjustments[0].parameter == parameter

    def test_one_of_several_outputs_is_constant(self) -> None:
        outputs = (
            replace(LAYERS[3], units=1, path="face"),
            replace(LAYERS[3], units=1, activation="linear", path="age"),
        )
        info = replace(INFO, layers=(*LAYERS[:3], *outputs), loss='["binary_crossentropy", "mse"]')
        (finding,) = found("output_loss_mismatch", history({"weight_health.rms": [[0.1] * 5]}, info=info))
        assert (finding.layer, finding.severity) == ("face", "error")

    @pytest.mark.parametrize(
        ("loss", "activation", "units", "error"),
        [
            ('"sparse_categorical_crossentropy"', "softmax", 4, 0.0),
            (_loss("SparseCategoricalCrossentropy", from_logits=True), "linear", 4, 3.0),
            ('"binary_crossentropy"', "sigmoid", 4, 0.9),  # several labels
            (_loss("BinaryCrossentropy", from_logits=True), "linear", 1, 3.0),
            ('"mse"', "linear", 1, 3.0),
            ('"mse"', "relu", 1, 3.0),
            ("", "softmax", 4, 0.0),  # a custom loss
            ('"sparse_categorical_crossentropy"', "linear", 4, 0.0),  # softmax applied as a function
        ],
    )
    def test_what_fits(self, loss: str, activation: str, units: int, error: float) -> None:
        assert not found("output_loss_mismatch", self._run(loss, activation, units, error))


class TestLabels:
    def test_labels_beyond_the_outputs(self) -> None:
        info = replace(INFO, probe=replace(INFO.probe, class_counts=(10,) * 7))
        (finding,) = found("output_loss_mismatch", history({"weight_health.rms": [[0.1] * 4]}, info=info))
        assert finding.adjustments[0].proposed == "7"

    def test_one_sigmoid_for_several_classes(self) -> None:
        head = replace(LAYERS[3], units=1, activation="sigmoid")
        info = replace(INFO, layers=(*LAYERS[:3], head), loss='"binary_crossentropy"')
        (finding,) = found("output_loss_mismatch", history({"weight_health.rms": [[0.1] * 4]}, info=info))
        assert (finding.adjustments[0].parameter, finding.adjustments[0].proposed) == ("units", "4")
