"""Thresholds that can be changed, causes, and order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tb_cnndiag.judging.faults import BUILTIN
from tb_cnndiag.judging.judge import ALIASES, UNTRAINED, check_limits, judge, verdict
from tests.judging.faults.made import INFO, PRIOR_LOSS, history, training


def test_limits_can_be_changed() -> None:
    run = history({"dead_units.dead_ratio": [[0, 0.3, 0, 0]] * 3})
    assert not judge(run)
    (finding,) = judge(run, {"dead_units": {"dead_ratio": 0.25}})
    assert finding.evidence["dead_ratio"].limit == 0.25


@pytest.mark.parametrize(("former", "present"), ALIASES.items())
def test_former_names_of_thresholds_work_where_the_present_name_exists(former: str, present: str) -> None:
    having = [kind.id for kind in BUILTIN if present in kind.limits]
    others = [kind.id for kind in BUILTIN if present not in kind.limits]
    assert having
    for fault in having:
        check_limits({fault: {former: 1.0}})
        assert not any(former in kind.limits for kind in BUILTIN if kind.id == fault)
    for fault in others:
        with pytest.raises(ValueError, match=f"{fault} has no limit '{former}'"):
            check_limits({fault: {former: 1.0}})


def test_a_threshold_is_changed_by_its_former_name() -> None:
    dead = [[0.1, 0.2, 0.1, 0.0]] + [[0.1, 0.7, 0.1, 0.0]] * 4
    run = training([PRIOR_LOSS, *[0.8] * 4], [0.0, 0.05, 0.001, 0.001, 0.001], **{"dead_units.dead_ratio": dead})
    former = {present: name for name, present in ALIASES.items()}
    assert "learning_rate_too_high" in {finding.fault for finding in judge(run)}
    for present, value in (("died_after_large_updates", 0.75), ("harmless_loss", 0.9)):
        findings = judge(run, {"learning_rate_too_high": {former[present]: value}})
        assert "learning_rate_too_high" not in {finding.fault for finding in findings}


def test_a_shared_threshold_is_changed_in_all_faults_or_in_one() -> None:
    run = training([PRIOR_LOSS] * 4, 0.05)
    assert "learning_rate_too_high" in {finding.fault for finding in judge(run)}
    changes: tuple[dict[str, dict[str, float]], ...] = (
        {"shared": {"large_updates": 0.1}},
        {"learning_rate_too_high": {"step": 0.1}},
        {"learning_rate_too_high": {"swinging_step": 0.1}},
    )
    for limits in changes:
        assert "learning_rate_too_high" not in {finding.fault for finding in judge(run, limits)}
    both = {"shared": {"large_updates": 0.1}, "learning_rate_too_high": {"step": 0.03}}
    assert "learning_rate_too_high" in {finding.fault for finding in judge(run, both)}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"shared": {"stick": 1.0}}, "no shared limit 'stick'. Did you mean 'stuck'"),
        ({"dead_unit": {}}, "no fault 'dead_unit'. Did you mean 'dead_units'"),
        ({"dead_units": {"dead_ration": 1.0}}, "no limit 'dead_ration'. Did you mean 'dead_ratio'"),
    ],
)
def test_unknown_limits_suggest_the_nearest(limits: dict[str, dict[str, float]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        judge(history({}, scalars={"loss": [1.0]}), limits)


def test_causes_come_first_whatever_their_severity() -> None:
    nan = float("nan")
    run = history(
        {
            "model_input.mean": [[99, nan, nan, nan]] * 3,
            "model_input.std": [[99, nan, nan, nan]] * 3,
            "model_input.minimum": [[0, nan, nan, nan]] * 3,
            "model_input.maximum": [[255, nan, nan, nan]] * 3,
            "gradient_flow.relative_gradient": [[50.0] * 4] * 3,
            "dead_units.dead_ratio": [[1, 0, 0, 0]] * 3,
        }
    )
    found = judge(run)
    assert found[0].fault == "unnormalised_input"
    assert {f.fault for f in found[1:]} == {"exploding_gradient", "dead_units"}
    assert all(f.caused_by is not None for f in found[1:])


def test_a_later_finding_is_not_a_cause() -> None:
    rows = [[0] * 4, [0] * 4, [0] * 4, [5, 0, 0, 0]]
    dead = [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    found = judge(history({"weight_health.non_finite": rows, "dead_units.dead_ratio": dead}))
    assert [f.fault for f in found] == ["nan_or_inf"]


def test_an_error_that_has_not_persisted_for_long_enough_is_a_warning() -> None:
    for snapshots, severity in ((2, "warning"), (3, "error")):
        run = history({"gradient_flow.relative_gradient": [[50, 40, 30, 1]] * snapshots})
        (finding,) = judge(run, {"exploding_gradient": {"epochs": 3}})
        assert (finding.fault, finding.severity) == ("exploding_gradient", severity)


def test_faults_of_trainings_do_not_apply_to_saved_models() -> None:
    of_trainings = {kind.id for kind in BUILTIN if kind.of_trainings}
    assert of_trainings >= {"bad_init", "learning_rate_too_high", "exploding_gradient", "vanishing_gradient"}
    run = history({"weight_health.rms": [[0.1] * 4]}, info=replace(INFO, origin="audit"))
    ended = {each.fault: (each.status, each.reason) for each in verdict(run).coverage}
    assert {fault for fault, (_, reason) in ended.items() if reason == UNTRAINED["audit"]} == of_trainings
    assert all(ended[fault][0] == "not_applicable" for fault in of_trainings)


def test_verdicts_of_several_runs_are_joined() -> None:
    one = verdict(history({"gradient_flow.relative_gradient": [[50, 40, 30, 1]] * 2}))
    other = verdict(history({"dead_units.dead_ratio": [[0, 1, 0, 0]] * 3}))
    both = one + other
    assert both.findings == one.findings + other.findings
    assert both.coverage == one.coverage + other.coverage
