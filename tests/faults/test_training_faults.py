"""Faults of a training as a whole, on histories made by hand: learning rates, initialisation, fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judge import judge
from tb_cnndiag.payloads import LayerInfo, RunInfo, Targets
from tests.faults.test_faults import INFO, LAYERS, history

NAN = float("nan")
CHANCE = 1.386  # ln 4


def _found(fault: str, told: History) -> list[Finding]:
    return [finding for finding in judge(told) if finding.fault == fault]


def _course(loss: Sequence[float], step: float | Sequence[float], **columns: Any) -> History:
    """A training of this loss, with steps of this size in every layer (none at the look before it)."""
    steps = [step] * len(loss) if isinstance(step, int | float) else list(step)
    rows = {"update_ratio.update_ratio": [[s] * 4 for s in steps]} | columns
    return history(rows, scalars={"loss": list(loss)})


def test_a_run_of_which_no_loss_is_known_is_judged_all_the_same() -> None:
    rows = {"update_ratio.update_ratio": [[0.5] * 4] * 3, "dead_units.dead_ratio": [[0.0, 1.0, 0.0, 0.0]] * 3}
    assert [finding.fault for finding in judge(history(rows))] == ["dead_units"]


class TestLearningRateTooHigh:
    def test_the_loss_does_not_come_down(self) -> None:
        (finding,) = judge(_course([7.0, CHANCE, CHANCE, CHANCE], [0.3, 0.1, 0.0, 0.0]))
        assert (finding.fault, finding.layer, finding.severity) == ("learning_rate_too_high", None, "error")
        assert (finding.adjustments[0].current, finding.adjustments[0].proposed) == ("0.1", "0.001")

    def test_it_has_risen_above_its_best(self) -> None:
        (finding,) = judge(_course([1.0, 0.4, 0.9, 1.0, 0.8], 0.05))
        assert finding.fault == "learning_rate_too_high"
        assert finding.evidence["rise"].value == pytest.approx(2.0)

    def test_weights_that_were_thrown_out(self) -> None:
        sizes = {"weight_health.rms": [[0.1] * 4, [5.0] * 4, [5.0] * 4, [5.0] * 4]}
        assert _found("learning_rate_too_high", _course([90.0, CHANCE, CHANCE, CHANCE], 1e-4, **sizes))

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
        assert not _found("learning_rate_too_high", _course(loss, step))

    def test_it_rests_high_under_large_steps(self) -> None:
        loss = [1.3, 1.0, 0.9, 0.89, 0.885, 0.88, 0.88, 0.88, 0.88]
        first, *others = judge(_course(loss, 0.05))
        assert (first.fault, first.severity) == ("learning_rate_too_high", "error")
        assert [(other.fault, other.caused_by is None) for other in others] == [("underfitting", False)]

    def test_a_cyclical_rate(self) -> None:
        rows = {"update_ratio.update_ratio": [[0.05] * 4] * 7}
        scalars = {
            "loss": [1.0, 0.5, 1.1, 0.6, 1.0, 0.5, 0.45],
            "learning_rate": [0.01, 0.1, 0.01, 0.1, 0.01, 0.1, 0.01],
        }
        assert not _found("learning_rate_too_high", history(rows, scalars=scalars))

    def test_it_goes_up_and_down(self) -> None:
        (finding,) = _found("learning_rate_too_high", _course([1.0, 0.5, 1.1, 0.6, 1.0, 0.5, 0.9], 0.05))
        assert "swings" in finding.message

    def test_a_step_that_kills_a_layer_is_too_large_though_nothing_moves_afterwards(self) -> None:
        dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 1.0, 0.0]] * 4
        told = _course([CHANCE] * 5, [0.0, 0.004, 0.0, 0.0, 0.0], **{"dead_units.dead_ratio": dead})
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
        assert not _found("learning_rate_too_high", _course([loss] * 5, [0.0, 0.004, 0.0, 0.0, 0.0], **rows))

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
        found = _found("learning_rate_too_high", history(rows, info=info, scalars={"loss": [CHANCE] * 4}))
        assert bool(found) == told

    def test_what_decay_takes_is_not_the_rate(self) -> None:
        decay = json.dumps({"class_name": "AdamW", "config": {"learning_rate": 0.1, "weight_decay": 2.0}})
        rows = {"update_ratio.update_ratio": [[0.2] * 4] * 4}
        scalars = {"loss": [CHANCE] * 4}
        assert not _found("learning_rate_too_high", history(rows, info=replace(INFO, optimizer=decay), scalars=scalars))
        assert _found("learning_rate_too_high", history(rows, scalars=scalars))


GRADIENT: Any = {"gradient_flow.relative_gradient": [[0.1] * 4] * 4}


class TestLearningRateTooLow:
    def test_nothing_moves(self) -> None:
        (finding,) = judge(_course([1.5, 1.49, 1.49, 1.48], 1e-5, **GRADIENT))
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
        (finding,) = _found("learning_rate_too_low", told)
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
        assert not _found("learning_rate_too_low", _course(loss, step, **rows))

    @pytest.mark.parametrize(("loss", "told"), [([1.5, 1.49, 1.49, 1.48], True), ([1.5, 1.3, 1.29, 1.29], False)])
    def test_a_schedule_that_has_fallen(self, loss: list[float], told: bool) -> None:
        rows = {"update_ratio.update_ratio": [[1e-5] * 4] * 4} | GRADIENT
        scalars = {"loss": loss, "learning_rate": [0.1, 1e-3, 1e-5, 1e-7]}
        found = _found("learning_rate_too_low", history(rows, scalars=scalars))
        assert bool(found) == told
        assert not told or found[0].adjustments[0].proposed == "0.1"

    def test_a_warm_up_that_does_not_end(self) -> None:
        rows = {"update_ratio.update_ratio": [[1e-5] * 4] * 7, "gradient_flow.relative_gradient": [[0.1] * 4] * 7}
        scalars = {"loss": [1.5, 1.49, 1.49, 1.48, 1.48, 1.47, 1.47], "learning_rate": [n * 1e-6 for n in range(7)]}
        assert _found("learning_rate_too_low", history(rows, scalars=scalars))

    def test_warm_up(self) -> None:
        rows = {"update_ratio.update_ratio": [[1e-5] * 4] * 4} | GRADIENT
        scalars = {"loss": [1.5, 1.49, 1.49, 1.48], "learning_rate": [1e-6, 2e-6, 3e-6, 4e-6]}
        assert not judge(history(rows, scalars=scalars))


class TestBadInit:
    def test_filters_that_start_and_stay_alike(self) -> None:
        (finding,) = judge(history({"filter_similarity.mean_similarity": [[0.1, 1.0, 0.1, 0.1]] * 3}))
        assert (finding.fault, finding.layer, finding.severity) == ("bad_init", "conv2", "error")
        assert finding.adjustments[0].proposed == "he_normal"

    def test_filters_that_start_alike_and_are_still_close(self) -> None:
        course = [[0.1, 1.0, 0.1, 0.1], [0.1, 0.98, 0.1, 0.1], [0.1, 0.93, 0.1, 0.1]]
        (finding,) = _found("bad_init", history({"filter_similarity.mean_similarity": course}))
        assert finding.layer == "conv2"
        assert not _found("bad_init", history({"filter_similarity.mean_similarity": [*course, [0.1, 0.3, 0.1, 0.1]]}))

    def test_filters_of_one_weight_cannot_differ(self) -> None:
        first = replace(LAYERS[0], fan_in=1)
        told = history(
            {"filter_similarity.mean_similarity": [[1.0, 0.1, 0.1, 0.1]] * 3},
            info=replace(INFO, layers=(first, *LAYERS[1:])),
        )
        assert not judge(told)

    def test_zeros(self) -> None:
        rows = {
            "weight_health.zero_share": [[0, 1.0, 0, 0]] * 3,
            "filter_similarity.mean_similarity": [[0.1, NAN, 0.1, 0.1]] * 3,
        }
        (finding,) = judge(history(rows))
        assert (finding.fault, finding.layer) == ("bad_init", "conv2")

    def test_a_branch_that_starts_at_zero_and_leaves_it(self) -> None:
        assert not judge(history({"weight_health.zero_share": [[0, 1.0, 0, 1.0], [0, 0, 0, 0], [0, 0, 0, 0]]}))

    def test_a_zero_head(self) -> None:
        assert not judge(history({"weight_health.zero_share": [[0, 0, 0, 1.0]] * 3}))

    def test_far_too_large(self) -> None:
        gains = {"weight_health.gain": [[1.4, 1.4, 40.0, 1.0]] * 3}
        (finding,) = judge(history(gains, scalars={"loss": [50.0, 20.0, 9.0]}))
        assert (finding.fault, finding.layer) == ("bad_init", "fc")

    def test_weights_of_one_sign_add_up(self) -> None:
        rows = {
            "weight_health.gain": [[2.0, 4.0, 4.0, 1.0]] * 3,  # as of independent inputs
            "weight_health.rms": [[0.5, 0.5, 0.5, 0.1]] * 3,
            "dead_units.magnitude": [[8.0, 400.0, 3e4, 0.1]] * 3,
            "model_input.mean": [[0.5, NAN, NAN, NAN]] * 3,
            "model_input.std": [[0.3, NAN, NAN, NAN]] * 3,
        }
        (finding,) = _found("bad_init", history(rows, scalars={"loss": [50.0, 20.0, CHANCE]}))
        assert finding.layer == "conv1" or finding.layer == "conv2"
        assert not _found("bad_init", history(rows, scalars={"loss": [1.3, 1.0, 0.8]}))

    def test_far_too_small(self) -> None:
        gains = {"weight_health.gain": [[0.01, 0.01, 0.01, 1.0]] * 3}
        (finding,) = judge(history(gains, scalars={"loss": [CHANCE] * 3}))
        assert finding.fault == "bad_init"

    @pytest.mark.parametrize(
        ("gain", "loss"),
        [
            (0.3, [1.2, 0.8, 0.5]),  # a small start from which it learns
            (3.0, [1.5, 0.8, 0.5]),
            (1.4, [CHANCE] * 3),  # a usual start, and nothing is learned
        ],
    )
    def test_false_alarms(self, gain: float, loss: list[float]) -> None:
        assert not _found("bad_init", history({"weight_health.gain": [[gain] * 4] * 3}, scalars={"loss": loss}))


class TestUnderfitting:
    RESTS = (1.3, 1.0, 0.9, 0.89, 0.885, 0.88, 0.88, 0.88, 0.88)

    def test_it_falls_slowly_far_above(self) -> None:
        loss = [1.3, 1.28, 1.26, 1.24, 1.22, 1.2, 1.19, 1.18]
        assert _found("underfitting", _course(loss, 1e-3))
        assert not _found("underfitting", _course([0.6 * value for value in loss], 1e-3))

    def test_it_rests_high(self) -> None:
        (finding,) = judge(_course(self.RESTS, 1e-3))
        assert (finding.fault, finding.layer, finding.severity) == ("underfitting", "conv1", "warning")
        assert (finding.adjustments[0].parameter, finding.adjustments[0].proposed) == ("filters", "32")

    @pytest.mark.parametrize(
        ("loss", "step"),
        [
            ([1.3, 1.2, 1.1, 1.0], 1e-3),  # early
            ([1.3, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5], 1e-3),  # it falls
            ([0.3 * loss for loss in RESTS], 1e-3),  # it rests low
            (RESTS, 1e-6),  # weights rest too: the end of a schedule
        ],
    )
    def test_false_alarms(self, loss: list[float], step: float) -> None:
        assert not _found("underfitting", _course(loss, step))

    @pytest.mark.parametrize(("variance", "told"), [(None, False), (1.0, True), (2.0, False)])
    def test_chance_of_a_regression_is_the_variance_of_its_targets(self, variance: float | None, told: bool) -> None:
        rows = {"update_ratio.update_ratio": [[1e-3] * 4] * 9}
        targets = None if variance is None else Targets(low=-2.0, high=2.0, variance=variance)
        head = replace(LAYERS[3], units=1, activation="linear")
        probe = replace(INFO.probe, class_counts=(), targets=targets)
        info = replace(INFO, loss='"mse"', layers=(*LAYERS[:3], head), probe=probe)
        assert bool(_found("underfitting", history(rows, info=info, scalars={"loss": self.RESTS}))) == told

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
    def test_what_holds_it_back_is_weakened(
        self, layer: LayerInfo, optimizer: dict[str, float], place: str | None, parameter: str, proposed: str
    ) -> None:
        settings = json.dumps({"class_name": "AdamW", "config": {"learning_rate": 1e-4, **optimizer}})
        info = replace(INFO, layers=(*LAYERS[:2], layer, LAYERS[3]), optimizer=settings)
        rows = {"update_ratio.update_ratio": [[4e-3] * 4] * 9}
        (finding,) = _found("underfitting", history(rows, info=info, scalars={"loss": self.RESTS}))
        change = finding.adjustments[0]
        assert (change.layer, change.parameter, change.proposed) == (place, parameter, proposed)
        assert finding.layer == ("fc" if place else "conv1")


class TestBatchTooSmallForBn:
    def _told(self, batch: int, norm: str, val_loss: Sequence[float] = (0.9, 0.6, 0.4)) -> list[Finding]:
        layers = (replace(LAYERS[0], normalization="n1", normalization_class=norm), *LAYERS[1:])
        info = replace(INFO, layers=layers, batch_size=batch)
        scalars = {"loss": [1.0, 0.6, 0.4], "val_loss": list(val_loss)}
        return _found("batch_too_small_for_bn", history({}, info=info, scalars=scalars))

    def test_two_samples(self) -> None:
        (finding,) = self._told(2, "BatchNormalization")
        assert (finding.layer, finding.severity) == ("conv1", "warning")
        assert finding.adjustments[0].proposed == "GroupNormalization"

    def test_a_few_samples_only_where_validation_suffers(self) -> None:
        assert [f.severity for f in self._told(6, "BatchNormalization")] == ["info"]
        assert [f.severity for f in self._told(6, "BatchNormalization", (2.0, 2.0, 2.0))] == ["warning"]

    @pytest.mark.parametrize(
        ("batch", "norm"), [(2, "GroupNormalization"), (32, "BatchNormalization"), (2, ""), (0, "BatchNormalization")]
    )
    def test_false_alarms(self, batch: int, norm: str) -> None:
        assert not self._told(batch, norm)


def _conv(path: str, *inputs: int, units: int = 16, window: int = 3, **options: Any) -> LayerInfo:
    shape = (window, window, 16, units)
    known: dict[str, Any] = {
        "role": "conv",
        "activation": "linear",
        "output_shape": (8, 8, units),
        "linear_behind": True,
    } | options
    return LayerInfo(path, "Conv2D", units=units, fan_in=144, kernel_shape=shape, inputs=inputs, **known)


class TestMissingActivation:
    def _told(self, *layers: LayerInfo) -> list[Finding]:
        head = LayerInfo("head", "Dense", "dense", 4, 16, activation="softmax", inputs=(len(layers) - 1,), output=True)
        info = RunInfo("t", (*layers, head))
        return _found("missing_activation", history({"weight_health.rms": [[0.1] * (len(layers) + 1)]}, info=info))

    def test_two_convolutions(self) -> None:
        (finding,) = self._told(_conv("a"), _conv("b", 0, activation="relu"))
        assert (finding.layer, finding.adjustments[0].proposed) == ("a", "relu")

    def test_batch_normalisation_between_changes_nothing(self) -> None:
        assert self._told(
            _conv("a", normalization="n1", normalization_class="BatchNormalization"), _conv("b", 0, activation="relu")
        )

    def test_a_dense_layer_before_the_head(self) -> None:
        dense = LayerInfo(
            "fc",
            "Dense",
            "dense",
            16,
            64,
            kernel_shape=(64, 16),
            output_shape=(16,),
            activation="linear",
            linear_behind=True,
        )
        (finding,) = self._told(dense)
        assert finding.layer == "fc"

    @pytest.mark.parametrize(
        "layers",
        [
            (_conv("a", activation="relu"), _conv("b", 0, activation="relu")),
            (_conv("a", units=4), _conv("b", 0, units=24, window=1, activation="relu")),  # a linear bottleneck
            (_conv("a", role="depthwise_conv"), _conv("b", 0, window=1, activation="relu")),
            (_conv("a", linear_behind=False), _conv("b", 0, activation="relu")),  # pooled between
            (_conv("a"), _conv("s", activation="relu"), _conv("b", 0, 1, activation="relu")),  # added before
        ],
    )
    def test_false_alarms(self, layers: tuple[LayerInfo, ...]) -> None:
        assert not self._told(*layers)


class TestRandomAndFrozen:
    def _told(self, factor: float) -> list[Finding]:
        frozen = replace(_conv("a", activation="relu"), trainable=False, initializer="he_normal")
        info = RunInfo("t", (frozen, *LAYERS[1:]))
        size = factor * (2 / 144) ** 0.5
        return _found("frozen_layer", history({"weight_health.rms": [[size, 0.1, 0.1, 0.1]]}, info=info))

    def test_as_drawn(self) -> None:
        (finding,) = self._told(1.01)
        assert (finding.severity, finding.adjustments[0].parameter) == ("warning", "trainable")

    def test_learned_before(self) -> None:
        assert not self._told(1.3)


class TestLabels:
    def test_labels_beyond_the_outputs(self) -> None:
        info = replace(INFO, probe=replace(INFO.probe, class_counts=(10,) * 7))
        (finding,) = _found("output_loss_mismatch", history({"weight_health.rms": [[0.1] * 4]}, info=info))
        assert finding.adjustments[0].proposed == "7"

    def test_one_sigmoid_for_several_classes(self) -> None:
        head = replace(LAYERS[3], units=1, activation="sigmoid")
        info = replace(INFO, layers=(*LAYERS[:3], head), loss='"binary_crossentropy"')
        (finding,) = _found("output_loss_mismatch", history({"weight_health.rms": [[0.1] * 4]}, info=info))
        assert (finding.adjustments[0].parameter, finding.adjustments[0].proposed) == ("units", "4")


def test_dense_layers_idle_by_the_half_but_not_at_the_start() -> None:
    idle = [[0, 0, 0.2, 0], [0, 0, 0.6, 0], [0, 0, 0.6, 0]]
    assert not judge(history({"dead_units.dead_ratio": idle}))
    assert judge(history({"dead_units.dead_ratio": [[0, 0, 0.6, 0]] * 3}))


def test_one_class_for_long_is_a_collapse_however_outputs_vary() -> None:
    rows = {
        "model_output.top_class_share": [[NAN, NAN, NAN, 1.0]] * 6,
        "model_output.spread": [[NAN, NAN, NAN, 0.2]] * 6,
    }
    assert _found("collapsed_output", history(rows))


def test_a_nan_in_a_late_layer_explains_what_dies_before_it() -> None:
    rows = {
        "weight_health.non_finite": [[0] * 4, [0, 0, 9, 0], [0, 0, 9, 0], [0, 0, 9, 0]],
        "dead_units.dead_ratio": [[0] * 4, [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]],
    }
    found = judge(history(rows))
    assert found[0].fault == "nan_or_inf"
    assert all(finding.caused_by is not None for finding in found[1:])
