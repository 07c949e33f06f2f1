"""``frozen_layer`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import RunInfo
from tests.judging.faults.made import INFO, LAYERS, conv, found, history


class TestFrozenLayer:
    def test_no_gradient_at_all(self) -> None:
        (finding,) = judge(history({"gradient_flow.non_finite_ratio": [[0, float("nan"), 0, 0]] * 2}))
        assert (finding.fault, finding.layer) == ("frozen_layer", "conv2")

    @pytest.mark.parametrize(
        ("first", "dead", "expected"),
        [
            (0.0, 0.0, True),
            (0.2, 0.0, False),  # a branch that is zero initially, or has converged
            (0.0, 1.0, False),  # the next layer is dead: it blocks the gradient
        ],
    )
    def test_a_gradient_of_exactly_zero(self, first: float, dead: float, expected: bool) -> None:
        rows = {
            "gradient_flow.gradient_norm": [[0.1, first, 0.1, 0.1]] + [[0.1, 0.0, 0.1, 0.1]] * 2,
            "gradient_flow.non_finite_ratio": [[0.0] * 4] * 3,
            "dead_units.dead_ratio": [[0.0, 0.0, dead, 0.0]] * 3,
        }
        found = [finding for finding in judge(history(rows)) if finding.fault == "frozen_layer"]
        assert [finding.layer for finding in found] == (["conv2"] if expected else [])

    def test_frozen_on_purpose(self) -> None:
        info = replace(INFO, layers=(LAYERS[0], replace(LAYERS[1], trainable=False), *LAYERS[2:]))
        assert not judge(history({"gradient_flow.non_finite_ratio": [[0, float("nan"), 0, 0]] * 2}, info=info))

    def test_without_taps(self) -> None:
        assert not judge(history({"weight_health.non_finite": [[0] * 4] * 3}))


class TestRandomAndFrozen:
    def _found(self, factor: float) -> list[Finding]:
        frozen = replace(conv("a", activation="relu"), trainable=False, initializer="he_normal")
        info = RunInfo("t", (frozen, *LAYERS[1:]))
        size = factor * (2 / 144) ** 0.5
        return found("frozen_layer", history({"weight_health.rms": [[size, 0.1, 0.1, 0.1]]}, info=info))

    def test_random_weights(self) -> None:
        (finding,) = self._found(1.01)
        assert (finding.severity, finding.adjustments[0].parameter) == ("warning", "trainable")

    def test_pretrained_weights(self) -> None:
        assert not self._found(1.3)
