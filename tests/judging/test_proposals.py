"""Changes that several faults propose: numbers where the present ones are known, advice where they are not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.changes import InsertLayer, SetParameter, SetTraining
from tb_cnndiag.judging import proposals
from tb_cnndiag.judging.signals.base import Signals
from tests.judging.faults.made import INFO, LAYERS, history


def signals(snapshots: int = 3, **optimizer: Any) -> Signals:
    config = json.dumps({"class_name": "SGD", "config": optimizer})
    return Signals(history({"weight_health.rms": [[0.1] * 4] * snapshots}, info=replace(INFO, optimizer=config)))


@pytest.mark.parametrize(
    ("rate", "factor", "current", "proposed"),
    [(0.1, 0.1, "0.1", 0.01), (0.0347, 0.1, "0.0347", 0.0035), (0.5, 0.3, "0.5", 0.15)],
)
def test_a_lower_learning_rate(rate: float, factor: float, current: str, proposed: float) -> None:
    found = proposals.lower_learning_rate(signals(learning_rate=rate), "why", factor)
    assert (found.layer, found.parameter, found.current, found.reason) == (None, "learning_rate", current, "why")
    assert (found.proposed, found.change) == (f"{proposed:g}", SetTraining("learning_rate", proposed))
    assert proposals.lower_learning_rate(signals(learning_rate=1.0), "why").proposed == "0.1"


@pytest.mark.parametrize("rate", [None, 0.0])
def test_an_unknown_learning_rate_is_lowered_by_a_factor(rate: float | None) -> None:
    found = proposals.lower_learning_rate(signals(learning_rate=rate), "why")
    assert (found.current, found.proposed, found.change) == ("unknown", "0.1 × the present one", None)
    higher = proposals.changed_learning_rate(rate, 0.5, "why")
    assert (higher.current, higher.proposed, higher.change) == ("unknown", "0.5", SetTraining("learning_rate", 0.5))


@pytest.mark.parametrize("name", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_a_gradient_is_clipped_once(name: str) -> None:
    assert proposals.clip(signals(**{name: 1.0}), "why") == ()
    (found,) = proposals.clip(signals(**{name: None}), "why")
    assert (found.layer, found.parameter, found.current, found.proposed, found.reason) == (
        None, "clipnorm", "none", "1.0", "why"
    )  # fmt: skip
    assert found.change == SetTraining("clipnorm", 1.0)


@pytest.mark.parametrize(("snapshots", "config"), [(50, {"momentum": 0.9}), (51, {})])
def test_averages_of_a_new_normalization_settle_within_a_short_run(snapshots: int, config: dict[str, Any]) -> None:
    """Snapshots are 10 steps apart: the run has 490 or 500 steps."""
    found = proposals.normalized(signals(snapshots), LAYERS[1], "why")
    assert found.change == InsertLayer("conv2", "normalization", "BatchNormalization", config)
    assert (found.layer, found.parameter, found.current, found.reason) == ("conv2", "normalization", "none", "why")
    assert found.proposed == ("BatchNormalization(momentum=0.9)" if config else "BatchNormalization")


@pytest.mark.parametrize(
    ("activation", "present", "proposed"),
    [
        ("relu", "glorot_uniform", "he_normal"),
        ("relu", "he_uniform", None),
        ("relu", "he_normal", None),
        ("relu", "", "he_normal"),
        ("tanh", "he_normal", "glorot_uniform"),
        ("sigmoid", "glorot_normal", None),
    ],
)
def test_the_initializer_that_fits_the_activation(activation: str, present: str, proposed: str | None) -> None:
    layer = replace(LAYERS[1], activation=activation, initializer=present)
    found = proposals.fitting_initializer(layer, "why")
    if proposed is None:
        assert found is None
    else:
        assert found is not None
        assert found.change == SetParameter("conv2", "kernel_initializer", proposed)
        assert (found.current, found.reason) == (present or "unknown", "why")
    always = proposals.initializer(layer, "why")
    fitting = {"relu": "he_normal"}.get(activation, "glorot_uniform")
    assert (always.proposed, always.current, always.layer) == (fitting, present or "unknown", "conv2")
    other = proposals.fitting_initializer(replace(layer, initializer="zeros"), "why", activation="relu")
    assert other is not None
    assert other.proposed == "he_normal"
