"""Outcomes made by hand, with names that try to break every format."""

from __future__ import annotations

from typing import Any

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.report.outcome import Baseline, Key, Outcome, Result

HOSTILE = "a/]]></x><script>alert(1)</script>|`*_[x](http://e.org)@you ::error::%0A\r\n, 100%\x1b[31m\x00{0}\udc80é"


def finding(layer: str | None = "conv", severity: Any = "error", fault: str = "dead_units", **more: Any) -> Finding:
    return Finding("r", fault, layer, severity, 0, 9, f"{layer}: all units are dead.", title="Dead units", **more)


def hostile() -> Finding:
    return finding(
        HOSTILE,
        evidence={"dead_ratio": Evidence(float("nan"), float("inf"), HOSTILE), HOSTILE: Evidence(1.0, None, "share")},
        adjustments=(Adjustment(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        units=((0, 1), (2, 3)),
    )


def outcome(*findings: Finding, run: str = "r", fail_on: str = "error", known: dict[Key, Any] | None = None) -> Outcome:
    result = Result("logs", run, run, 3, 4, 9, findings)
    return Outcome((result,), fail_on, baseline=None if known is None else Baseline(known))


def all_kinds() -> Outcome:
    """New, known, worse and fixed findings, a cause with its effect, and hostile names."""
    cause = hostile()
    findings = (
        cause,
        finding("effect", caused_by=cause),
        finding("known", "warning"),
        finding("worse", "error"),
        finding(None, "info", "overfitting"),
    )
    known = {
        Key(HOSTILE, "dead_units", "known"): "warning",
        Key(HOSTILE, "dead_units", "worse"): "warning",
        Key(HOSTILE, "dead_units", "gone"): "error",
        Key("another run", "dead_units", "gone"): "error",
    }
    return outcome(*findings, run=HOSTILE, known=known)
