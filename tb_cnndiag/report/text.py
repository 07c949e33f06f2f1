"""Findings as text for a terminal. Names come from models and directories, so control characters are written out."""

from __future__ import annotations

from collections.abc import Sequence

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.report.outcome import Outcome, Result

_MARKS = {"error": "✗", "warning": "!", "info": "i"}


def plain(text: str) -> str:
    """The text in one line and without control characters: these are written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def render(outcome: Outcome) -> str:
    """Every run with its findings, and how they stand against the baseline."""
    lines = [as_text(result, outcome) for result in outcome.results]
    lines += [f"fixed: {plain(_fixed(key.fault, key.layer, key.run))}" for key in outcome.fixed]
    if outcome.baseline is not None:
        lines.append(outcome.told_baseline())
    return "\n".join(lines) + "\n"


def as_text(result: Result, outcome: Outcome | None = None) -> str:
    """One run: its name, each finding with its evidence and what to change."""
    head = (
        f"{plain(result.label)}: {result.layers} layers, {result.snapshots} snapshots, to step {result.last_step}"
        if result.last_step >= 0
        else f"{plain(result.label)}: {result.layers} layers"
    )
    known = [f for f in result.findings if outcome is not None and outcome.status(result, f) == "known"]
    return f"{head}\n{findings_as_text(result.findings, known)}"


def findings_as_text(findings: Sequence[Finding], known: Sequence[Finding] = ()) -> str:
    """Each finding with its evidence and what to change; of known ones only what they are."""
    if not findings:
        return "  ✓ nothing found"
    lines: list[str] = []
    for finding in findings:
        indent = "    " if finding.caused_by else "  "
        aside = " (known)" if finding in known else ""
        lines.append(
            f"{indent}{_MARKS[finding.severity]} {finding.severity}: {plain(finding.message)} [{finding.fault}]{aside}"
        )
        if finding.caused_by:
            lines.append(f"{indent}    because of: {plain(cause_of(finding))}")
            continue
        if aside:
            continue
        lines += [f"{indent}    {plain(name)} = {told_evidence(e)}" for name, e in finding.evidence.items()]
        lines += [f"{indent}    → {plain(told_adjustment(adjustment))}" for adjustment in finding.adjustments]
    return "\n".join(lines)


def cause_of(finding: Finding) -> str:
    """The cause in words: fault and place; empty when there is none."""
    cause = finding.caused_by
    return f"{cause.title or cause.fault} in {cause.layer or 'the model'}" if cause else ""


def told_evidence(evidence: Evidence) -> str:
    """Value, unit and limit."""
    limit = "" if evidence.limit is None else f" (limit {evidence.limit:g})"
    return f"{evidence.value:.3g} {plain(evidence.unit)}".rstrip() + limit


def told_adjustment(adjustment: Adjustment) -> str:
    """Where, what, from what to what, and why."""
    where = f"{adjustment.layer}: " if adjustment.layer else ""
    return f"{where}{adjustment.parameter}: {adjustment.current} → {adjustment.proposed} ({adjustment.reason})"


def _fixed(fault: str, layer: str, run: str) -> str:
    return f"{fault} in {layer or 'the model'} of {run}"
