"""What is proposed for a training and its output depends on what the model has already, and on when a fault began."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.history import History
from tb_cnndiag.payloads import LayerInfo, Probe, Targets
from tests.judging.boundaries.boundary import layer, with_layers
from tests.judging.boundaries.of_training import course
from tests.judging.faults.changes import Changes, changes
from tests.judging.faults.made import INFO, LAYERS, found, history


class TestLearningRateTooHigh:
    @pytest.mark.parametrize(
        ("name", "growth", "rate"), [("SGD", 5.0, 0.001), ("Adam", 1.0, 0.001), ("Adam", 5.0, 0.0002), ("", 5.0, 0.001)]
    )
    def test_updates_of_weights_that_have_grown_were_larger(self, name: str, growth: float, rate: float) -> None:
        """0.003 / 0.3 = 0.01; an optimizer that scales updates changes large weights by a smaller share."""
        used = json.dumps({"class_name": name, "config": {"learning_rate": 0.1}})
        sizes = [[0.1] * 4, *[[0.1 * growth] * 4] * 4]
        run = course([1.0] * 5, 0.3, info=replace(INFO, optimizer=used), weight_health__rms=sizes)
        (change, _) = changes("learning_rate_too_high", run)
        assert change == (None, "learning_rate", "0.1", f"{rate:g}")

    @pytest.mark.parametrize(
        ("update", "growth", "said"),
        [
            (0.3, 1.0, "Updates change the weights by up to 30 % of their size"),
            (0.3, 5.0, "Updates change the weights by up to 30 % of their size"),
            (1e-3, 5.0, "Updates have made the weights 5 × as large as the initial ones"),
        ],
    )
    def test_the_size_of_updates_is_said_or_else_what_they_have_done(
        self, update: float, growth: float, said: str
    ) -> None:
        sizes = [[0.1] * 4, *[[0.1 * growth] * 4] * 4]
        (finding,) = found("learning_rate_too_high", course([1.0] * 5, update, weight_health__rms=sizes))
        assert finding.message == f"{said}, and the loss does not fall."

    def test_an_unknown_rate_is_lowered_by_a_factor_and_gradients_are_clipped_once(self) -> None:
        clipped = json.dumps({"class_name": "SGD", "config": {"clipnorm": 1.0}})
        (change,) = changes("learning_rate_too_high", course([1.0] * 5, 0.3, info=replace(INFO, optimizer=clipped)))
        assert change == (None, "learning_rate", "unknown", "0.01 × as high")

    def test_a_linear_model_at_its_optimum_is_on_a_plateau(self) -> None:
        """If updates were too large, its loss would oscillate: with one layer, a plateau is no fault."""
        one = replace(INFO, layers=(replace(LAYERS[3], inputs=()),))
        assert not found("learning_rate_too_high", course([1.0] * 8, 0.3, info=one))
        assert not found("learning_rate_too_high", course([0.8] * 8, 0.3, info=one))
        assert found("learning_rate_too_high", course([1.0, 1.3, 1.1, 1.5, 1.2, 1.6, 1.3, 1.4], 0.3, info=one))

    @pytest.mark.parametrize(("share", "said"), [(0.95, True), (0.85, False)])
    def test_units_that_died_are_named(self, share: float, said: bool) -> None:
        dead = [layer(1, 0.0)] + [layer(1, share)] * 4
        (finding,) = found("learning_rate_too_high", course([1.0] * 5, 0.3, dead_units__dead_ratio=dead))
        sentence = "Updates change the weights by up to 30 % of their size, and the loss does not fall."
        died = f"{sentence} As a result, 95 % of the units of conv2 died."
        assert finding.message == (died if said else sentence)


def test_the_layer_behind_which_the_gradient_vanishes() -> None:
    for gradients, behind in (([1e-7, 1e-6, 1e-1, 1.0], "fc"), ([1e-7, 1e-1, 0.5, 1.0], "conv2")):
        rows = {"gradient_flow.relative_gradient": [gradients] * 3, "update_ratio.update_ratio": [[1e-8] * 4] * 3}
        (finding,) = found("vanishing_gradient", history(rows))
        assert finding.message.endswith(f"it vanishes on the way back from {behind}.")


def test_what_is_proposed_for_a_gradient_that_vanishes() -> None:
    info = with_layers({0: {"activation": "sigmoid", "initializer": "he_uniform"}, 1: {"normalization": "bn"}})
    rows = {"gradient_flow.relative_gradient": [[1e-7, 1e-6, 1e-1, 1.0]] * 3}
    assert changes("vanishing_gradient", history(rows, info=info)) == [
        ("conv1", "activation", "sigmoid", "elu"),
        ("conv2", "kernel_initializer", "unknown", "he_normal"),
        ("fc", "kernel_initializer", "unknown", "he_normal"),
        ("conv1", "normalization", "none", "BatchNormalization(momentum=0.9)"),
        ("fc", "normalization", "none", "BatchNormalization(momentum=0.9)"),
    ]


class TestUnderfitting:
    def _run(self, *layers: LayerInfo, **of_run: Any) -> History:
        return course([0.8] * 9, info=replace(INFO, layers=layers, **of_run))

    @pytest.mark.parametrize(
        ("narrow", "expected"),
        [
            (replace(LAYERS[1], units=6), [("conv2", "filters", "6", "24")]),
            (replace(LAYERS[1], units=3), [("conv2", "filters", "3", "16")]),
            (replace(LAYERS[1], units=6, role="dense"), [("conv2", "units", "6", "24")]),
            (replace(LAYERS[1], units=6, role="transposed_conv"), [("conv2", "filters", "6", "24")]),
            (replace(LAYERS[1], units=6, role="depthwise_conv"), []),
        ],
    )
    def test_the_narrowest_layer_is_widened(self, narrow: LayerInfo, expected: Changes) -> None:
        assert changes("underfitting", self._run(LAYERS[0], narrow, *LAYERS[2:])) == expected

    def test_a_single_layer_is_linear(self) -> None:
        """However wide it is; the prior loss of 64 classes is three times that of four."""
        one = replace(INFO, layers=(replace(LAYERS[3], inputs=(), units=64),), probe=Probe("given", 256, (4,) * 64))
        (finding,) = found("underfitting", course([3 * 0.8] * 9, info=one))
        assert finding.severity == "warning"
        assert finding.message == (
            "The training loss is on a plateau at 80 % of the prior loss. The only layer is head: the decision "
            "boundary is linear."
        )
        assert finding.adjustments[0].parameter == "layers"

    @pytest.mark.parametrize("loss", [0.8, 1.0])
    def test_weight_decay_belongs_to_no_layer(self, loss: float) -> None:
        decay = json.dumps({"class_name": "AdamW", "config": {"learning_rate": 1e-4, "weight_decay": 2.0}})
        (finding,) = found("underfitting", course([loss] * 9, info=replace(INFO, optimizer=decay)))
        said = {
            0.8: "The training loss is on a plateau at 80 % of the prior loss. The regularization is too strong: "
            "weight_decay (2).",
            1.0: "The regularization is too strong: weight_decay is 2, and the training loss stays at 100 % of the "
            "prior loss.",
        }
        assert (finding.message, finding.layer, finding.severity) == (said[loss], "conv1", "warning")
        assert [a.parameter for a in finding.adjustments] == ["weight_decay"]


class TestOutput:
    def _changes(self, loss: Any, activation: str, units: int, targets: Targets | None, *counts: int) -> Changes:
        head = {"activation": activation, "units": units, "output_shape": (units,)}
        info = with_layers({3: head}, loss=json.dumps(loss), probe=Probe("given", 64, counts, targets))
        return changes("output_loss_mismatch", history({"model_output.row_sum_error": [[0.0] * 4]}, info=info))

    def test_several_classes_instead_of_one_probability(self) -> None:
        assert self._changes("binary_crossentropy", "sigmoid", 1, None, 9, 9, 9) == [
            ("head", "units", "1", "3"),
            ("head", "activation", "sigmoid", "softmax"),
            (None, "loss", "binary_crossentropy", "sparse_categorical_crossentropy"),
        ]

    def test_one_output_for_several_classes(self) -> None:
        assert self._changes("categorical_crossentropy", "sigmoid", 1, None) == [
            ("head", "units", "1", "number of classes"),
            ("head", "activation", "sigmoid", "softmax"),
        ]
        assert self._changes("categorical_crossentropy", "softmax", 4, None, *[1] * 6) == [("head", "units", "4", "6")]

    def test_several_labels_and_exclusive_ones(self) -> None:
        several = Targets((4,), 0.0, 1.0, whole=True)
        assert self._changes("categorical_crossentropy", "softmax", 4, several) == [
            (None, "loss", "categorical_crossentropy", "binary_crossentropy"),
            ("head", "activation", "softmax", "sigmoid"),
        ]
        exclusive = replace(several, distribution=True)
        assert self._changes("mse", "sigmoid", 4, exclusive) == [
            (None, "loss", "mse", "categorical_crossentropy"),
            ("head", "activation", "sigmoid", "softmax"),
        ]
        assert self._changes("mse", "softmax", 4, exclusive) == [(None, "loss", "mse", "categorical_crossentropy")]

    def test_one_output_for_one_number(self) -> None:
        assert self._changes("mse", "linear", 4, Targets((), 2.0, 9.0)) == [("head", "units", "4", "1")]

    def test_changes_are_types_that_can_be_carried_out(self) -> None:
        info = with_layers({3: {"activation": "linear"}})
        run = history({"model_output.row_sum_error": [layer(3, 3.0)]}, info=info)
        (change,) = found("output_loss_mismatch", run)[0].adjustments
        assert change.change is not None
        assert (change.change.parameter, change.change.proposed) == ("from_logits", "True")

    def test_one_of_several_outputs_is_always_one(self) -> None:
        outputs = (replace(LAYERS[3], units=1, path="face"), replace(LAYERS[3], path="age"))
        info = replace(INFO, layers=(*LAYERS[:3], *outputs))
        run = history({"weight_health.rms": [[0.1] * 5]}, info=info)
        (finding,) = found("output_loss_mismatch", run)
        assert finding.message == "The softmax of the single output of face is always 1."
        assert finding.evidence["units"].value == 1
        assert changes("output_loss_mismatch", run) == [("face", "activation", "softmax", "sigmoid")]


@pytest.mark.parametrize(
    ("optimizer", "rate", "highest"), [("SGD", 0.5, "5"), ("Nadam", 1e-6, "0.01"), ("Ftrl", 1e-6, "0.1")]
)
def test_a_rate_is_raised_within_the_usual_range_or_tenfold(optimizer: str, rate: float, highest: str) -> None:
    used = json.dumps({"class_name": optimizer, "config": {"learning_rate": rate}})
    gradient = {"gradient_flow__relative_gradient": [[0.1] * 4] * 6}
    run = course([0.9] * 6, 1e-9, info=replace(INFO, optimizer=used), **gradient)
    assert changes("learning_rate_too_low", run) == [(None, "learning_rate", f"{rate:g}", highest)]
    unknown = course([0.9] * 6, 1e-4, info=replace(INFO, optimizer=""), **gradient)
    assert changes("learning_rate_too_low", unknown) == [(None, "learning_rate", "unknown", "100 × as high")]
