"""``learning_rate_too_low`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import INFO, PRIOR_LOSS, found, history, training

GRADIENT: Any = {"gradient_flow.relative_gradient": [[0.1] * 4] * 4}


class TestLearningRateTooLow:
    def test_tiny_updates(self) -> None:
        (finding,) = judge(training([1.5, 1.49, 1.49, 1.48], 1e-5, **GRADIENT))
        assert (finding.fault, finding.severity) == ("learning_rate_too_low", "warning")
        # The rate of SGD is high already: it is raised at most tenfold.
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
    def test_proposed_rates_are_usual(self, optimizer: str, rate: float, step: float, proposed: str) -> None:
        used = json.dumps({"class_name": optimizer, "config": {"learning_rate": rate}})
        rows = {"update_ratio.update_ratio": [[step] * 4] * 4} | GRADIENT
        run = history(rows, info=replace(INFO, optimizer=used), scalars={"loss": [1.5, 1.49, 1.49, 1.48]})
        (finding,) = found("learning_rate_too_low", run)
        assert finding.adjustments[0].proposed == proposed

    @pytest.mark.parametrize(
        ("loss", "step", "gradient"),
        [
            ([0.2, 0.01, 0.01, 0.01], 1e-5, 0.1),  # the end of a schedule
            ([1.5, 1.3, 1.15, 1.0], 1e-5, 0.1),  # it learns nevertheless
            ([PRIOR_LOSS, PRIOR_LOSS, PRIOR_LOSS, PRIOR_LOSS], 0.0, 0.0),  # no gradient: another fault
            ([1.5, 1.49, 1.49, 1.48], 1e-3, 0.1),
        ],
    )
    def test_false_alarms(self, loss: list[float], step: float, gradient: float) -> None:
        rows = {"gradient_flow.relative_gradient": [[gradient] * 4] * 4}
        assert not found("learning_rate_too_low", training(loss, step, **rows))

    @pytest.mark.parametrize(("loss", "expected"), [([1.5, 1.49, 1.49, 1.48], True), ([1.5, 1.3, 1.29, 1.29], False)])
    def test_a_schedule_that_lowered_the_rate(self, loss: list[float], expected: bool) -> None:
        rows = {"update_ratio.update_ratio": [[1e-5] * 4] * 4} | GRADIENT
        scalars = {"loss": loss, "learning_rate": [0.1, 1e-3, 1e-5, 1e-7]}
        findings = found("learning_rate_too_low", history(rows, scalars=scalars))
        assert bool(findings) == expected
        assert not expected or findings[0].adjustments[0].proposed == "0.1"

    def test_a_warm_up_that_does_not_end(self) -> None:
        rows = {"update_ratio.update_ratio": [[1e-5] * 4] * 7, "gradient_flow.relative_gradient": [[0.1] * 4] * 7}
        scalars = {"loss": [1.5, 1.49, 1.49, 1.48, 1.48, 1.47, 1.47], "learning_rate": [n * 1e-6 for n in range(7)]}
        assert found("learning_rate_too_low", history(rows, scalars=scalars))

    @pytest.mark.parametrize(("step", "expected"), [(2e-5, False), (1e-6, True)])
    def test_a_warm_up_is_given_time_unless_it_is_far_too_slow(self, step: float, expected: bool) -> None:
        rows = {"update_ratio.update_ratio": [[step] * 4] * 4} | GRADIENT
        scalars = {"loss": [1.5, 1.49, 1.49, 1.48], "learning_rate": [1e-6, 2e-6, 3e-6, 4e-6]}
        assert bool(judge(history(rows, scalars=scalars))) == expected
