"""``learning_rate_too_low`` on histories made by hand: what shows it, and the false alarms it must not raise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import CHANCE, INFO, course, found, history

GRADIENT: Any = {"gradient_flow.relative_gradient": [[0.1] * 4] * 4}


class TestLearningRateTooLow:
    def test_nothing_moves(self) -> None:
        (finding,) = judge(course([1.5, 1.49, 1.49, 1.48], 1e-5, **GRADIENT))
        assert (finding.fault, finding.severity) == ("learning_rate_too_low", "warning")
        # So large a rate of SGD is not what keeps it back: it is raised by no more than a person would.
        assert (finding.adjustments[0].current, finding.adjustments[0].proposed) == ("0.1", "1")

    @pytest.mark.parametrize(
        ("optimizer", "rate", "step", "proposed"),
        [
            ("SGD", 1e-6, 1e-5, "0.001"),
            ("SGD", 1e-6, 1e-8, "0.1"),
            ("Adam", 1e-6, 1e-8, "0.01"),
            ("Adadelta", 1e-6, 1e-8, "1"),
        ],
    )
    def test_rates_proposed_are_rates_in_use(self, optimizer: str, rate: float, step: float, proposed: str) -> None:
        used = json.dumps({"class_name": optimizer, "config": {"learning_rate": rate}})
        rows = {"update_ratio.update_ratio": [[step] * 4] * 4} | GRADIENT
        told = history(rows, info=replace(INFO, optimizer=used), scalars={"loss": [1.5, 1.49, 1.49, 1.48]})
        (finding,) = found("learning_rate_too_low", told)
        assert finding.adjustments[0].proposed == proposed

    @pytest.mark.parametrize(
        ("loss", "step", "gradient"),
        [
            ([0.2, 0.01, 0.01, 0.01], 1e-5, 0.1),  # the tail of a schedule
            ([1.5, 1.3, 1.15, 1.0], 1e-5, 0.1),  # it learns all the same
            ([CHANCE, CHANCE, CHANCE, CHANCE], 0.0, 0.0),  # there is no gradient: another fault
            ([1.5, 1.49, 1.49, 1.48], 1e-3, 0.1),
        ],
    )
    def test_false_alarms(self, loss: list[float], step: float, gradient: float) -> None:
        rows = {"gradient_flow.relative_gradient": [[gradient] * 4] * 4}
        assert not found("learning_rate_too_low", course(loss, step, **rows))

    @pytest.mark.parametrize(("loss", "told"), [([1.5, 1.49, 1.49, 1.48], True), ([1.5, 1.3, 1.29, 1.29], False)])
    def test_a_schedule_that_has_fallen(self, loss: list[float], told: bool) -> None:
        rows = {"update_ratio.update_ratio": [[1e-5] * 4] * 4} | GRADIENT
        scalars = {"loss": loss, "learning_rate": [0.1, 1e-3, 1e-5, 1e-7]}
        findings = found("learning_rate_too_low", history(rows, scalars=scalars))
        assert bool(findings) == told
        assert not told or findings[0].adjustments[0].proposed == "0.1"

    def test_a_warm_up_that_does_not_end(self) -> None:
        rows = {"update_ratio.update_ratio": [[1e-5] * 4] * 7, "gradient_flow.relative_gradient": [[0.1] * 4] * 7}
        scalars = {"loss": [1.5, 1.49, 1.49, 1.48, 1.48, 1.47, 1.47], "learning_rate": [n * 1e-6 for n in range(7)]}
        assert found("learning_rate_too_low", history(rows, scalars=scalars))

    @pytest.mark.parametrize(("step", "told"), [(2e-5, False), (1e-6, True)])
    def test_warm_up_is_given_time_unless_it_would_take_for_ever(self, step: float, told: bool) -> None:
        rows = {"update_ratio.update_ratio": [[step] * 4] * 4} | GRADIENT
        scalars = {"loss": [1.5, 1.49, 1.49, 1.48], "learning_rate": [1e-6, 2e-6, 3e-6, 4e-6]}
        assert bool(judge(history(rows, scalars=scalars))) == told
