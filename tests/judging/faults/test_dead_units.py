"""``dead_units`` on histories made by hand: what shows it, and the false alarms it must not raise."""

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
        told = history({"dead_units.dead_ratio": [ALIVE, [0, 1, 0, 0], [0, 1, 0, 0]]}, payloads=[states])
        (finding,) = found("dead_units", told)
        assert (finding.layer, finding.severity, finding.first_step) == ("conv2", "error", 10)
        assert finding.units == tuple(range(8))
        assert finding.adjustments[0].parameter == "learning_rate"
        assert (finding.adjustments[0].current, finding.adjustments[0].proposed) == ("0.1", "0.01")
        assert finding.evidence["firing_rate_bound"].value == pytest.approx(3 / 64)

    def test_training_is_told_beside_the_probe_where_it_agrees(self) -> None:
        for silent, words in ((8, "on 1,024 probe samples nor in 128 training batches,"), (7, "on 1,024 samples,")):
            states = UnitStates(np.full(8, 3, np.uint8), 1024, 2304, np.arange(8) < silent, 128, 4090)
            ratios = {"dead_units.dead_ratio": [ALIVE, [0, 1, 0, 0], [0, 1, 0, 0]]}
            (finding,) = found("dead_units", history(ratios, payloads=[("dead_units", "conv2", states)]))
            assert f"all 8 units never fire {words}" in finding.message
            told = {name: each.value for name, each in finding.evidence.items() if name.startswith("training")}
            assert told == ({"training_batches": 128, "training_samples": 4090} if silent == 8 else {})

    def test_dead_from_the_start_asks_for_other_initializers(self) -> None:
        (finding,) = found("dead_units", history({"dead_units.dead_ratio": [[0, 0.6, 0, 0]] * 3}))
        assert finding.severity == "warning"
        assert "kernel_initializer" in [a.parameter for a in finding.adjustments]
        assert "learning_rate" not in [a.parameter for a in finding.adjustments]

    @pytest.mark.parametrize(
        "ratios",
        [
            [ALIVE] * 4,  # idle units are usual
            [ALIVE, [0, 1, 0, 0], ALIVE],  # one snapshot is no snapshot
            [[0, 0, 0, 1.0]] * 3,  # the output layer
        ],
    )
    def test_false_alarms(self, ratios: Any) -> None:
        assert not found("dead_units", history({"dead_units.dead_ratio": ratios}))

    def test_what_lies_behind_a_dead_layer_follows_from_it(self) -> None:
        found = judge(history({"dead_units.dead_ratio": [[0, 1, 1, 1]] * 3}))
        assert [(f.layer, f.caused_by.layer if f.caused_by else None) for f in found] == [
            ("conv2", None),
            ("fc", "conv2"),
        ]


def test_dense_layers_idle_by_the_half_but_not_at_the_start() -> None:
    idle = [[0, 0, 0.2, 0], [0, 0, 0.6, 0], [0, 0, 0.6, 0]]
    assert not judge(history({"dead_units.dead_ratio": idle}))
    assert judge(history({"dead_units.dead_ratio": [[0, 0, 0.6, 0]] * 3}))
