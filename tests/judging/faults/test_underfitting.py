"""``underfitting`` on handmade histories: what must raise it, and what must not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import LayerInfo, Targets
from tests.judging.faults.made import INFO, LAYERS, PRIOR_LOSS, found, history, training


class TestUnderfitting:
    RESTS = (1.3, 1.0, 0.9, 0.89, 0.885, 0.88, 0.88, 0.88, 0.88)

    def test_a_loss_that_still_falls_may_only_need_more_epochs(self) -> None:
        loss = [1.3, 1.28, 1.26, 1.24, 1.22, 1.2, 1.18, 1.16]
        assert [finding.fault for finding in judge(training(loss, 1e-3))] == ["too_few_epochs"]

    def test_a_network_that_learned_nothing(self) -> None:
        loss = [1.39, 1.385, 1.38, 1.375, 1.37, 1.37]
        (finding,) = judge(training(loss, 1e-3))
        assert (finding.fault, finding.layer, finding.severity) == ("underfitting", None, "warning")
        assert finding.adjustments[0].parameter == "labels"
        weighted = [5.0, 3.0, 2.0, 1.5, 1.45, 1.44]  # class weights: the prior loss is not that of this loss
        assert not found("underfitting", training(weighted, 1e-3))

    @pytest.mark.parametrize(("rate", "expected"), [(0.9, "underfitting"), (0.3, "learning_rate_too_high")])
    def test_strong_regularization_is_the_cause_of_what_follows(self, rate: float, expected: str) -> None:
        layers = (LAYERS[0], replace(LAYERS[1], dropout=rate, dropout_at="drop"), *LAYERS[2:])
        dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 6
        rows = {"dead_units.dead_ratio": dead, "update_ratio.update_ratio": [[1e-3] * 4] * 7}
        (finding,) = found(
            "dead_units", history(rows, info=replace(INFO, layers=layers), scalars={"loss": [PRIOR_LOSS] * 7})
        )
        assert finding.caused_by is not None
        assert finding.caused_by.fault == expected

    @pytest.mark.parametrize(("units", "expected"), [(2, True), (8, False)])
    def test_a_slowly_falling_loss_behind_a_layer_of_two_units(self, units: int, expected: bool) -> None:
        loss = [0.9, 0.88, 0.86, 0.84, 0.82, 0.8, 0.785, 0.77]
        layers = (*LAYERS[:2], replace(LAYERS[2], units=units), LAYERS[3])
        rows = {"update_ratio.update_ratio": [[1e-3] * 4] * len(loss)}
        findings = found("underfitting", history(rows, info=replace(INFO, layers=layers), scalars={"loss": loss}))
        assert [finding.layer for finding in findings] == (["fc"] if expected else [])

    def test_a_single_layer_has_a_linear_decision_boundary(self) -> None:
        one = replace(LAYERS[3], inputs=())
        rows = {"update_ratio.update_ratio": [[0.04]] * 9}
        run = history(rows, info=replace(INFO, layers=(one,)), scalars={"loss": [PRIOR_LOSS] * 9})
        (finding,) = judge(run)
        assert (finding.fault, finding.layer) == ("underfitting", "head")
        assert (finding.adjustments[0].parameter, finding.adjustments[0].proposed) == ("layers", "2")

    def test_a_high_plateau(self) -> None:
        (finding,) = judge(training(self.RESTS, 1e-3))
        assert (finding.fault, finding.layer, finding.severity) == ("underfitting", "conv1", "warning")
        assert (finding.adjustments[0].parameter, finding.adjustments[0].proposed) == ("filters", "32")

    @pytest.mark.parametrize(
        ("loss", "step"),
        [
            ([1.3, 1.2, 1.1, 1.0], 1e-3),  # early
            ([1.3, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5], 1e-3),  # it falls
            ([0.3 * loss for loss in RESTS], 1e-3),  # a low plateau
            (RESTS, 1e-6),  # the weights do not change: the end of a schedule
        ],
    )
    def test_false_alarms(self, loss: list[float], step: float) -> None:
        assert not found("underfitting", training(loss, step))

    @pytest.mark.parametrize(("variance", "expected"), [(None, False), (1.0, True), (2.0, False)])
    def test_the_prior_loss_of_a_regression_is_the_variance_of_its_targets(
        self, variance: float | None, expected: bool
    ) -> None:
        rows = {"update_ratio.update_ratio": [[1e-3] * 4] * 9}
        targets = None if variance is None else Targets(low=-2.0, high=2.0, variance=variance)
        head = replace(LAYERS[3], units=1, activation="linear")
        probe = replace(INFO.probe, class_counts=(), targets=targets)
        info = replace(INFO, loss='"mse"', layers=(*LAYERS[:3], head), probe=probe)
        assert bool(found("underfitting", history(rows, info=info, scalars={"loss": self.RESTS}))) == expected

    @pytest.mark.parametrize(
        ("layer", "optimizer", "place", "parameter", "proposed"),
        [
            (replace(LAYERS[2], dropout=0.97, dropout_at="drop"), {}, "drop", "rate", "0.3"),
            (
                replace(
                    LAYERS[2], config=json.dumps({"kernel_regularizer": {"class_name": "L2", "config": {"l2": 1.0}}})
                ),
                {},
                "fc",
                "kernel_regularizer",
                "None",
            ),
            (LAYERS[2], {"weight_decay": 30.0}, None, "weight_decay", "0.0001"),
        ],
    )
    def test_strong_regularization_is_weakened(
        self, layer: LayerInfo, optimizer: dict[str, float], place: str | None, parameter: str, proposed: str
    ) -> None:
        settings = json.dumps({"class_name": "AdamW", "config": {"learning_rate": 1e-4, **optimizer}})
        info = replace(INFO, layers=(*LAYERS[:2], layer, LAYERS[3]), optimizer=settings)
        rows = {"update_ratio.update_ratio": [[4e-3] * 4] * 9}
        (finding,) = found("underfitting", history(rows, info=info, scalars={"loss": self.RESTS}))
        change = finding.adjustments[0]
        assert (change.layer, change.parameter, change.proposed) == (place, parameter, proposed)
        assert finding.layer == ("fc" if place else "conv1")
