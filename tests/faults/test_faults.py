"""Each fault on histories made by hand: one that shows it, and the false alarms it must not raise."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tb_cnndiag.faults
from tb_cnndiag.faults import BUILTIN, Fault
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judge import judge
from tb_cnndiag.payloads import Dendrogram, LayerColumns, LayerInfo, Probe, RunInfo, Scalars, UnitStates
from tb_cnndiag.summaries.codec import Measurement

LAYERS = (
    LayerInfo("conv1", "Conv2D", "conv", 8, 27, activation="relu", seen_at="conv1", output_shape=(8, 8, 8)),
    LayerInfo(
        "conv2", "Conv2D", "conv", 8, 72, activation="relu", seen_at="conv2", inputs=(0,), output_shape=(6, 6, 8)
    ),
    LayerInfo("fc", "Dense", "dense", 16, 288, activation="relu", seen_at="fc", inputs=(1,), output_shape=(16,)),
    LayerInfo("head", "Dense", "dense", 4, 16, activation="softmax", seen_at="head", inputs=(2,), output=True),
)
SGD = json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.1}})
INFO = RunInfo(
    "t", LAYERS, "cnn", optimizer=SGD, loss='"sparse_categorical_crossentropy"', probe=Probe("given", 64, (16,) * 4)
)


def history(
    columns: Mapping[str, Sequence[Sequence[float]]],
    *,
    info: RunInfo = INFO,
    scalars: Mapping[str, Sequence[float]] | None = None,
    payloads: Sequence[tuple[str, str, Any]] = (),
) -> History:
    """Looks at steps 0, 10, …; ``columns`` maps ``diagnostic.column`` to one row of layers per look."""
    looks = max([len(rows) for rows in columns.values()] + [len(v) for v in (scalars or {}).values()])
    found = [Measurement("run_info", 0, 0, info, table="t")]
    for look in range(looks):
        by_diagnostic: dict[str, dict[str, Any]] = {}
        for name, rows in columns.items():
            diagnostic, column = name.split(".")
            by_diagnostic.setdefault(diagnostic, {})[column] = np.asarray(rows[look], np.float32)
        found += [
            Measurement(diagnostic, 10 * look, look, LayerColumns(values), table="t")
            for diagnostic, values in by_diagnostic.items()
        ]
        if scalars:
            numbers = Scalars({name: values[look] for name, values in scalars.items()})
            found.append(Measurement("training_curve", 10 * look, look, numbers, table="t"))
        found += [Measurement(d, 10 * look, look, payload, layer=layer, table="t") for d, layer, payload in payloads]
    merged = History()
    for measurement in found:
        merged.add(measurement)
    return merged


def _found(fault: str, told: History) -> list[Finding]:
    return [finding for finding in judge(told) if finding.fault == fault]


def test_every_fault_file_is_registered_and_has_its_words() -> None:
    kinds = set()
    for module in pkgutil.iter_modules(tb_cnndiag.faults.__path__):
        for value in vars(importlib.import_module(f"tb_cnndiag.faults.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Fault) and value is not Fault:
                kinds.add(value)
                assert value.id == module.name
    assert kinds == set(BUILTIN)
    for kind in BUILTIN:
        assert all(getattr(kind, words) for words in ("title", "what", "why", "advice", "source", "diagnostic"))
        assert set(kind.follows) <= {k.id for k in BUILTIN}


ALIVE = [0.1, 0.2, 0.3, 0.0]


class TestDeadUnits:
    def test_a_layer_that_dies(self) -> None:
        states = ("dead_units", "conv2", UnitStates(np.full(8, 3, np.uint8), 64, 2304))
        told = history({"dead_units.dead_ratio": [ALIVE, [0, 1, 0, 0], [0, 1, 0, 0]]}, payloads=[states])
        (finding,) = _found("dead_units", told)
        assert (finding.layer, finding.severity, finding.first_step) == ("conv2", "error", 10)
        assert finding.units == tuple(range(8))
        assert finding.adjustments[0].parameter == "learning_rate"
        assert (finding.adjustments[0].current, finding.adjustments[0].proposed) == ("0.1", "0.01")
        assert finding.evidence["firing_rate_bound"].value == pytest.approx(3 / 64)

    def test_training_is_told_beside_the_probe_where_it_agrees(self) -> None:
        for silent, words in ((8, "on 1,024 probe samples nor in 128 training batches,"), (7, "on 1,024 samples,")):
            states = UnitStates(np.full(8, 3, np.uint8), 1024, 2304, np.arange(8) < silent, 128, 4090)
            ratios = {"dead_units.dead_ratio": [ALIVE, [0, 1, 0, 0], [0, 1, 0, 0]]}
            (finding,) = _found("dead_units", history(ratios, payloads=[("dead_units", "conv2", states)]))
            assert f"all 8 units never fire {words}" in finding.message
            told = {name: each.value for name, each in finding.evidence.items() if name.startswith("training")}
            assert told == ({"training_batches": 128, "training_samples": 4090} if silent == 8 else {})

    def test_dead_from_the_start_asks_for_other_initializers(self) -> None:
        (finding,) = _found("dead_units", history({"dead_units.dead_ratio": [[0, 0.6, 0, 0]] * 3}))
        assert finding.severity == "warning"
        assert "kernel_initializer" in [a.parameter for a in finding.adjustments]
        assert "learning_rate" not in [a.parameter for a in finding.adjustments]

    @pytest.mark.parametrize(
        "ratios",
        [
            [ALIVE] * 4,  # idle units are usual
            [ALIVE, [0, 1, 0, 0], ALIVE],  # one look is no look
            [[0, 0, 0, 1.0]] * 3,  # the output layer
        ],
    )
    def test_false_alarms(self, ratios: Any) -> None:
        assert not _found("dead_units", history({"dead_units.dead_ratio": ratios}))

    def test_what_lies_behind_a_dead_layer_follows_from_it(self) -> None:
        found = judge(history({"dead_units.dead_ratio": [[0, 1, 1, 1]] * 3}))
        assert [(f.layer, f.caused_by.layer if f.caused_by else None) for f in found] == [
            ("conv2", None),
            ("fc", "conv2"),
        ]


class TestNanOrInf:
    def test_the_first_layer_that_shows_it(self) -> None:
        rows = [[0, 0, 0, 0], [0, 0, 3, 0], [9, 9, 9, 9]]
        found = judge(history({"weight_health.non_finite": rows}))
        assert [(f.fault, f.layer, f.first_step, f.severity) for f in found] == [("nan_or_inf", "fc", 10, "error")]
        assert {a.parameter for a in found[0].adjustments} >= {"clipnorm", "learning_rate"}

    def test_everywhere_at_once_is_of_the_whole_model(self) -> None:
        (finding,) = judge(history({"weight_health.non_finite": [[0] * 4, [5] * 4]}))
        assert finding.layer is None

    def test_the_loss_alone(self) -> None:
        (finding,) = _found("nan_or_inf", history({}, scalars={"loss": [1.0, float("nan")]}))
        assert finding.layer is None
        assert finding.first_step == 10

    def test_finite_numbers(self) -> None:
        assert not judge(history({"weight_health.non_finite": [[0] * 4] * 3}, scalars={"loss": [3.0, 2.0, 1.0]}))


class TestVanishingGradient:
    FADING: Any = [[1e-7, 1e-5, 1e-3, 1e-1]] * 3
    STILL: Any = [[1e-8, 1e-6, 1e-4, 1e-3]] * 3

    def test_it_fades(self) -> None:
        told = history({"gradient_flow.relative_gradient": self.FADING, "update_ratio.update_ratio": self.STILL})
        (finding,) = _found("vanishing_gradient", told)
        assert (finding.layer, finding.severity) == ("conv1", "error")

    def test_layers_that_move_do_not_suffer(self) -> None:
        moving = [[1e-3] * 4] * 3
        told = history({"gradient_flow.relative_gradient": self.FADING, "update_ratio.update_ratio": moving})
        assert not _found("vanishing_gradient", told)

    def test_a_converged_run_fades_everywhere_alike(self) -> None:
        told = history({"gradient_flow.relative_gradient": [[1e-9] * 4] * 3, "update_ratio.update_ratio": self.STILL})
        assert not _found("vanishing_gradient", told)


class TestRedundantFilters:
    def _tree(self, groups: list[int]) -> tuple[str, str, Dendrogram]:
        children = np.array([[0, 1], [2, 8], [3, 9], [4, 10], [5, 11], [6, 12], [7, 13]])
        tree = Dendrogram(children, np.linspace(0.1, 1, 7), np.arange(8), 0.1, np.array(groups))
        return "filter_clusters", "conv2", tree

    def test_twins(self) -> None:
        told = history(
            {
                "filter_similarity.twin_ratio": [[0, 0.5, 0, 0]] * 2,
                "filter_clusters.suggested_width": [[8, 6, 16, 4]] * 2,
            },
            payloads=[self._tree([0, 0, 1, 1, 2, 3, 4, 5])],
        )
        (finding,) = _found("redundant_filters", told)
        assert finding.units == ((0, 1), (2, 3))
        assert [(a.parameter, a.current, a.proposed) for a in finding.adjustments] == [("filters", "8", "6")]

    def test_some_twins_are_usual_and_nan_is_no_number(self) -> None:
        nan = float("nan")
        assert not judge(history({"filter_similarity.twin_ratio": [[nan, 0.2, nan, 1.0]] * 3}))


class TestUnnormalisedInput:
    def _told(self, mean: float, std: float, high: float, info: RunInfo = INFO) -> History:
        nan = float("nan")
        names = {"mean": mean, "std": std, "minimum": 0.0, "maximum": high}
        return history({f"model_input.{name}": [[value, nan, nan, nan]] for name, value in names.items()}, info=info)

    def test_pixels(self) -> None:
        (finding,) = judge(self._told(33.0, 78.0, 255.0))
        assert (finding.layer, finding.severity) == ("conv1", "warning")
        assert finding.adjustments[0].proposed == "Rescaling(1/255)"

    def test_scores_of_unit_size(self) -> None:
        assert not judge(self._told(-0.4, 1.3, 6.0))

    @pytest.mark.parametrize(("loss", "severity"), [([1.386, 1.38, 1.37], "warning"), ([1.3, 0.8, 0.4], "info")])
    def test_pixels_divided_twice_matter_while_nothing_is_learned(self, loss: list[float], severity: str) -> None:
        nan = float("nan")
        columns = {"model_input.mean": [[0.002, nan, nan, nan]] * 3, "model_input.std": [[0.001, nan, nan, nan]] * 3}
        columns |= {
            name: [[v, nan, nan, nan]] * 3 for name, v in (("model_input.minimum", 0), ("model_input.maximum", 0.004))
        }
        (finding,) = [f for f in judge(history(columns, scalars={"loss": loss})) if f.fault == "unnormalised_input"]
        assert (finding.severity, finding.adjustments[0].proposed) == (severity, "Normalization")

    def test_behind_a_normalisation_it_is_only_told(self) -> None:
        layers = (replace(LAYERS[0], normalization="bn"), *LAYERS[1:])
        (finding,) = judge(self._told(33.0, 78.0, 255.0, replace(INFO, layers=layers)))
        assert finding.severity == "info"


class TestSaturatedActivation:
    def _told(self, layer: LayerInfo) -> History:
        info = replace(INFO, layers=(LAYERS[0], layer, *LAYERS[2:]))
        nan = float("nan")
        return history({"saturation.pinned_ratio": [[nan, 0.8, nan, nan]] * 3}, info=info)

    def test_hidden_units_at_their_bounds(self) -> None:
        (finding,) = judge(self._told(replace(LAYERS[1], activation="tanh")))
        assert finding.layer == "conv2"
        assert finding.adjustments[0].proposed == "relu"

    def test_a_gate_may_be_shut(self) -> None:
        assert not judge(self._told(replace(LAYERS[1], activation="sigmoid", output_shape=(1, 1, 8))))


class TestExplodingGradient:
    def test_half_of_the_layers(self) -> None:
        (finding,) = judge(history({"gradient_flow.relative_gradient": [[50, 40, 30, 1]] * 2}))
        assert (finding.fault, finding.layer, finding.severity) == ("exploding_gradient", "conv1", "error")

    def test_large_targets_give_large_gradients_of_a_falling_loss(self) -> None:
        rows = [[50, 40, 30, 1]] * 3
        falling, rising = {"loss": [900.0, 500.0, 300.0]}, {"loss": [900.0, 500.0, 5000.0]}
        assert not judge(history({"gradient_flow.relative_gradient": rows}, scalars=falling))
        assert _found("exploding_gradient", history({"gradient_flow.relative_gradient": rows}, scalars=rising))

    @pytest.mark.parametrize("rows", [[[50, 40, 30, 9], [0.1] * 4], [[100, 1, 1, 1]] * 3, [[float("nan")] * 4] * 3])
    def test_a_first_peak_or_one_layer_is_none(self, rows: Any) -> None:
        assert not judge(history({"gradient_flow.relative_gradient": rows}))


class TestFrozenLayer:
    def test_no_gradient_at_all(self) -> None:
        (finding,) = judge(history({"gradient_flow.non_finite_ratio": [[0, float("nan"), 0, 0]] * 2}))
        assert (finding.fault, finding.layer) == ("frozen_layer", "conv2")

    @pytest.mark.parametrize(
        ("first", "dead", "told"),
        [
            (0.0, 0.0, True),
            (0.2, 0.0, False),  # a branch that begins at zero, or a part that has converged
            (0.0, 1.0, False),  # the layer behind is dead: that stops it
        ],
    )
    def test_a_gradient_of_exactly_zero(self, first: float, dead: float, told: bool) -> None:
        rows = {
            "gradient_flow.gradient_norm": [[0.1, first, 0.1, 0.1]] + [[0.1, 0.0, 0.1, 0.1]] * 2,
            "gradient_flow.non_finite_ratio": [[0.0] * 4] * 3,
            "dead_units.dead_ratio": [[0.0, 0.0, dead, 0.0]] * 3,
        }
        found = [finding for finding in judge(history(rows)) if finding.fault == "frozen_layer"]
        assert [finding.layer for finding in found] == (["conv2"] if told else [])

    def test_frozen_on_purpose(self) -> None:
        info = replace(INFO, layers=(LAYERS[0], replace(LAYERS[1], trainable=False), *LAYERS[2:]))
        assert not judge(history({"gradient_flow.non_finite_ratio": [[0, float("nan"), 0, 0]] * 2}, info=info))

    def test_without_taps(self) -> None:
        assert not judge(history({"weight_health.non_finite": [[0] * 4] * 3}))


class TestCollapsedOutput:
    def _told(self, share: float, spread: float, info: RunInfo = INFO) -> History:
        nan = float("nan")
        rows = {"top_class_share": share, "spread": spread}
        return history({f"model_output.{k}": [[nan, nan, nan, v]] * 3 for k, v in rows.items()}, info=info)

    def test_outputs_that_hardly_vary_are_one_answer_too(self) -> None:
        rows = {"model_output.top_class_share": [[0, 0, 0, 0.5]] * 6, "model_output.spread": [[0, 0, 0, 0.003]] * 6}
        assert judge(history(rows, scalars={"loss": [1.386] * 6}))[0].fault == "collapsed_output"
        assert not judge(history(rows, scalars={"loss": [1.3, 1.2, 1.1, 1.0, 0.9, 0.8]}))

    def test_one_answer(self) -> None:
        (finding,) = judge(self._told(1.0, 1e-4))
        assert (finding.fault, finding.layer, finding.first_step) == ("collapsed_output", "head", 10)

    def test_false_alarms(self) -> None:
        nan = float("nan")
        rows = {"top_class_share": 1.0, "spread": 1e-4}
        one_epoch = history({f"model_output.{k}": [[nan, nan, nan, v]] * 2 for k, v in rows.items()})
        assert not judge(one_epoch)
        assert not judge(self._told(0.3, 0.2))
        assert not judge(self._told(1.0, 1e-4, replace(INFO, probe=Probe("gathered", 64, (60, 4)))))
        assert not judge(self._told(1.0, 1e-4, replace(INFO, probe=Probe("gathered", 64))))


class TestOverfitting:
    def test_validation_gets_worse_while_training_improves(self) -> None:
        curves = {"loss": [1.0, 0.5, 0.3, 0.2, 0.1], "val_loss": [1.0, 0.7, 0.85, 0.9, 1.0]}
        (finding,) = judge(history({}, scalars=curves))
        assert (finding.fault, finding.severity, finding.first_step) == ("overfitting", "warning", 20)
        assert finding.adjustments[0].proposed == "to step 10"

    @pytest.mark.parametrize(
        ("loss", "val_loss"),
        [
            ([1.0, 0.8, 0.7, 0.6, 0.6], [0.9, 0.7, 0.6, 0.5, 0.5]),  # dropout: validation is better
            ([1.0, 0.5, 0.3, 0.2, 0.1], [1.0, 0.7, 0.8, 0.6, 0.7]),  # noise
            ([1.0, 0.9, 1.2, 1.5, 1.8], [1.0, 0.9, 1.2, 1.6, 1.9]),  # both get worse: not this fault
            ([1.0, 0.8, 0.7, 0.65, 0.6], [0.6, 0.5, 0.6, 0.6, 0.6]),  # still close to training
            ([1.0, 0.01, 0.005, 0.004, 0.003], [1.0, 0.02, 0.03, 0.03, 0.03]),  # of no account beside where it began
        ],
    )
    def test_false_alarms(self, loss: list[float], val_loss: list[float]) -> None:
        assert not judge(history({}, scalars={"loss": loss, "val_loss": val_loss}))


def _loss(name: str, **config: Any) -> str:
    return json.dumps({"class_name": name, "config": config})


class TestOutputLossMismatch:
    def _told(self, loss: str, activation: str, units: int, error: float) -> History:
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
        (finding,) = _found("output_loss_mismatch", self._told(loss, activation, units, error))
        assert finding.layer == "head"
        assert finding.adjustments[0].parameter == parameter

    def test_one_of_several_outputs_is_constant(self) -> None:
        outputs = (
            replace(LAYERS[3], units=1, path="face"),
            replace(LAYERS[3], units=1, activation="linear", path="age"),
        )
        info = replace(INFO, layers=(*LAYERS[:3], *outputs), loss='["binary_crossentropy", "mse"]')
        (finding,) = _found("output_loss_mismatch", history({"weight_health.rms": [[0.1] * 5]}, info=info))
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
            ("", "softmax", 4, 0.0),  # a loss of the user's own
            ('"sparse_categorical_crossentropy"', "linear", 4, 0.0),  # softmax applied as a function
        ],
    )
    def test_what_fits(self, loss: str, activation: str, units: int, error: float) -> None:
        assert not _found("output_loss_mismatch", self._told(loss, activation, units, error))
