"""``learning_rate_too_high`` on histories made by hand: what shows it, and the false alarms it must not raise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import CHANCE, INFO, LAYERS, course, found, history


def test_a_run_of_which_no_loss_is_known_is_judged_all_the_same() -> None:
    rows = {"update_ratio.update_ratio": [[0.5] * 4] * 3, "dead_units.dead_ratio": [[0.0, 1.0, 0.0, 0.0]] * 3}
    assert [finding.fault for finding in judge(history(rows))] == ["dead_units"]


class TestLearningRateTooHigh:
    def test_the_loss_does_not_come_down(self) -> None:
        (finding,) = judge(course([7.0, CHANCE, CHANCE, CHANCE], [0.3, 0.1, 0.0, 0.0]))
        assert (finding.fault, finding.layer, finding.severity) == ("learning_rate_too_high", None, "error")
        assert (finding.adjustments[0].current, finding.adjustments[0].proposed) == ("0.1", "0.001")

    def test_it_has_risen_above_its_best(self) -> None:
        (finding,) = judge(course([1.0, 0.4, 0.9, 1.0, 0.8], 0.05))
        assert finding.fault == "learning_rate_too_high"
        assert finding.evidence["rise"].value == pytest.approx(2.0)

    def test_weights_that_were_thrown_out(self) -> None:
        sizes = {"weight_health.rms": [[0.1] * 4, [5.0] * 4, [5.0] * 4, [5.0] * 4]}
        assert found("learning_rate_too_high", course([90.0, CHANCE, CHANCE, CHANCE], 1e-4, **sizes))

    @pytest.mark.parametrize(
        ("loss", "step"),
        [
            ([1.0, 0.5, 0.2, 0.1, 0.05], 0.1),  # batch norm, Adadelta: large steps, and it learns
            ([0.5, 0.01, 0.03, 0.02, 0.03], 0.02),  # noise of a converged run
            ([1.0, 0.5, 0.9, 0.5, 0.4], 0.02),  # a restart
            ([1.0, 0.9, 1.0, 0.85, 0.9, 0.8, 0.82, 0.78], 0.02),  # noise of small batches
            ([CHANCE, CHANCE, CHANCE, CHANCE], 1e-3),  # it stands still for other reasons
        ],
    )
    def test_false_alarms(self, loss: list[float], step: float) -> None:
        assert not found("learning_rate_too_high", course(loss, step))

    def test_it_rests_high_under_large_steps(self) -> None:
        loss = [1.3, 1.0, 0.9, 0.89, 0.885, 0.88, 0.88, 0.88, 0.88]
        first, *others = judge(course(loss, 0.05))
        assert (first.fault, first.severity) == ("learning_rate_too_high", "error")
        assert [(other.fault, other.caused_by is None) for other in others] == [("underfitting", False)]

    def test_a_cyclical_rate(self) -> None:
        rows = {"update_ratio.update_ratio": [[0.05] * 4] * 7}
        scalars = {
            "loss": [1.0, 0.5, 1.1, 0.6, 1.0, 0.5, 0.45],
            "learning_rate": [0.01, 0.1, 0.01, 0.1, 0.01, 0.1, 0.01],
        }
        assert not found("learning_rate_too_high", history(rows, scalars=scalars))

    def test_it_goes_up_and_down(self) -> None:
        (finding,) = found("learning_rate_too_high", course([1.0, 0.5, 1.1, 0.6, 1.0, 0.5, 0.9], 0.05))
        assert "swings" in finding.message

    def test_a_step_that_kills_a_layer_is_too_large_though_nothing_moves_afterwards(self) -> None:
        dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 1.0, 0.0]] * 4
        told = course([CHANCE] * 5, [0.0, 0.004, 0.0, 0.0, 0.0], **{"dead_units.dead_ratio": dead})
        first, *others = judge(told)
        assert (first.fault, first.adjustments[0].proposed) == ("learning_rate_too_high", "0.01")
        assert {finding.fault for finding in others} == {"dead_units"}
        assert all(finding.caused_by for finding in others)

    @pytest.mark.parametrize(
        ("dead", "loss", "broken"),
        [
            ([[0.1, 1.0, 0.1, 0.0]] * 5, CHANCE, 0.0),  # from the start: no step did it
            ([[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 4, 0.5, 0.0),  # there is a way around it
            ([[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 4, CHANCE, 3.0),  # NaN is rectified to 0
            ([[0.1, 0.2, 0.1, 0.0]] + [[0.1, 0.6, 0.1, 0.0]] * 4, CHANCE, 0.0),
        ],
    )
    def test_other_deaths(self, dead: Any, loss: float, broken: float) -> None:
        rows = {"dead_units.dead_ratio": dead, "weight_health.non_finite": [[0.0, broken, 0.0, 0.0]] * 5}
        assert not found("learning_rate_too_high", course([loss] * 5, [0.0, 0.004, 0.0, 0.0, 0.0], **rows))

    def test_a_penalty_on_activities_can_kill_too(self) -> None:
        punished = json.dumps({"activity_regularizer": {"class_name": "L1", "config": {"l1": 0.1}}})
        layers = (LAYERS[0], replace(LAYERS[1], config=punished), *LAYERS[2:])
        dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 4
        rows = {"dead_units.dead_ratio": dead, "update_ratio.update_ratio": [[s] * 4 for s in (0, 0.004, 0, 0, 0)]}
        found = judge(history(rows, info=replace(INFO, layers=layers), scalars={"loss": [CHANCE] * 5}))
        assert [finding.fault for finding in found] == ["dead_units"]
        assert found[0].adjustments[0].parameter == "activity_regularizer"

    @pytest.mark.parametrize(("factor", "told"), [(1.0, False), (1e-3, True)])
    def test_what_a_penalty_takes_is_not_the_rate(self, factor: float, told: bool) -> None:
        penalty = json.dumps({"kernel_regularizer": {"class_name": "L2", "config": {"l2": factor}}})
        info = replace(INFO, layers=tuple(replace(layer, config=penalty) for layer in LAYERS))
        rows = {"update_ratio.update_ratio": [[0.2] * 4] * 4, "weight_health.rms": [[0.1] * 4] * 4}
        findings = found("learning_rate_too_high", history(rows, info=info, scalars={"loss": [CHANCE] * 4}))
        assert bool(findings) == told

    def test_the_layer_that_died_of_it_is_named(self) -> None:
        alive, dead = [0.0] * 4, [0.0, 1.0, 0.0, 0.0]
        rows = {"update_ratio.update_ratio": [[0.3] * 4] * 4, "dead_units.dead_ratio": [alive, dead, dead, dead]}
        (finding, *_) = found("learning_rate_too_high", history(rows, scalars={"loss": [7.0, CHANCE, CHANCE, CHANCE]}))
        assert finding.layer is None
        assert finding.message.endswith("conv2 has died of it.")

    def test_what_decay_takes_is_not_the_rate(self) -> None:
        decay = json.dumps({"class_name": "AdamW", "config": {"learning_rate": 0.1, "weight_decay": 2.0}})
        rows = {"update_ratio.update_ratio": [[0.2] * 4] * 4}
        scalars = {"loss": [CHANCE] * 4}
        assert not found("learning_rate_too_high", history(rows, info=replace(INFO, optimizer=decay), scalars=scalars))
        assert found("learning_rate_too_high", history(rows, scalars=scalars))
