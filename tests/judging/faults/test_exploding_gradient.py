"""``exploding_gradient`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import INFO, LAYERS, NAN, found, history


class TestExplodingGradient:
    def test_half_of_the_layers(self) -> None:
        (finding,) = judge(history({"gradient_flow.relative_gradient": [[50, 40, 30, 1]] * 2}))
        assert (finding.fault, finding.layer, finding.severity) == ("exploding_gradient", "conv1", "error")

    def test_large_gradients_of_a_falling_loss_are_harmless(self) -> None:
        rows = [[50, 40, 30, 1]] * 3
        falling, rising = {"loss": [900.0, 500.0, 300.0]}, {"loss": [900.0, 500.0, 5000.0]}
        assert not judge(history({"gradient_flow.relative_gradient": rows}, scalars=falling))
        assert found("exploding_gradient", history({"gradient_flow.relative_gradient": rows}, scalars=rising))

    @pytest.mark.parametrize("rows", [[[50, 40, 30, 9], [0.1] * 4], [[100, 1, 1, 1]] * 3, [[float("nan")] * 4] * 3])
    def test_one_peak_or_one_layer_is_not_enough(self, rows: Any) -> None:
        assert not judge(history({"gradient_flow.relative_gradient": rows}))

    @pytest.mark.parametrize(
        ("optimizer", "rate", "last", "expected"),
        [
            ("SGD", 0.01, 1e6, True),
            ("SGD", 0.01, 0.5, False),  # it learned nevertheless
            ("SGD", 1.0, 1e6, False),  # the learning rate is too high by itself
            ("Adam", 0.01, 1e6, False),  # scales the gradient
        ],
    )
    def test_first_gradients_at_a_usual_rate(self, optimizer: str, rate: float, last: float, expected: bool) -> None:
        used = json.dumps({"class_name": optimizer, "config": {"learning_rate": rate}})
        rows = {
            "gradient_flow.gradient_norm": [[900.0, 5e4, 900.0, 900.0]] + [[0.0] * 4] * 3,
            "weight_health.rms": [[0.1] * 4] + [[1e9] * 4] * 3,
            "update_ratio.update_ratio": [[0.5] * 4] * 4,
        }
        run = history(rows, info=replace(INFO, optimizer=used), scalars={"loss": [1e12, last, last, last]})
        findings = found("exploding_gradient", run)
        assert [finding.layer for finding in findings] == (["conv2"] if expected else [])
        assert not expected or not found("learning_rate_too_high", run)

    def test_large_first_gradients_of_a_single_snapshot_are_not_enough(self) -> None:
        usual = json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.01}})
        rows = {"gradient_flow.gradient_norm": [[900.0] * 4], "weight_health.rms": [[0.1] * 4]}
        assert not judge(history(rows, info=replace(INFO, optimizer=usual), scalars={"loss": [900.0]}))

    @pytest.mark.parametrize(("activation", "expected"), [("<lambda>", "exploding_gradient"), ("relu", "bad_init")])
    def test_activations_that_grow_faster_than_their_input(self, activation: str, expected: str) -> None:
        layers = (*(replace(layer, activation=activation) for layer in LAYERS[:3]), LAYERS[3])
        rows = {
            "weight_health.gain": [[1.4, 1.4, 1.4, 1.0]] * 4,
            "weight_health.rms": [[0.1] * 4] * 4,
            "dead_units.magnitude": [[1.0, 40.0, 9e4, 0.25]] * 4,
            **{f"model_input.{name}": [[1.0, NAN, NAN, NAN]] * 4 for name in ("mean", "std", "minimum", "maximum")},
        }
        findings = judge(history(rows, info=replace(INFO, layers=layers), scalars={"loss": [NAN] * 4}))
        assert (findings[0].fault, findings[0].layer) == (expected, "fc")
        assert all(finding.fault not in ("bad_init", "exploding_gradient") for finding in findings[1:])

    def test_it_causes_nan(self) -> None:
        rows = {
            "gradient_flow.gradient_norm": [[900.0, 5e4, 900.0, 900.0]] + [[NAN] * 4] * 3,
            "weight_health.rms": [[0.1] * 4] + [[NAN] * 4] * 3,
            "weight_health.non_finite": [[0] * 4] + [[9] * 4] * 3,
        }
        usual = json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.01}})
        findings = judge(history(rows, info=replace(INFO, optimizer=usual), scalars={"loss": [NAN] * 4}))
        assert [finding.fault for finding in findings][:2] == ["exploding_gradient", "nan_or_inf"]
        assert findings[1].caused_by == findings[0]
