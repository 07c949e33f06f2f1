"""``exploding_gradient`` on histories made by hand: what shows it, and the false alarms it must not raise."""

from __future__ import annotations

from typing import Any

import pytest

from tb_cnndiag.judge import judge
from tests.faults.made import found, history


class TestExplodingGradient:
    def test_half_of_the_layers(self) -> None:
        (finding,) = judge(history({"gradient_flow.relative_gradient": [[50, 40, 30, 1]] * 2}))
        assert (finding.fault, finding.layer, finding.severity) == ("exploding_gradient", "conv1", "error")

    def test_large_targets_give_large_gradients_of_a_falling_loss(self) -> None:
        rows = [[50, 40, 30, 1]] * 3
        falling, rising = {"loss": [900.0, 500.0, 300.0]}, {"loss": [900.0, 500.0, 5000.0]}
        assert not judge(history({"gradient_flow.relative_gradient": rows}, scalars=falling))
        assert found("exploding_gradient", history({"gradient_flow.relative_gradient": rows}, scalars=rising))

    @pytest.mark.parametrize("rows", [[[50, 40, 30, 9], [0.1] * 4], [[100, 1, 1, 1]] * 3, [[float("nan")] * 4] * 3])
    def test_a_first_peak_or_one_layer_is_none(self, rows: Any) -> None:
        assert not judge(history({"gradient_flow.relative_gradient": rows}))
