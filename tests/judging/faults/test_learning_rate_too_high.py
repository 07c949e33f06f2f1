"""``learning_rate_too_high`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.judging.judge import judge
from tests.judging.faults.made import INFO, LAYERS, PRIOR_LOSS, found, history, training


def test_a_run_without_a_loss_is_judged() -> None:
    rows = {"update_ratio.update_ratio": [[0.5] * 4] * 3, "dead_units.dead_ratio": [[0.0, 1.0, 0.0, 0.0]] * 3}
    assert [finding.fault for finding in judge(history(rows))] == ["dead_units"]


class TestLearningRateTooHigh:
    def test_the_loss_does_not_fall(self) -> None:
        (finding,) = judge(training([7.0, PRIOR_LOSS, PRIOR_LOSS, PRIOR_LOSS], [0.3, 0.1, 0.0, 0.0]))
        assert (finding.fault, finding.layer, finding.severity) == ("learning_rate_too_high", None, "error")
        assert (finding.adjustments[0].current, finding.adjustments[0].proposed) == ("0.1", "0.001")

    def test_the_loss_rises_above_its_best_value(self) -> None:
        (finding,) = judge(training([1.0, 0.4, 0.9, 1.0, 0.8], 0.05))
        assert finding.fault == "learning_rate_too_high"
        assert finding.evidence["rise"].value == pytest.approx(2.0)

    def test_weights_that_have_grown(self) -> None:
        sizes = {"weight_health.rms": [[0.1] * 4, [5.0] * 4, [5.0] * 4, [5.0] * 4]}
        assert found("learning_rate_too_high", training([90.0, PRIOR_LOSS, PRIOR_LOSS, PRIOR_LOSS], 1e-4, **sizes))

    @pytest.mark.parametrize(
        ("loss", "step"),
        [
            ([1.0, 0.5, 0.2, 0.1, 0.05], 0.1),  # batch norm, Adadelta: large steps, and it learns
            ([0.5, 0.01, 0.03, 0.02, 0.03], 0.02),  # noise of a converged run
            ([1.0, 0.5, 0.9, 0.5, 0.4], 0.02),  # a restart
            ([1.0, 0.9, 1.0, 0.85, 0.9, 0.8, 0.82, 0.78], 0.02),  # noise of small batches
            ([PRIOR_LOSS, PRIOR_LOSS, PRIOR_LOSS, PRIOR_LOSS], 1e-3),  # small updates: another cause
        ],
    )
    def test_false_alarms(self, loss: list[float], step: float) -> None:
        assert not found("learning_rate_too_high", training(loss, step))

    def test_a_high_plateau_with_large_updates(self) -> None:
        loss = [1.3, 1.0, 0.9, 0.89, 0.885, 0.88, 0.88, 0.88, 0.88]
        first, *others = judge(training(loss, 0.05))
        assert (first.fault, first.severity) == ("learning_rate_too_high", "error")
        assert [(other.fault, other.caused_by is None) for other in others] == [("underfitting", False)]

    def test_a_cyclical_rate(self) -> None:
        rows = {"update_ratio.update_ratio": [[0.05] * 4] * 7}
        scalars = {
            "loss": [1.0, 0.5, 1.1, 0.6, 1.0, 0.5, 0.45],
            "learning_rate": [0.01, 0.1, 0.01, 0.1, 0.01, 0.1, 0.01],
        }
        assert not found("learning_rate_too_high", history(rows, scalars=scalars))

    def test_an_oscillating_loss(self) -> None:
        (finding,) = found("learning_rate_too_high", training([1.0, 0.5, 1.1, 0.6, 1.0, 0.5, 0.9], 0.05))
        assert "the loss oscillates" in finding.message

    def test_an_update_that_kills_a_layer_is_too_large_although_updates_are_small_afterwards(self) -> None:
        dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 1.0, 0.0]] * 4
        run = training([PRIOR_LOSS] * 5, [0.0, 0.004, 0.0, 0.0, 0.0], **{"dead_units.dead_ratio": dead})
        first, *others = judge(run)
        assert (first.fault, first.adjustments[0].proposed) == ("learning_rate_too_high", "0.01")
        assert {finding.fault for finding in others} == {"dead_units"}
        assert all(finding.caused_by for finding in others)

    @pytest.mark.parametrize(
        ("dead", "loss", "broken"),
        [
            ([[0.1, 1.0, 0.1, 0.0]] * 5, PRIOR_LOSS, 0.0),  # from step 0: no update is the cause
            (
                [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 4,
                0.5,
                0.0,
            ),  # the network learns around the layer
            ([[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 4, PRIOR_LOSS, 3.0),  # NaN is rectified to 0
            ([[0.1, 0.2, 0.1, 0.0]] + [[0.1, 0.6, 0.1, 0.0]] * 4, PRIOR_LOSS, 0.0),
        ],
    )
    def test_dead_units_with_other_causes(self, dead: Any, loss: float, broken: float) -> None:
        rows = {"dead_units.dead_ratio": dead, "weight_health.non_finite": [[0.0, broken, 0.0, 0.0]] * 5}
        assert not found("learning_rate_too_high", training([loss] * 5, [0.0, 0.004, 0.0, 0.0, 0.0], **rows))

    def test_an_activity_penalty_can_kill_units_too(self) -> None:
        punished = json.dumps({"activity_regularizer": {"class_name": "L1", "config": {"l1": 0.1}}})
        layers = (LAYERS[0], replace(LAYERS[1], config=punished), *LAYERS[2:])
        dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 4
        rows = {"dead_units.dead_ratio": dead, "update_ratio.update_ratio": [[s] * 4 for s in (0, 0.004, 0, 0, 0)]}
        found = judge(history(rows, info=replace(INFO, layers=layers), scalars={"loss": [PRIOR_LOSS] * 5}))
        assert [finding.fault for finding in found] == ["underfitting", "dead_units"]
        assert found[0].adjustments[0].parameter == "activity_regularizer"
        assert found[1].caused_by == found[0]

    @pytest.mark.parametrize(("factor", "expected"), [(1.0, False), (1e-3, True)])
    def test_updates_of_a_strong_penalty_are_not_the_learning_rate(self, factor: float, expected: bool) -> None:
        penalty = json.dumps({"kernel_regularizer": {"class_name": "L2", "config": {"l2": factor}}})
        info = replace(INFO, layers=tuple(replace(layer, config=penalty) for layer in LAYERS))
        rows = {"update_ratio.update_ratio": [[0.2] * 4] * 4, "weight_health.rms": [[0.1] * 4] * 4}
        findings = found("learning_rate_too_high", history(rows, info=info, scalars={"loss": [PRIOR_LOSS] * 4}))
        assert bool(findings) == expected

    def test_the_dead_layer_is_named(self) -> None:
        alive, dead = [0.0] * 4, [0.0, 1.0, 0.0, 0.0]
        rows = {"update_ratio.update_ratio": [[0.3] * 4] * 4, "dead_units.dead_ratio": [alive, dead, dead, dead]}
        (finding, *_) = found(
            "learning_rate_too_high", history(rows, scalars={"loss": [7.0, PRIOR_LOSS, PRIOR_LOSS, PRIOR_LOSS]})
        )
        assert finding.layer is None
        assert finding.message.endswith("As a result, 100 % of the units of conv2 died.")

    def test_updates_of_a_strong_weight_decay_are_not_the_learning_rate(self) -> None:
        decay = json.dumps({"class_name": "AdamW", "config": {"learning_rate": 0.1, "weight_decay": 2.0}})
        rows = {"update_ratio.update_ratio": [[0.2] * 4] * 4}
        scalars = {"loss": [PRIOR_LOSS] * 4}
        assert not found("learning_rate_too_high", history(rows, info=replace(INFO, optimizer=decay), scalars=scalars))
        assert found("learning_rate_too_high", history(rows, scalars=scalars))
