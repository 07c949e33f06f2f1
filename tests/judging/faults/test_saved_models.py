"""Faults of saved models on handmade histories: what is proved, how severe it is, and what to change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import UnitStates
from tests.judging.boundaries.boundary import layer, with_layers
from tests.judging.faults.made import LAYERS, NAN, found, history


def effects(row: int = 1, *, idle: int = 0, layers: Any = None, others: Any = None, **counts: float) -> list[Finding]:
    """Findings of units without effect, where a layer has so many of each kind."""
    known = {
        "idle_units": float(idle),
        "constant_units": 0.0,
        "zero_filters": 0.0,
        "unread_units": 0.0,
        "masked_share": 0.0,
    } | counts
    states = UnitStates(np.array([3] * idle + [1] * (LAYERS[row].units - idle), np.uint8), 0, 0)
    rows = {
        f"certain_units.{name}": [layer(row, value, (others or {}).get(name, 0.0))] for name, value in known.items()
    }
    info = with_layers(layers or {}, origin="audit", parameters=1000)
    run = history(rows, info=info, payloads=[("certain_units", LAYERS[row].path, states)] if idle else ())
    return found("units_without_effect", run)


@pytest.mark.parametrize(
    ("idle", "counts", "message"),
    [
        (1, {"zero_filters": 1.0}, "1 unit of 8 has no effect that depends on the input: "
         "1 has weights of 0 or lost in rounding."),
        (4, {"zero_filters": 1.0, "constant_units": 3.0, "unread_units": 1.0},
         "4 units of 8 have no effect that depends on the input: 1 has weights of 0 or lost in rounding, "
         "2 give the same output for every input within their bounds, 1 is read with zero weights only."),
        (2, {"unread_units": 2.0}, "2 units of 8 have no effect that depends on the input: "
         "2 are read with zero weights only."),
        (2, {"constant_units": 2.0, "zero_filters": 2.0}, "2 units of 8 have no effect that depends on the input: "
         "2 have weights of 0 or lost in rounding."),
    ],
)  # fmt: skip
def test_the_proofs_are_named(idle: int, counts: dict[str, float], message: str) -> None:
    (finding,) = effects(idle=idle, **counts)
    assert finding.message == f"In conv2, {message}"
    assert finding.units == tuple(range(idle))
    shown = {name: each.value for name, each in finding.evidence.items()}
    assert shown == {
        "units": max(idle, counts.get("constant_units", 0)), "zero_filters": counts.get("zero_filters", 0),
        "removable_units": idle, "removable_parameters": 0,
    }  # fmt: skip


def test_the_severity_is_what_the_units_cost() -> None:
    assert effects(idle=1)[0].severity == "info"  # 12 % of the units
    assert effects(idle=2)[0].severity == "warning"
    assert effects(idle=1, removable_parameters=49.0)[0].severity == "info"
    (costly,) = effects(idle=1, removable_parameters=50.0)
    assert costly.severity == "warning"
    (change,) = costly.adjustments
    assert (change.layer, change.parameter, change.current, change.proposed) == ("conv2", "filters", "8", "7")
    assert change.reason == "saves 5 % of the parameters, and the answers stay the same"


def test_zeros_of_a_pruning_are_intended() -> None:
    (finding, *_) = effects(idle=4, zero_filters=4.0, masked_share=0.5, others={"masked_share": 0.5})
    assert finding.severity == "info"
    assert finding.message.endswith("rounding. Their zeros are probably the mask of a pruning.")
    assert finding.evidence["masked_share"].value == 0.5


@pytest.mark.parametrize(("idle", "changed"), [(8, {}), (1, {"role": "other"}), (1, {"output": True}), (0, {})])
def test_units_that_cannot_go(idle: int, changed: dict[str, Any]) -> None:
    """All of a layer, those of one whose width has no name, those of the output, and constant ones that are read."""
    (finding,) = effects(idle=idle, layers={1: changed}, constant_units=3.0)
    assert finding.adjustments == ()


def called(*values: float) -> list[tuple[str | None, str, str]]:
    layers = {row: {"parameters": 1234} for row in range(4)}
    rows = {"certain_units.called": [list(values)]}
    findings = found("units_without_effect", history(rows, info=with_layers(layers, origin="audit")))
    return [(finding.layer, finding.severity, finding.message) for finding in findings]


def test_a_layer_that_the_model_never_calls() -> None:
    said = "The model never calls fc: its 1,234 parameters have no effect."
    assert called(1, 1, 0, 1) == [("fc", "warning", said)]
    assert called(1, 1, 0, NAN) == [("fc", "warning", said)]
    assert called(1, 1, 1, 1) == []
    assert called(0, 0, 0, 0) == []  # the pass through the model was not seen


def untrained(*probabilities: float, bias: float = 1.0, statistics: float = NAN, **changed: Any) -> list[Finding]:
    rows = {
        "untouched_weights.initial_p": [list(probabilities)],
        "untouched_weights.initial_bias": [[bias] * 4],
        "untouched_weights.initial_statistics": [[statistics] * 4],
    }
    return found("untrained_layer", history(rows, info=with_layers({1: changed}, origin="audit")))


def test_a_kernel_that_is_what_its_initializer_gave() -> None:
    (finding,) = untrained(0.0, 0.5, 0.0, NAN, initializer="he_normal")
    assert (finding.layer, finding.severity) == ("conv2", "warning")
    assert finding.message == (
        "The kernel of conv2 is what its initializer gave: a test against he_normal gives a probability of 0.5, and "
        "its bias is untouched."
    )
    (change,) = finding.adjustments
    assert (change.layer, change.parameter, change.current, change.proposed) == (
        "conv2", "weights", "initial", "trained"
    )  # fmt: skip
    assert not untrained(0.0, 0.5, 0.0, NAN, bias=0.0)
    assert not untrained(0.0, 0.5, 0.0, NAN, statistics=0.0)
    assert untrained(0.0, 0.5, 0.0, NAN, bias=NAN, statistics=1.0)


@pytest.mark.parametrize(
    ("probabilities", "changed", "severity"),
    [
        ((0, 0.5, 0, 0), {"trainable": False}, "info"),
        ((0, 0.5, 0, 0), {"output": True}, "info"),
        ((0.5, 0.5, 0.5, 0.5), {"trainable": False}, "warning"),  # everything is untrained
        ((NAN, 0.5, NAN, NAN), {"trainable": False}, "info"),  # one layer is not everything
    ],
)
def test_random_layers_that_may_be_meant_to_be_random(
    probabilities: tuple[float, ...], changed: Any, severity: str
) -> None:
    finding = next(each for each in untrained(*probabilities, **changed) if each.layer == "conv2")
    assert finding.severity == severity
    frozen = "trainable" in changed
    assert finding.message.endswith("its bias is untouched. It is frozen." if frozen else "its bias is untouched.")
    (change,) = finding.adjustments
    expected = ("trainable", "False", "True") if frozen else ("weights", "initial", "trained")
    assert (change.parameter, change.current, change.proposed) == expected


def statistics(**values: float) -> list[Finding]:
    rows = {f"untouched_weights.{name}": [layer(1, value, NAN)] for name, value in values.items()}
    rows["certain_units.idle_units"] = [[0.0] * 4]
    normalized = {1: {"normalization_class": "BatchNormalization"}}
    return found("stale_batch_statistics", history(rows, info=with_layers(normalized, origin="audit")))


def test_moving_averages_of_a_saved_model() -> None:
    (fresh,) = statistics(initial_p=0.0, initial_statistics=1.0)
    assert (fresh.layer, fresh.severity, fresh.evidence["untouched"].value) == ("conv2", "warning", 1)
    assert fresh.message == "conv2 was trained, but the moving averages behind it are exactly 0 and 1, as initialized."
    (flat,) = statistics(zero_variances=3.0)
    assert (flat.severity, flat.evidence["zero_variances"].value, flat.adjustments) == ("info", 3, ())
    assert flat.message == "3 channels behind conv2 had no variance in training: their moving variance is exactly 0."
    assert statistics(zero_variances=1.0)[0].message.startswith("1 channel behind conv2")
    (large,) = statistics(largest_variance=3e9, zero_variances=3.0)
    assert (large.severity, large.message) == (
        "warning", "The moving variance behind conv2 reaches 3·10⁹: its signals explode."
    )  # fmt: skip
    for finding in (fresh, large):
        (change,) = finding.adjustments
        assert (change.layer, change.parameter, change.proposed) == (
            "conv2", "moving statistics", "computed on training data"
        )  # fmt: skip
    assert not statistics(initial_p=0.5, initial_statistics=1.0)
    assert not statistics(initial_p=0.0, initial_statistics=0.0)
    assert not statistics(zero_variances=0.0)
