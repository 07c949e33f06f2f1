"""A judgment that can be trusted: what once hid an error, cried wolf or was not seen. Each was true of version 0.2."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.announcements import Announcer
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.faults import BUILTIN
from tb_cnndiag.judging.judge import judge, verdict
from tb_cnndiag.payloads import LayerColumns, LayerInfo, Probe, RunInfo, Scalars, Targets
from tb_cnndiag.summaries.codec import Measurement
from tests.judging.faults.made import INFO, LAYERS, NAN, PRIOR_LOSS, conv, found, history, training

ADAM = json.dumps({"class_name": "Adam", "config": {"learning_rate": 0.001}})


def head(**changes: Any) -> RunInfo:
    """A run whose output layer, loss and probe differ."""
    probe, loss = changes.pop("probe", INFO.probe), changes.pop("loss", "sparse_categorical_crossentropy")
    return replace(INFO, layers=(*LAYERS[:3], replace(LAYERS[3], **changes)), probe=probe, loss=json.dumps(loss))


COUNTS = Targets(low=0.0, high=9.0, whole=True)
ZERO_OR_ONE = Targets((), 0.0, 1.0, whole=True, variance=0.25)
ONE_HOT = Targets((4,), 0.0, 1.0, whole=True, variance=0.19, distribution=True)


PIXELS: Any = {
    f"model_input.{name}": [[value, NAN, NAN, NAN]] * 3
    for name, value in (("mean", 33.0), ("std", 78.0), ("minimum", 0.0), ("maximum", 255.0))
}


class TestCauses:
    def test_an_info_does_not_hide_an_error(self) -> None:
        """Raw pixels behind a batch normalization are an info; the NaN that follows is announced, and stops."""
        layers = (replace(LAYERS[0], normalization="bn", normalization_class="BatchNormalization"), *LAYERS[1:])
        run = history(
            PIXELS | {"weight_health.non_finite": [[0] * 4, [5] * 4, [5] * 4]}, info=replace(INFO, layers=layers)
        )
        news = Announcer().update(judge(run))
        assert news.stops
        assert "nan_or_inf" in {finding.fault for finding in news.announced}

    def test_a_cause_is_at_least_as_severe_as_its_gravest_effect(self) -> None:
        run = history(PIXELS | {"dead_units.dead_ratio": [[0, 1, 0, 0]] * 3})
        first, second = judge(run)
        assert (first.fault, first.severity, second.caused_by) == ("unnormalised_input", "error", first)

    def test_parts_without_a_common_path_are_not_connected(self) -> None:
        parts = (
            LayerInfo("generator/a", "Dense", "dense", 8, 8, activation="relu", output_shape=(4, 4, 8)),
            LayerInfo("discriminator/a", "Conv2D", "conv", 8, 27, activation="relu", output_shape=(4, 4, 8)),
        )
        rows = {
            **{f"model_input.{name}": [[NAN, 99.0]] * 3 for name in ("mean", "std", "minimum", "maximum")},
            "dead_units.dead_ratio": [[1.0, 0.0]] * 3,
        }
        findings = judge(history(rows, info=replace(INFO, layers=parts, model="generator, discriminator")))
        assert {finding.fault for finding in findings} == {"unnormalised_input", "dead_units"}
        assert all(finding.caused_by is None for finding in findings)


class TestCoverage:
    def test_a_rule_that_raises_is_a_result_of_its_own(self) -> None:
        class Broken(BUILTIN[0]):  # type: ignore[misc, valid-type]
            id = "broken"

            def judge(self, signals: Any, limits: Any) -> Any:
                raise RuntimeError("no")

        with pytest.warns(UserWarning, match="'broken' could not be judged"):
            judged = verdict(history({}, scalars={"loss": [1.0]}), faults=(Broken,))
        assert [(c.fault, c.status, c.reason) for c in judged.coverage] == [("broken", "crashed", "RuntimeError: no")]

    def test_every_fault_ends_in_one_way(self) -> None:
        for run in (history({}, scalars={"loss": [1.0]}), training([1.3, 1.0, 0.5], 1e-3), History()):
            judged = verdict(run)
            assert [c.fault for c in judged.coverage] == [kind.id for kind in BUILTIN if not kind.of_audits]
            assert {f.fault for f in judged.findings} == {c.fault for c in judged.coverage if c.status == "found"}
            assert all(c.reason for c in judged.coverage if c.status in ("unknown", "not_applicable"))

    @pytest.mark.filterwarnings("ignore:The fault")
    def test_a_history_that_is_too_large_is_not_healthy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tb_cnndiag.history.MAX_VALUES", 3)
        judged = verdict(history({"dead_units.dead_ratio": [[0.0] * 4] * 3}))
        assert "crashed" in {c.status for c in judged.coverage}

    def test_ignoring_a_fault_shows_what_it_explained(self) -> None:
        usual = json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.01}})
        rows = {
            "gradient_flow.gradient_norm": [[900.0, 5e4, 900.0, 900.0]] + [[0.0] * 4] * 3,
            "weight_health.rms": [[0.1] * 4] + [[1e9] * 4] * 3,
            "update_ratio.update_ratio": [[0.5] * 4] * 4,
        }
        run = history(rows, info=replace(INFO, optimizer=usual), scalars={"loss": [1e12, 1e6, 1e6, 1e6]})
        faults = {finding.fault for finding in judge(run)}
        assert "exploding_gradient" in faults
        assert "learning_rate_too_high" not in faults
        status = {c.fault: (c.status, c.reason) for c in verdict(run).coverage}
        assert status["learning_rate_too_high"] == ("clear", "explained by exploding_gradient")
        judged = verdict(run, ignored=["exploding_gradient"])
        assert "learning_rate_too_high" in {finding.fault for finding in judged.findings}


class TestSnapshots:
    """The same training, seen at 60 and at 6 snapshots."""

    def _run(self, every: int) -> Verdict:
        loss = [1.0 * 0.999**epoch for epoch in range(60)]
        measurements = [Measurement("run_info", 0, 0, INFO, table="t")]
        for number, epoch in enumerate(range(every, 61, every)):
            rows = LayerColumns({"update_ratio": np.full(4, 1e-3, np.float32)})
            at = {"step": 10 * epoch, "snapshot": number, "epoch": epoch, "table": "t"}
            measurements.append(Measurement("update_ratio", payload=rows, **at))
            measurements.append(Measurement("training_curve", payload=Scalars({"loss": loss[epoch - 1]}), **at))
        return verdict(History.of(measurements))

    @pytest.mark.parametrize("every", [1, 2, 5, 10])
    def test_a_plateau_is_underfitting_however_often_it_is_recorded(self, every: int) -> None:
        assert [finding.fault for finding in self._run(every).findings] == ["underfitting"]


class TestPriorLoss:
    def test_a_dead_layer_is_an_error_when_classes_are_not_balanced(self) -> None:
        """At 90 : 10 a constant prediction has a loss of 0.325, less than half of ln 2."""
        rows = {"dead_units.dead_ratio": [[0, 1, 0, 0]] * 4}
        probe = Probe("collected", 256, (230, 26))
        for run, severity in ((replace(INFO, probe=probe), "error"), (INFO, "warning")):
            layers = (*LAYERS[:3], replace(LAYERS[3], units=2))
            (finding,) = found(
                "dead_units", history(rows, info=replace(run, layers=layers), scalars={"loss": [0.34] * 4})
            )
            assert finding.severity == severity


class TestEvidence:
    def test_the_threshold_shown_is_the_one_that_was_applied(self) -> None:
        (dense,) = found("dead_units", history({"dead_units.dead_ratio": [[0, 0, 0.2, 0], *[[0, 0, 0.92, 0]] * 3]}))
        assert [e.limit for e in dense.evidence.values() if e.limit] == [0.9]
        weak = {f"model_input.{name}": [[0.0016, NAN, NAN, NAN]] for name in ("mean", "std", "minimum", "maximum")}
        (finding,) = found("unnormalised_input", history(weak))
        assert [(e.value, e.limit) for e in finding.evidence.values()] == [(pytest.approx(0.0016, rel=1e-3), 0.02)]

    def test_a_threshold_of_first_gradients_has_an_effect(self) -> None:
        usual = json.dumps({"class_name": "SGD", "config": {"learning_rate": 0.01}})
        rows = {"gradient_flow.gradient_norm": [[900.0] * 4] * 4, "weight_health.rms": [[0.1] * 4] * 4}
        run = history(rows, info=replace(INFO, optimizer=usual), scalars={"loss": [1e12, 1e6, 1e6, 1e6]})
        assert "exploding_gradient" in {f.fault for f in judge(run)}
        changed = {"exploding_gradient": {"relative_gradient": 1e9}}
        assert "exploding_gradient" not in {f.fault for f in judge(run, changed)}


class TestBatchStatistics:
    def _run(self, shift: float, inference: float, training_accuracy: float = 0.95) -> list[Finding]:
        layers = (replace(LAYERS[0], normalization="bn", normalization_class="BatchNormalization"), *LAYERS[1:])
        rows = {
            "batch_statistics.mean_shift": [[shift, NAN, NAN, NAN]] * 5,
            "batch_statistics.variance_ratio": [[1.0, NAN, NAN, NAN]] * 5,
            "model_output.accuracy": [[NAN, NAN, NAN, inference]] * 5,
            "model_output.top_class_share": [[NAN, NAN, NAN, 1.0 if inference < 0.3 else 0.3]] * 5,
            "model_output.spread": [[NAN, NAN, NAN, 1e-3]] * 5,
        }
        scalars = {"loss": [1.0, 0.7, 0.5, 0.3, 0.2], "accuracy": [training_accuracy] * 5}
        return judge(history(rows, info=replace(INFO, layers=layers), scalars=scalars))

    def test_averages_that_lag_behind_are_the_cause_not_the_output(self) -> None:
        first, *others = self._run(3.0, 0.25)
        assert (first.fault, first.layer, first.severity) == ("stale_batch_statistics", "conv1", "error")
        assert {a.parameter for a in first.adjustments} == {"momentum", "epochs"}
        assert all(other.caused_by for other in others)

    @pytest.mark.parametrize(
        ("shift", "inference", "accuracy"),
        [
            (0.1, 0.25, 0.95),  # statistics agree: validation data of another kind, or overfitting
            (3.0, 0.9, 0.95),  # they lag behind, and it does no harm
            (3.0, 0.25, 0.3),  # training is as bad
        ],
    )
    def test_false_alarms(self, shift: float, inference: float, accuracy: float) -> None:
        assert not [f for f in self._run(shift, inference, accuracy) if f.fault == "stale_batch_statistics"]


class TestHealthyPrograms:
    def test_a_loss_that_falls_is_no_collapse(self) -> None:
        rows = {
            "model_output.top_class_share": [[NAN, NAN, NAN, 1.0]] * 6,
            "model_output.spread": [[NAN, NAN, NAN, 1e-3]] * 6,
        }
        falling = history(rows, scalars={"loss": [1.3, 1.2, 1.0, 0.8, 0.6, 0.4]})
        assert not found("collapsed_output", falling)

    @pytest.mark.parametrize(("accuracy", "expected"), [(0.92, False), (0.3, True)])
    def test_a_high_accuracy_in_training_is_no_collapse(self, accuracy: float, expected: bool) -> None:
        rows = {
            "model_output.top_class_share": [[NAN, NAN, NAN, 1.0]] * 6,
            "model_output.spread": [[NAN, NAN, NAN, 1e-3]] * 6,
        }
        scalars = {"loss": [1.3, 1.2, 1.0, 0.8, 0.6, 0.4], "accuracy": [accuracy] * 6}
        assert bool(found("collapsed_output", history(rows, scalars=scalars))) == expected

    def test_parallel_projections_are_no_bad_initialization(self) -> None:
        plain = {"activation": "linear", "linear_behind": False, "window": 1}
        blocks: list[LayerInfo] = [conv("embed", normalization="ln", **plain)]
        for number in range(4):
            start = len(blocks)
            blocks += [conv(f"{name}{number}", start - 1, **plain) for name in ("query", "key", "value")]
            blocks.append(conv(f"out{number}", start, start + 1, start + 2, normalization="ln", **plain))
        blocks.append(replace(LAYERS[3], inputs=(len(blocks) - 1,)))
        rows = {"weight_health.gain": [[0.3] * len(blocks)] * 4}
        run = history(rows, info=replace(INFO, layers=tuple(blocks)), scalars={"loss": [PRIOR_LOSS] * 4})
        assert not found("bad_init", run)
        assert not found("missing_activation", run)

    def test_large_gradients_of_small_updates_do_not_explode(self) -> None:
        """A diffusion model under AdamW, whose losses have names of their own."""
        rows = {"gradient_flow.relative_gradient": [[50.0] * 4] * 4, "update_ratio.update_ratio": [[1e-3] * 4] * 4}
        info = replace(INFO, optimizer=ADAM, loss="")
        assert not judge(history(rows, info=info, scalars={"n_loss": [0.8, 0.5, 0.4, 0.3], "i_loss": [0.9] * 4}))

    def test_a_sample_of_one_number_is_always_constant(self) -> None:
        single = replace(INFO, layers=(replace(LAYERS[0], role="dense", fan_in=1), *LAYERS[1:]))
        rows = {"model_input.constant_share": [[1.0, NAN, NAN, NAN]]}
        assert found("unnormalised_input", history(rows))
        assert not found("unnormalised_input", history(rows, info=single))

    @pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
    def test_initializers_fit_the_activation(self, activation: str) -> None:
        layers = (LAYERS[0], replace(LAYERS[1], activation=activation, initializer="random_normal"), *LAYERS[2:])
        (finding,) = found(
            "dead_units", history({"dead_units.dead_ratio": [[0, 0.6, 0, 0]] * 3}, info=replace(INFO, layers=layers))
        )
        proposed = {a.parameter: a.proposed for a in finding.adjustments}
        assert proposed["kernel_initializer"] == "glorot_uniform"
        assert "leaky_relu" not in proposed.values()


class TestUnseen:
    @pytest.mark.parametrize("loss", [["mse"], {"head": "mse"}, "mse"])
    def test_losses_in_lists_and_dictionaries(self, loss: Any) -> None:
        probe = Probe("given", 64, (), Targets(low=2.0, high=10.0, variance=4.0))
        info = head(units=1, activation="sigmoid", loss=loss, probe=probe)
        run = history({"model_output.spread": [[NAN, NAN, NAN, 0.5]]}, info=info)
        assert found("output_loss_mismatch", run)[0].adjustments[0].proposed == "linear"

    @pytest.mark.parametrize(
        ("loss", "targets", "changes", "severity", "parameter"),
        [
            ("poisson", COUNTS, {"units": 1, "activation": "linear"}, "warning", "activation"),
            ("poisson", Targets(low=-2.0, high=9.0), {"units": 1, "activation": "softplus"}, "error", "labels"),
            ("mse", ZERO_OR_ONE, {"units": 1, "activation": "relu"}, "error", "activation"),
            ("mse", ONE_HOT, {}, "warning", "loss"),
            ("binary_crossentropy", ONE_HOT, {"activation": "sigmoid"}, "warning", "loss"),
            ("mse", Targets((), 5e4, 9e5, variance=4e10), {"units": 1, "activation": "linear"}, "warning", "targets"),
            ("categorical_crossentropy", None, {"dropout": 0.3, "dropout_at": "drop"}, "warning", "dropout"),
        ],
    )
    def test_outputs_that_do_not_fit(
        self, loss: str, targets: Targets | None, changes: dict[str, Any], severity: str, parameter: str
    ) -> None:
        info = head(
            loss=loss, probe=Probe("given", 64, (), targets), output_shape=(changes.get("units", 4),), **changes
        )
        run = history(
            {"model_output.row_sum_error": [[NAN, NAN, NAN, 0.0]] * 3}, info=info, scalars={"loss": [1e12] * 3}
        )
        (finding,) = found("output_loss_mismatch", run)
        assert (finding.severity, finding.adjustments[0].parameter) == (severity, parameter)

    @pytest.mark.parametrize(("variance", "loss", "expected"), [(4.0, 3.99, True), (4.0, 1.0, False)])
    def test_a_constant_output_of_a_regression(self, variance: float, loss: float, expected: bool) -> None:
        probe = Probe("given", 64, (), Targets(low=-4.0, high=4.0, variance=variance))
        rows = {"model_output.spread": [[NAN, NAN, NAN, 0.01]] * 5}
        run = history(
            rows, info=head(units=1, activation="linear", loss="mse", probe=probe), scalars={"loss": [loss] * 5}
        )
        assert bool(found("collapsed_output", run)) == expected

    @pytest.mark.parametrize(("loss", "expected"), [(0.33, True), (0.2, False)])
    def test_the_majority_class_for_every_sample(self, loss: float, expected: bool) -> None:
        rows = {
            "model_output.top_class_share": [[NAN, NAN, NAN, 1.0]] * 6,
            "model_output.spread": [[NAN, NAN, NAN, 0.05]] * 6,
            "model_output.accuracy": [[NAN, NAN, NAN, 0.5]] * 6,
        }
        info = head(units=2, probe=Probe("collected", 256, (230, 26)))
        findings = found("collapsed_output", history(rows, info=info, scalars={"loss": [loss] * 6}))
        assert bool(findings) == expected
        assert not expected or findings[0].adjustments[0].parameter == "class_weight"

    def test_gradients_that_are_all_exactly_zero(self) -> None:
        rows = {
            "gradient_flow.gradient_norm": [[0.0] * 4] * 4,
            "gradient_flow.non_finite_ratio": [[0.0] * 4] * 4,
        }
        (finding,) = found("frozen_layer", history(rows))
        assert (finding.layer, finding.severity) == (None, "error")

    @pytest.mark.parametrize(("ratio", "expected"), [(7e-5, True), (3e-4, True), (3e-3, False)])
    def test_updates_that_are_somewhat_too_small(self, ratio: float, expected: bool) -> None:
        gradient = {"gradient_flow.relative_gradient": [[0.1] * 4] * 8}
        run = training([PRIOR_LOSS * (1 - 0.001 * i) for i in range(8)], ratio, **gradient)
        assert bool(found("learning_rate_too_low", run)) == expected

    @pytest.mark.parametrize(
        ("loss", "expected"),
        [
            ([1.38, 1.33, 1.27, 1.2, 1.14], True),
            ([1.38, 1.0, 0.6, 0.3, 0.2], False),  # it has learned
            ([1.38, 1.3, 1.2, 1.2, 1.2], False),  # it has settled
            ([1.38, 1.1, 1.3, 1.05, 1.2], False),  # it does not fall steadily
        ],
    )
    def test_a_training_that_was_stopped_too_early(self, loss: list[float], expected: bool) -> None:
        assert bool(found("too_few_epochs", training(loss, 3e-3))) == expected

    def test_top_images_that_still_change_are_evidence_but_decide_nothing(self) -> None:
        falling, settled = [1.38, 1.33, 1.27, 1.2, 1.14], [1.38, 1.3, 1.2, 1.2, 1.2]
        kept = {"top_patches.kept_ratio": [[float("nan")] * 4, *[[0.1, 0.4, 0.6, float("nan")]] * 4]}
        (finding,) = found("too_few_epochs", training(falling, 3e-3, **kept))
        evidence = finding.evidence["top_images_changed"]
        assert (round(evidence.value, 6), evidence.limit, evidence.unit) == (0.6, None, "share")
        changing = finding.evidence["layers_that_still_change"]
        assert (changing.value, changing.limit, changing.unit) == (3, None, "count")
        assert not found("too_few_epochs", training(settled, 3e-3, **kept))
        (without,) = found("too_few_epochs", training(falling, 3e-3))
        assert not {"top_images_changed", "layers_that_still_change"} & set(without.evidence)
        paths = [layer.path for layer in training(falling, 3e-3).layers][:3]
        said = f" {paths[0]}, {paths[1]} and {paths[2]} still change what they respond to."
        assert finding.message == without.message + said

    @pytest.mark.parametrize(
        ("kept", "said"),
        [
            ([0.9, 0.7, 1.0, 0.67], ""),
            ([0.9, 0.66, 1.0, 0.9], " {1} still changes what it responds to."),
            ([0.0, 0.1, 0.2, 0.3], " {0}, {1}, {2} and {3} still change what they respond to."),
        ],
    )
    def test_layers_that_still_change_are_named(self, kept: list[float], said: str) -> None:
        run = training([1.38, 1.33, 1.27, 1.2, 1.14], 3e-3, **{"top_patches.kept_ratio": [kept] * 5})
        (finding,) = found("too_few_epochs", run)
        words = said.format(*(layer.path for layer in run.layers))
        assert finding.message.endswith(f"of the prior loss.{words}")


class TestLeftBehind:
    @pytest.mark.parametrize(
        ("rates", "first"), [([1.0, *[1e-3] * 4], "dead_units"), ([1.0] * 5, "learning_rate_too_high")]
    )
    def test_units_that_died_at_a_rate_that_was_cut_since_are_the_fault(self, rates: list[float], first: str) -> None:
        dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 1.0, 0.1, 0.0]] * 4
        rows = {"update_ratio.update_ratio": [[0.5] * 4] + [[0.01] * 4] * 4, "dead_units.dead_ratio": dead}
        scalars = {"loss": [PRIOR_LOSS] * 5, "learning_rate": rates}
        assert judge(history(rows, scalars=scalars))[0].fault == first


class TestCollectedProbe:
    def test_units_that_died_in_the_first_epoch_were_not_dead_from_the_start(self) -> None:
        """A probe that is collected in the first epoch shows nothing of the untrained network."""
        measurements = [Measurement("run_info", 0, 0, INFO, table="t")]
        for epoch in range(5):
            at = {"step": 10 * epoch, "snapshot": epoch, "epoch": epoch, "table": "t"}
            rms = LayerColumns({"rms": np.full(4, 0.1, np.float32)})
            measurements.append(Measurement("weight_health", payload=rms, **at))
            if epoch:
                dead = LayerColumns({"dead_ratio": np.array([0.0, 1.0, 0.0, 0.0], np.float32)})
                measurements.append(Measurement("dead_units", payload=dead, **at))
        (finding,) = found("dead_units", History.of(measurements))
        changes = [adjustment.parameter for adjustment in finding.adjustments]
        assert "learning_rate" in changes
        assert "kernel_initializer" not in changes
