"""Findings as text for a terminal, and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History

_MARKS = {"error": "✗", "warning": "!", "info": "i"}


def as_text(history: History, findings: Sequence[Finding]) -> str:
    """One run: its name, each finding with its evidence and what to change."""
    head = f"{history.run}: {len(history.layers)} layers, {history.looks} looks, to step {history.last_step}"
    return f"{head}\n{findings_as_text(findings)}"


def findings_as_text(findings: Sequence[Finding]) -> str:
    """Each finding with its evidence and what to change."""
    if not findings:
        return "  ✓ nothing found"
    lines: list[str] = []
    for finding in findings:
        indent = "    " if finding.caused_by else "  "
        lines.append(f"{indent}{_MARKS[finding.severity]} {finding.severity}: {finding.message} [{finding.fault}]")
        if finding.caused_by:
            cause = finding.caused_by
            lines.append(f"{indent}    because of: {cause.title or cause.fault} in {cause.layer or 'the model'}")
            continue
        lines += [f"{indent}    {name} = {_evidence(evidence)}" for name, evidence in finding.evidence.items()]
        lines += [f"{indent}    → {_adjustment(adjustment)}" for adjustment in finding.adjustments]
    return "\n".join(lines)


def as_dict(finding: Finding) -> dict[str, Any]:
    """A finding as what JSON can hold; ``caused_by`` names the cause's fault and layer."""
    cause = finding.caused_by
    return {
        "run": finding.run,
        "fault": finding.fault,
        "title": finding.title,
        "layer": finding.layer,
        "severity": finding.severity,
        "first_step": finding.first_step,
        "last_step": finding.last_step,
        "message": finding.message,
        "units": [list(unit) if isinstance(unit, tuple) else unit for unit in finding.units],
        "evidence": {
            name: {"value": e.value, "limit": e.limit, "unit": e.unit} for name, e in finding.evidence.items()
        },
        "caused_by": {"fault": cause.fault, "layer": cause.layer} if cause else None,
        "adjustments": [
            {
                "layer": a.layer,
                "parameter": a.parameter,
                "current": a.current,
                "proposed": a.proposed,
                "reason": a.reason,
            }
            for a in finding.adjustments
        ],
    }


def _evidence(evidence: Evidence) -> str:
    limit = "" if evidence.limit is None else f" (limit {evidence.limit:g})"
    return f"{evidence.value:.3g} {evidence.unit}{limit}"


def _adjustment(adjustment: Adjustment) -> str:
    where = f"{adjustment.layer}: " if adjustment.layer else ""
    return f"{where}{adjustment.parameter}: {adjustment.current} → {adjustment.proposed} ({adjustment.reason})"
