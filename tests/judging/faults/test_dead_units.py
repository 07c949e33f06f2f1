"""``dead_units`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import UnitStates
from tests.judging.faults.made import found, history

ALIVE = [0.1, 0.2, 0.3, 0.0]


class TestDeadUnits:
    def test_a_layer_that_dies(self) -> None:
        states = ("dead_units", "conv2", UnitStates(np.full(8, 3, np.uint8), 64, 2304))
        run = history({"dead_units.dead_ratio": [ALIVE, [0, 1, 0, 0], [0, 1, 0, 0]]}, payloads=[states])
        (finding,) = found("dead_units", run)
        assert (finding.layer, finding.severity, finding.first_step) == ("conv2", "error", 10)
        assert finding.units == tuple(range(8))
        assert finding.adjustments[0].parameter == "learning_rate"
        assert (finding.adjustments[0].current, finding.adjustments[0].proposed) == ("0.1", "0.01")
        assert finding.evidence["firing_rate_bound"].value == pytest.approx(3 / 64)

    def test_training_batches_are_reported_if_they_agree_with_the_probe(self) -> None:
        for silent, words in ((8, "1,024 probe samples and 128 training batches."), (7, "1,024 samples.")):
            states = UnitStates(np.full(8, 3, np.uint8), 1024, 2304, np.arange(8) < silent, 128, 4090)
            ratios = {"dead_units.dead_ratio": [ALIVE, [0, 1, 0, 0], [0, 1, 0, 0]]}
            (finding,) = found("dead_units", history(ratios, payloads=[("dead_units", "conv2", states)]))
            dead = "All 8 units of conv2 are dead since step 10: no activation above zero on"
            assert finding.message == f"{dead} {words}"
            training = {name: each.value for name, each in finding.evidence.items() if name.startswith("training")}
            assert training == ({"training_batches": 128, "training_samples": 4090} if silent == 8 else {})

    def test_units_dead_at_step_0_need_other_initializers(self) -> None:
        (finding,) = found("dead_units", history({"dead_units.dead_ratio": [[0, 0.6, 0, 0]] * 3}))
        assert finding.severity == "warning"
        assert "kernel_initializer" in [a.parameter for a in finding.adjustments]
        assert "learning_rate" not in [a.parameter for a in finding.adjustments]

    @pytest.mark.parametrize(
        "ratios",
        [
            [ALIVE] * 4,  # some dead units are normal
            [ALIVE, [0, 1, 0, 0], ALIVE],  # one snapshot is not enough
            [[0, 0, 0, 1.0]] * 3,  # the output layer
        ],
    )
    def test_false_alarms(self, ratios: Any) -> None:
        assert not found("dead_units", history({"dead_units.dead_ratio": ratios}))

    def test_a_dead_layer_causes_dead_layers_behind_it(self) -> None:
        found = judge(history({"dead_units.dead_ratio": [[0, 1, 1, 1]] * 3}))
        assert [(f.layer, f.caused_by.layer if f.caused_by else None) for f in found] == [
            ("conv2", None),
            ("fc", "conv2"),
        ]


def test_half_of_a_dense_layer_may_be_idle_but_not_at_step_0() -> None:
    idle = [[0, 0, 0.2, 0], [0, 0, 0.6, 0], [0, 0, 0.6, 0]]
    assert not judge(history({"dead_units.dead_ratio": idle}))
    assert judge(history({"dead_units.dead_ratio": [[0, 0, 0.6, 0]] * 3}))
