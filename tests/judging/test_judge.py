"""Thresholds that can be changed, causes, and order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tb_cnndiag.judging.faults import BUILTIN, Fault, available
from tb_cnndiag.judging.judge import ALIASES, UNTRAINED, check_limits, judge, threshold, verdict
from tb_cnndiag.judging.thresholds import SHARED
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


def test_a_threshold_that_no_longer_exists_warns_and_changes_nothing() -> None:
    gone = [(kind, name) for kind in BUILTIN for name, present in kind.former.items() if present is None]
    assert ("learning_rate_too_low", "warm_up") in {(kind.id, name) for kind, name in gone}
    for kind, name in gone:
        assert threshold(kind, name) is None
        with pytest.warns(UserWarning, match=f"{kind.id} no longer has a limit '{name}': it changes nothing."):
            check_limits({kind.id: {name: 1.0}})
    run = history({"dead_units.dead_ratio": [[0, 0.5, 0, 0]] * 3})
    with pytest.warns(UserWarning, match="no longer has"):
        assert judge(run, {"learning_rate_too_low": {"warm_up": 3.0}}) == judge(run)


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.id)
def test_names_of_thresholds(kind: type[Fault]) -> None:
    for name in kind.limits:
        assert threshold(kind, name) == name
    for former, present in kind.former.items():
        assert threshold(kind, former) == present
    assert threshold(kind, "looks") == "epochs"
    assert threshold(kind, "elsewhere") == "elsewhere"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (
            {"zzz": {}},
            f"There is no fault 'zzz'. Faults are: {', '.join(kind.id for kind in available())}.",
        ),
        (
            {"dead_units": {"zzz": 1.0}},
            "dead_units has no limit 'zzz'. It has: dead_ratio, dense_ratio, samples, harmless_loss, epochs.",
        ),
        (
            {"dead_units": {"loks": 1.0}},
            "dead_units has no limit 'loks'. Did you mean 'looks'? It has: dead_ratio, dense_ratio, samples, "
            "harmless_loss, epochs.",
        ),
        ({"shared": {"zzz": 1.0}}, f"There is no shared limit 'zzz'. They are: {', '.join(SHARED)}."),
    ],
)
def test_the_words_for_names_that_do_not_exist(limits: dict[str, dict[str, float]], message: str) -> None:
    with pytest.raises(ValueError, match="no") as raised:
        check_limits(limits)
    assert str(raised.value) == message


def test_only_the_faults_that_are_asked_for_are_judged_and_named() -> None:
    run = history({"dead_units.dead_ratio": [[0, 1, 0, 0]] * 3, "gradient_flow.relative_gradient": [[50.0] * 4] * 3})
    dead = next(kind for kind in BUILTIN if kind.id == "dead_units")
    judged = verdict(run, faults=(dead,))
    assert [finding.fault for finding in judged.findings] == ["dead_units"]
    assert [each.fault for each in judged.coverage] == ["dead_units"]
    with pytest.raises(ValueError, match="Faults are: dead_units"):
        verdict(run, {"bad_init": {}}, faults=(dead,))


@pytest.mark.parametrize(("origin", "reason"), [*UNTRAINED.items(), ("elsewhere", "")])
def test_why_faults_of_trainings_do_not_apply(origin: str, reason: str) -> None:
    ended = {
        each.fault: each
        for each in verdict(history({}, info=replace(INFO, origin=origin), scalars={"loss": [1.0]})).coverage
    }
    assert (ended["overfitting"].status, ended["overfitting"].reason) == ("not_applicable", reason)
    assert ended["nan_or_inf"].status == "clear"
    assert ("untrained_layer" in ended) == (origin == "audit")


def test_the_name_of_the_run_is_in_findings_and_coverage() -> None:
    run = history({"dead_units.dead_ratio": [[0, 1, 0, 0]] * 3})
    run.run = "second"
    judged = verdict(run)
    assert {each.run for each in (*judged.findings, *judged.coverage)} == {"second"}
