"""What was judged and what was not, in every format, and what it does to the exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tb_cnndiag import judge_log
from tb_cnndiag.cli import main
from tb_cnndiag.finding import Coverage, Status
from tb_cnndiag.judging.coverage import summary
from tb_cnndiag.judging.faults import BUILTIN
from tb_cnndiag.report.formats import FORMATS
from tb_cnndiag.report.gate import assert_healthy, judge_logs
from tb_cnndiag.report.outcome import Outcome, Result
from tests.report.outcomes import finding

ENDS: dict[str, tuple[Status, str]] = {
    "dead_units": ("found", ""),
    "bad_init": ("clear", ""),
    "mode_collapse": ("not_applicable", "no generator"),
    "overfitting": ("unknown", "val_loss was not logged"),
    "underfitting": ("crashed", "ValueError: no"),
}
COVERAGE = tuple(Coverage("r", fault, status, reason) for fault, (status, reason) in ENDS.items())
FAULTS = tuple(kind for kind in BUILTIN if kind.id in ENDS)


def outcome(*required: str, coverage: tuple[Coverage, ...] = COVERAGE) -> Outcome:
    result = Result("logs", "r", "r", 3, 4, 9, (finding(severity="warning"),), coverage=coverage)
    return Outcome((result,), faults=FAULTS, required=required)


def test_it_is_counted() -> None:
    words = "5 checks: 1 failed, 1 passed, 1 not applicable, 1 could not be judged, 1 crashed"
    assert summary(COVERAGE) == words
    assert words in FORMATS["text"](outcome())
    assert words in FORMATS["markdown"](outcome())


def test_what_could_not_be_judged_is_listed_with_its_reason() -> None:
    text = FORMATS["text"](outcome())
    assert "? overfitting: val_loss was not logged" in text
    assert "✗ underfitting crashed: ValueError: no" in text
    assert "no generator" not in text


def test_json_has_every_end() -> None:
    found = json.loads(FORMATS["json"](outcome()))["coverage"]
    assert {each["fault"]: (each["status"], each["reason"]) for each in found} == ENDS


def test_a_crash_is_an_error_in_junit_and_an_unknown_is_skipped() -> None:
    cases = {case.get("name"): case for case in ET.fromstring(FORMATS["junit"](outcome())).iter("testcase")}
    assert cases["underfitting"].find("error") is not None
    for name in ("overfitting", "mode_collapse"):
        assert cases[name].find("skipped") is not None
    assert list(cases["bad_init"]) == []


def test_sarif_and_annotations_name_what_is_missing() -> None:
    (run,) = json.loads(FORMATS["sarif"](outcome()))["runs"]
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert "underfitting" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    assert "underfitting crashed" in FORMATS["github"](outcome())


def test_an_unknown_counts_only_if_it_is_required() -> None:
    calm = tuple(replace(each, status="clear") if each.status == "crashed" else each for each in COVERAGE)
    assert not outcome(coverage=calm).unjudged
    assert outcome("overfitting", coverage=calm).unjudged
    assert not outcome("bad_init", coverage=calm).unjudged
    assert outcome().unjudged


@pytest.mark.filterwarnings("ignore:The fault")
def test_exit_codes(demo_logdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    healthy = str(demo_logdir / "healthy")
    assert main(["check", healthy, "--quiet"]) == 0
    assert "checks: " in capsys.readouterr().out
    assert main(["check", healthy, "--quiet", "--require", "mode_collapse"]) == 0  # it does not apply
    with pytest.raises(SystemExit):
        main(["check", "--require"])
    assert main(["check", healthy, "--quiet", "--require", "no_such_fault"]) == 2

    class Broken(BUILTIN[0]):  # type: ignore[misc, valid-type]
        id = "broken"

        def judge(self, signals: Any, limits: Any) -> Any:
            raise RuntimeError("no")

    for place in ("judging.judge", "report.gate"):
        monkeypatch.setattr(f"tb_cnndiag.{place}.available", lambda: (*BUILTIN, Broken))
    verdict = judge_log(healthy)
    assert [each.fault for each in verdict.coverage if each.status == "crashed"] == ["broken"]
    assert main(["check", healthy, "--quiet"]) == 4
    assert "✗ broken crashed: RuntimeError: no" in capsys.readouterr().out
    assert main(["check", healthy, "--quiet", "--allow-unjudged"]) == 0
    assert main(["compare", healthy, healthy, "--quiet"]) == 4
    assert judge_logs([demo_logdir]).failing  # a fault that was found wins
    with pytest.raises(AssertionError, match="could not be judged"):
        assert_healthy(healthy)
    assert_healthy(healthy, allow_unjudged=True)


@pytest.mark.filterwarnings("ignore:The fault")
def test_a_log_that_is_too_large_does_not_pass(demo_logdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb_cnndiag.history.MAX_VALUES", 3)
    assert main(["check", str(demo_logdir / "healthy"), "--quiet"]) == 4
