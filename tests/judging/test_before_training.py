"""What preflight has found before the first step is repeated, and joined with what the training shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tb_cnndiag.finding import Coverage, Finding, Findings
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.faults import OF_PREFLIGHT
from tb_cnndiag.judging.judge import UNTRAINED, verdict
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.before_training import stored
from tb_cnndiag.summaries.codec import Measurement
from tests.judging.faults.made import INFO, history

DEAD: Any = {"dead_units.dead_ratio": [[0, 1, 0, 0]] * 3}
SOUND: Any = {"dead_units.dead_ratio": [[0, 0, 0, 0]] * 3}


def finding(fault: str, layer: str | None = None) -> Finding:
    return Finding("before", fault, layer, "warning", 0, 0, f"{fault}, before training")


def after(columns: Any, found: list[Finding], *coverage: Coverage, origin: str = "") -> History:
    """A run whose log has these findings of a preflight."""
    run = history(columns, info=replace(INFO, origin=origin))
    run.run = "now"
    run.add(Measurement("preflight", run.last_step, run.snapshots, Findings.of(found, coverage), table="t"))
    return run


def ended(judged: Verdict, fault: str) -> tuple[str, str, list[str]]:
    """(status, reason, messages) of a fault."""
    status = next((each.status, each.reason) for each in judged.coverage if each.fault == fault)
    return *status, [each.message for each in judged.findings if each.fault == fault]


@pytest.mark.parametrize("kind", OF_PREFLIGHT, ids=lambda kind: kind.id)
def test_what_preflight_found_is_repeated(kind: Any) -> None:
    run = after(SOUND, [finding(kind.id, "conv1")], Coverage("", kind.id, "found"), Coverage("", "other", "clear"))
    judged = verdict(run)
    assert ended(judged, kind.id) == ("found", "", [f"{kind.id}, before training"])
    (repeated,) = judged.findings
    assert (repeated.run, repeated.layer, repeated.severity) == ("now", "conv1", "warning")
    for other in OF_PREFLIGHT:
        if other is not kind:
            assert ended(judged, other.id) == ("not_applicable", "preflight was not run", [])


def test_what_preflight_did_not_find_or_could_not_judge_is_repeated_too() -> None:
    coverage = (Coverage("", "sorted_data", "clear"), Coverage("", "leaking_samples", "unknown", "no validation data"))
    judged = verdict(after(SOUND, [], *coverage))
    assert ended(judged, "sorted_data") == ("clear", "", [])
    assert ended(judged, "leaking_samples") == ("unknown", "no validation data", [])


def test_without_a_preflight_its_faults_are_not_judged() -> None:
    judged = verdict(history(SOUND))
    assert not {each.fault for each in judged.coverage} & {kind.id for kind in OF_PREFLIGHT}
    assert stored(Signals(history(SOUND))) == ()
    assert stored(Signals(history(SOUND))).coverage == ()


def test_a_finding_of_the_training_counts_before_that_of_the_preflight() -> None:
    """Of one layer, or of the whole model; a finding in another layer is added."""
    coverage = Coverage("", "dead_units", "found")
    both = verdict(after(DEAD, [finding("dead_units", "conv2"), finding("dead_units", "conv1")], coverage))
    status, _, messages = ended(both, "dead_units")
    assert status == "found"
    assert len(messages) == 2
    assert sum("before training" in message for message in messages) == 1
    added = next(each for each in both.findings if "before training" in each.message)
    assert (added.layer, added.run) == ("conv1", "now")
    alone = verdict(after(SOUND, [finding("dead_units", "conv2")], coverage))
    assert ended(alone, "dead_units") == ("found", "", ["dead_units, before training"])


def test_what_needs_no_training_has_ended_before_it() -> None:
    """A log of a preflight alone: what faults of trainings say is what it found of them."""
    run = after(
        SOUND, [finding("bad_init", "conv2")],
        Coverage("", "bad_init", "found"), Coverage("", "vanishing_gradient", "clear", "one batch"), origin="preflight",
    )  # fmt: skip
    judged = verdict(run)
    assert ended(judged, "bad_init") == ("found", "", ["bad_init, before training"])
    assert ended(judged, "vanishing_gradient") == ("clear", "one batch", [])
    assert ended(judged, "overfitting") == ("not_applicable", UNTRAINED["preflight"], [])


def test_a_rule_that_crashed_is_not_hidden_by_a_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr("tb_cnndiag.judging.faults.dead_units.DeadUnitsFault.judge", judge)
    with pytest.warns(UserWarning, match="'dead_units' could not be judged"):
        judged = verdict(after(DEAD, [finding("dead_units", "conv1")], Coverage("", "dead_units", "found")))
    assert ended(judged, "dead_units") == ("crashed", "RuntimeError: no", [])
