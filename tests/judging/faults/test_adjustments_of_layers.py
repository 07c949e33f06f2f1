"""What is proposed for a layer depends on what the model has already, and on when a fault began."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.changes import InsertLayer, SetParameter
from tb_cnndiag.history import History
from tb_cnndiag.payloads import Dendrogram, RunInfo
from tests.judging.boundaries.boundary import PRIOR, layer, with_layer, with_layers
from tests.judging.faults.changes import Changes, changes
from tests.judging.faults.made import INFO, LAYERS, NAN, conv, found, history

HE = 2**0.5


def bias(name: str) -> str:
    return json.dumps({"bias_initializer": {"class_name": name, "config": {}}})


RATE = (None, "learning_rate", "0.1", "0.01")
LEAKY = ("conv2", "activation", "relu", "leaky_relu")
BATCH = ("conv2", "normalization", "none", "BatchNormalization(momentum=0.9)")


class TestDeadUnits:
    def _changes(self, shares: list[float], **of_layer: Any) -> Changes:
        rows = {"dead_units.dead_ratio": [layer(1, share) for share in shares]}
        return changes("dead_units", history(rows, info=with_layer(1, **of_layer)))

    @pytest.mark.parametrize(
        ("of_layer", "expected"),
        [
            ({}, [("conv2", "kernel_initializer", "unknown", "he_normal"), LEAKY, BATCH]),
            ({"initializer": "he_uniform"}, [LEAKY, BATCH]),
            ({"initializer": "he_normal", "normalization": "bn"}, [LEAKY]),
            ({"initializer": "he_normal", "config": bias("Zeros")}, [LEAKY, BATCH]),
            (
                {"initializer": "he_normal", "config": bias("Constant")},
                [("conv2", "bias_initializer", "Constant", "zeros"), LEAKY, BATCH],
            ),
            ({"initializer": "glorot_uniform", "activation": "tanh"}, [BATCH]),
        ],
    )
    def test_units_that_were_dead_before_training(self, of_layer: Any, expected: Changes) -> None:
        assert self._changes([0.8] * 3, **of_layer) == expected
        assert self._changes([0.8, 0.7, 0.7], **of_layer) == expected

    @pytest.mark.parametrize("shares", [[0.0, 0.8, 0.8], [0.7, 0.8, 0.8]])
    def test_units_that_died_in_training(self, shares: list[float]) -> None:
        assert self._changes(shares, initializer="zeros", config=bias("Constant")) == [RATE, LEAKY, BATCH]
        weaker = ("drop", "rate", "0.9", "0.3")
        assert self._changes(shares, dropout=0.9, dropout_at="drop") == [weaker, RATE, LEAKY, BATCH]

    def test_what_is_said_of_activations_that_are_not_rectified(self) -> None:
        rows = {"dead_units.dead_ratio": [layer(1, share) for share in (0, 0.5, 1.0)]}
        (finding,) = found("dead_units", history(rows, info=with_layer(1, activation="tanh")))
        assert finding.message == "All 8 units of conv2 are dead since step 10: constant activations on the probe."


class TestSaturatedActivation:
    def _changes(self, shares: list[float], **of_layer: Any) -> Changes:
        rows = {"saturation.pinned_ratio": [layer(1, share, NAN) for share in shares]}
        info = with_layer(1, activation="tanh", **of_layer)
        return changes("saturated_activation", history(rows, info=info))

    @pytest.mark.parametrize(
        ("of_layer", "expected"),
        [
            ({}, [("conv2", "kernel_initializer", "unknown", "he_normal")]),
            ({"initializer": "he_normal"}, []),
            ({"initializer": "he_normal", "config": bias("Zeros")}, []),
            (
                {"initializer": "glorot_uniform", "config": bias("Ones")},
                [
                    ("conv2", "bias_initializer", "Ones", "zeros"),
                    ("conv2", "kernel_initializer", "glorot_uniform", "he_normal"),
                ],
            ),
        ],
    )
    def test_units_that_were_saturated_before_training(self, of_layer: Any, expected: Changes) -> None:
        relu = ("conv2", "activation", "tanh", "relu")
        assert self._changes([0.8] * 3, **of_layer) == [relu, *expected]
        assert self._changes([0.3, 0.8, 0.8], **of_layer) == [relu, RATE]

    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({}, True),
            ({"units": 3}, False),
            ({"output": True}, False),
            ({"activation": "softmax"}, False),
            ({"activation": "relu6"}, True),
            ({"activation": "sigmoid", "output_shape": (1, 1, 8)}, False),
            ({"activation": "hard_sigmoid", "output_shape": (1, 1, 8)}, False),
            ({"activation": "tanh", "output_shape": (1, 1, 8)}, True),
            ({"activation": "sigmoid", "output_shape": (1, 2, 8)}, True),
            ({"activation": "sigmoid", "output_shape": (8,), "role": "dense"}, True),
        ],
    )
    def test_layers_that_are_judged(self, changed: Any, expected: bool) -> None:
        rows = {"saturation.pinned_ratio": [layer(1, 0.8, NAN)] * 3}
        run = history(rows, info=with_layer(1, **{"activation": "tanh"} | changed))
        assert bool(found("saturated_activation", run)) == expected


class TestBadInit:
    @pytest.mark.parametrize(("similar", "severity"), [(0.89, "warning"), (0.9, "error")])
    def test_filters_that_are_practically_identical_are_an_error(self, similar: float, severity: str) -> None:
        rows = {"filter_similarity.mean_similarity": [layer(1, 1.0, 0.1)] + [layer(1, similar, 0.1)] * 3}
        assert found("bad_init", history(rows))[0].severity == severity

    @pytest.mark.parametrize(
        ("excess", "named", "changed"),
        [
            ([100, 100, 1], "conv1", ["conv1", "conv2"]),
            ([60, 100, 1], "conv1", ["conv1", "conv2"]),  # its logarithm is more than 0.8 of the largest
            ([30, 100, 1], "conv2", ["conv1", "conv2"]),
            ([3, 100, 1], "conv2", ["conv2"]),  # less than half a power of ten
            ([4, 100, 0.1], "conv2", ["conv1", "conv2", "fc"]),
        ],
    )
    def test_the_first_layer_of_nearly_the_largest_gain_is_named(
        self, excess: list[float], named: str, changed: list[str]
    ) -> None:
        gains = {"weight_health.gain": [[*(HE * each for each in excess), 1.0]] * 3}
        (finding,) = found("bad_init", history(gains, scalars={"loss": [PRIOR] * 3}))
        assert finding.layer == named
        assert [a.layer for a in finding.adjustments] == changed

    def test_the_layer_of_nearly_the_smallest_gain_is_no_output(self) -> None:
        gains = {"weight_health.gain": [[HE * 0.01, HE * 0.001, HE, 1e-9]] * 3}
        (finding,) = found("bad_init", history(gains, scalars={"loss": [PRIOR] * 3}))
        assert finding.layer == "conv2"

    @pytest.mark.parametrize("changed", [{"units": 1}, {"output": True}, {"trainable": False}])
    def test_filters_that_are_not_compared(self, changed: Any) -> None:
        rows = {"filter_similarity.mean_similarity": [layer(1, 1.0, 0.1)] * 4}
        assert not found("bad_init", history(rows, info=with_layer(1, **changed)))

    def test_a_normalization_is_proposed_behind_layers_that_have_none(self) -> None:
        rows = {
            "weight_health.gain": [[HE, HE, HE, 1.0]] * 2,
            "weight_health.rms": [[0.1] * 4] * 2,
            "dead_units.magnitude": [[1.0, 2.0, 90.0, 0.25]] * 2,
            "model_input.mean": [layer(0, 0.0, NAN)] * 2,
            "model_input.std": [layer(0, 1.0, NAN)] * 2,
        }
        run = history(rows, info=with_layer(1, normalization="bn"), scalars={"loss": [9 * PRIOR, 1.0]})
        assert [change[0] for change in changes("bad_init", run)] == ["conv1", "fc"]


class TestInput:
    @pytest.mark.parametrize(
        ("low", "high", "pixels"),
        [
            (0.0, 255.0, True),
            (0.0, 255.5, True),
            (0.0, 256.0, False),
            (-1.0, 255.0, False),
            (0.0, 1.5, False),
            (0.0, 1.6, True),
        ],
    )
    def test_pixels_are_divided_and_other_numbers_standardized(self, low: float, high: float, pixels: bool) -> None:
        sizes = {"mean": 33.0, "std": 78.0, "minimum": low, "maximum": high}
        run = history({f"model_input.{name}": [layer(0, value, NAN)] for name, value in sizes.items()})
        (finding,) = found("unnormalised_input", run)
        (change,) = finding.adjustments
        divided = InsertLayer("conv1", "input", "Rescaling", {"scale": 1 / 255})
        standardized = InsertLayer("conv1", "input", "Normalization", {"axis": None, "mean": 33.0, "variance": 78.0**2})
        assert change.change == (divided if pixels else standardized)
        assert change.proposed == ("Rescaling(1/255)" if pixels else "Normalization")
        assert change.reason == "brings inputs to the order of 1"

    def test_a_constant_input_is_standardized_with_a_small_variance(self) -> None:
        sizes = {"mean": 0.001, "std": 0.0, "minimum": 0.0, "maximum": 0.001}
        run = history({f"model_input.{name}": [layer(0, value, NAN)] for name, value in sizes.items()})
        change = found("unnormalised_input", run)[0].adjustments[0].change
        assert isinstance(change, InsertLayer)
        assert change.config["variance"] == pytest.approx(1e-12)

    @pytest.mark.parametrize("value", [50.0, 0.001])
    def test_a_normalization_behind_the_first_layer_makes_it_an_info(self, value: float) -> None:
        sizes = {"mean": value, "std": value, "minimum": 0.0, "maximum": value}
        rows = {f"model_input.{name}": [layer(0, each, NAN)] for name, each in sizes.items()}
        for info, severity in ((INFO, "warning"), (with_layer(0, normalization="bn"), "info")):
            assert found("unnormalised_input", history(rows, info=info))[0].severity == severity


class TestRedundantFilters:
    def _run(self, groups: list[int], width: float, **of_layer: Any) -> History:
        tree = Dendrogram(np.zeros((7, 2), int), np.zeros(7), np.arange(8), 0.1, np.array(groups))
        rows = {
            "filter_similarity.twin_ratio": [layer(1, 0.5)] * 2,
            "filter_clusters.suggested_width": [layer(1, width)] * 2,
        }
        return history(rows, info=with_layer(1, **of_layer), payloads=[("filter_clusters", "conv2", tree)])

    @pytest.mark.parametrize(
        ("groups", "width", "enough"),
        [([0, 0, 1, 1, 2, 3, 4, 5], 6, 6), ([0, 0, 0, 1, 1, 2, 3, 4], NAN, 5), ([0, 0, 0, 1, 1, 2, 3, 4], 0, 5)],
    )
    def test_one_filter_for_each_group_is_enough(self, groups: list[int], width: float, enough: int) -> None:
        (finding,) = found("redundant_filters", self._run(groups, width))
        assert finding.message == f"In conv2, 4 of 8 filters have a twin: {enough} filters are enough."
        assert finding.evidence["suggested_width"].value == enough
        assert [a.change for a in finding.adjustments] == [SetParameter("conv2", "filters", enough)]

    @pytest.mark.parametrize(("role", "parameter"), [("dense", "units"), ("transposed_conv", "filters"), ("other", "")])
    def test_the_width_of_a_layer_has_a_name(self, role: str, parameter: str) -> None:
        found_ = changes("redundant_filters", self._run([0, 0, 1, 1, 2, 3, 4, 5], 6, role=role))
        assert found_ == ([("conv2", parameter, "8", "6")] if parameter else [])

    @pytest.mark.parametrize("changed", [{"output": True}, {"role": "depthwise_conv"}])
    def test_layers_that_are_not_judged(self, changed: Any) -> None:
        assert not found("redundant_filters", self._run([0] * 8, 1, **changed))


class TestBatchNormalization:
    def _normalized(self, row: int, **of_layer: Any) -> dict[int, dict[str, Any]]:
        return {row: {"normalization_class": "BatchNormalization"} | of_layer}

    @pytest.mark.parametrize(
        ("batch", "shape", "severity"), [(1, (8,), "error"), (2, (8,), "warning"), (1, (4, 4, 8), "warning")]
    )
    def test_a_batch_of_one_normalized_by_itself_is_constant(
        self, batch: int, shape: tuple[int, ...], severity: str
    ) -> None:
        info = with_layers(self._normalized(1, output_shape=shape), batch_size=batch)
        (finding,) = found("batch_too_small_for_bn", history({}, info=info, scalars={"loss": [1.0]}))
        assert (finding.severity, finding.layer) == (severity, "conv2")
        samples = "1 sample" if batch == 1 else "2 samples"
        assert finding.message == f"The output of conv2 is normalized over batches of {samples}."

    def _stale(self, shifts: list[float], ratios: list[float], snapshots: int = 3) -> History:
        rows = {
            "batch_statistics.mean_shift": [[*shifts, NAN, NAN]] * snapshots,
            "batch_statistics.variance_ratio": [[*ratios, NAN, NAN]] * snapshots,
            "model_output.accuracy": [layer(3, 0.2, NAN)] * snapshots,
        }
        info = with_layers(self._normalized(0) | self._normalized(1))
        return history(rows, info=info, scalars={"accuracy": [0.9] * snapshots})

    @pytest.mark.parametrize(
        ("shifts", "ratios", "place"),
        [([3, 3], [1, 1], "conv1"), ([0, 3], [1, 1], "conv2"), ([0, 0], [1, 0.1], "conv2"), ([0, 3], [9, 1], "conv1")],
    )
    def test_the_first_layer_whose_statistics_are_stale(
        self, shifts: list[float], ratios: list[float], place: str
    ) -> None:
        assert found("stale_batch_statistics", self._stale(shifts, ratios))[0].layer == place

    @pytest.mark.parametrize(("snapshots", "more"), [(50, True), (51, False)])
    def test_averages_settle_within_500_steps(self, snapshots: int, more: bool) -> None:
        expected: Changes = [(None, "momentum", "0.99 by default", "0.9")]
        expected += [(None, "epochs", "490 steps", "500 steps")] if more else []
        assert changes("stale_batch_statistics", self._stale([3, 3], [1, 1], snapshots)) == expected


@pytest.mark.parametrize(
    ("rows", "place", "what"),
    [
        ({"weight_health.non_finite": [[0] * 4, [0, 3, 3, 0]]}, "conv2", "weights"),
        ({"weight_health.non_finite": [[0] * 4, [3] * 4]}, None, "weights"),
        ({"untouched_weights.non_finite": [[0] * 4, [0, 0, 1, 0]]}, "fc", "biases or normalizations"),
        ({"activation_density.non_finite_share": [[0] * 4, [0, 0.1, 0.1, 0]]}, "conv2", "activations"),
        ({"gradient_flow.non_finite_ratio": [[0] * 4, [0, 0, 0, 0.5]]}, "head", "gradients"),
        (
            {"gradient_flow.non_finite_ratio": [[0] * 4, [0, 0, 1, 1]], "weight_health.non_finite": [[0] * 4, [1] * 4]},
            None, "weights, gradients",
        ),
        (
            {"model_input.mean": [layer(0, 1, NAN), layer(0, np.inf, NAN)],
             "model_input.constant_share": [layer(0, 0, NAN)] * 2, "weight_health.non_finite": [[0] * 4, [1] * 4]},
            "conv1", "the input, weights",
        ),
    ],
)  # fmt: skip
def test_where_numbers_that_are_not_finite_appeared_first(rows: Any, place: str | None, what: str) -> None:
    (finding,) = found("nan_or_inf", history(rows))
    expected = f"NaN or infinity appeared in {place or 'the whole model'} at step 10: in {what}."
    assert (finding.layer, finding.message, finding.first_step) == (place, expected, 10)


def test_losses_are_the_last_place_where_nan_is_named() -> None:
    run = history(
        {"weight_health.non_finite": [[0] * 4, [0, 1, 0, 0]]}, scalars={"loss": [1, NAN], "val_loss": [1, NAN]}
    )
    (finding,) = found("nan_or_inf", run)
    assert finding.message == "NaN or infinity appeared in conv2 at step 10: in weights, loss, val_loss."


@pytest.mark.parametrize(("activation", "place"), [("linear", "a"), ("relu", None)])
def test_only_linear_layers_miss_an_activation(activation: str, place: str | None) -> None:
    layers = (conv("a", activation=activation), conv("b", 0, activation="relu"))
    info = RunInfo("t", (*layers, replace(LAYERS[3], inputs=(1,))))
    findings = found("missing_activation", history({"weight_health.rms": [[0.1] * 3]}, info=info))
    assert [finding.layer for finding in findings][:1] == ([place] if place else [])
