"""Findings as text for a terminal. Names come from models and directories, so control characters are escaped."""

from __future__ import annotations

from collections.abc import Sequence

from tb_cnndiag.finding import Adjustment, Finding
from tb_cnndiag.judging.coverage import Coverage, summary, unjudged
from tb_cnndiag.payloads import SwitchedOff
from tb_cnndiag.report.groups import evidence_text, grouped
from tb_cnndiag.report.outcome import Outcome, Result
from tb_cnndiag.wording import plural

# Layers of one fault that are listed.
MOST_LISTED = 6
_MARKS = {"error": "✗", "warning": "!", "info": "i"}


def plain(text: str) -> str:
    """The text on one line, with control characters written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def render(outcome: Outcome) -> str:
    """Every run with its findings, compared with the baseline if there is one."""
    lines = [as_text(result, outcome) for result in outcome.results]
    lines += [f"fixed: {plain(_fixed(key.fault, key.layer, key.run))}" for key in outcome.fixed]
    if outcome.baseline is not None:
        lines.append(outcome.baseline_summary())
    return "\n".join(lines) + "\n"


def as_text(result: Result, outcome: Outcome | None = None) -> str:
    """One run: its name, each finding with its evidence and what to change."""
    head = f"{plain(_run_name(result))}: {plural(result.layers, 'layer')}"
    if result.last_step >= 0 and not result.origin:
        head += f", {plural(result.snapshots, 'snapshot')}, to step {result.last_step:,}"
    known = [f for f in result.findings if outcome is not None and outcome.status(result, f) == "known"]
    lines = [head]
    if result.switched_off is not None:
        lines.append(f"  ! could not be judged to its end: {plain(switched_off_text(result.switched_off))}")
    lines += [f"  note: {plain(note)}" for note in result.notes]
    if result.switched_off is None or result.findings:
        lines.append(findings_as_text(result.findings, known))
    lines += [f"  {line}" for line in coverage_lines(result.coverage)]
    return "\n".join(lines)


def coverage_lines(coverage: Sequence[Coverage]) -> list[str]:
    """How many checks passed, and below it each that could not be judged, with the reason."""
    if not coverage:
        return []
    missing = unjudged(coverage)
    lines = [f"{summary(coverage)}{':' if missing else '.'}"]
    return [*lines, *(f"  {unjudged_text(each)}" for each in missing)]


def unjudged_text(each: Coverage) -> str:
    """A fault that could not be judged, and why."""
    mark = "✗" if each.status == "crashed" else "?"
    crashed = " crashed" if each.status == "crashed" else ""
    return plain(f"{mark} {each.fault}{crashed}: {each.reason}")


def switched_off_text(switched_off: SwitchedOff) -> str:
    """When and why diagnostics were switched off."""
    return f"diagnostics were switched off at step {switched_off.step:,}. {switched_off.reason}"


def findings_as_text(findings: Sequence[Finding], known: Sequence[Finding] = ()) -> str:
    """Each fault with its evidence and what to change, in one layer or several; known ones without these."""
    if not findings:
        return "  ✓ nothing found"
    lines: list[str] = []
    for group in grouped(findings, lambda finding: finding in known):
        indent = "    " if group.caused_by else "  "
        aside = " (known)" if group.first in known else ""
        lines.append(
            f"{indent}{_MARKS[group.severity]} {group.severity}: {plain(group.message)} [{group.fault}]{aside}"
        )
        if group.caused_by:
            lines.append(f"{indent}    because of: {plain(cause_of(group.first))}")
        lines += [f"{indent}    {plain(each)}" for each in group.listed(MOST_LISTED)]
        if group.caused_by or aside:
            continue
        lines += [f"{indent}    {plain(evidence_text(name, *each))}" for name, each in group.evidence.items()]
        lines += [f"{indent}    → {plain(adjustment_text(where, each))}" for where, each in group.adjustments]
    return "\n".join(lines)


def cause_of(finding: Finding) -> str:
    """The cause in words: fault and layer; empty if there is no cause."""
    cause = finding.caused_by
    return f"{cause.title or cause.fault} in {cause.layer or 'the model'}" if cause else ""


def adjustment_text(where: str, adjustment: Adjustment) -> str:
    """Which parameter of which layers to change, from what to what, and why."""
    place = f"{where}: " if where else ""
    return f"{place}{adjustment.parameter}: {adjustment.current} → {adjustment.proposed} ({adjustment.reason})"


def _run_name(result: Result) -> str:
    """The run as the user knows it: a logdir that is itself a run has no name below itself."""
    return result.logdir if result.label == "." and result.logdir else result.label


def _fixed(fault: str, layer: str, run: str) -> str:
    return f"{fault} in {layer or 'the model'} of {run}"
