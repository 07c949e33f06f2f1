"""The outcome as JSON; ``docs/findings.schema.json`` describes it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from tb_cnndiag.finding import Evidence, Finding
from tb_cnndiag.report.outcome import Key, Outcome, Result

# Raised when a field changes its meaning or is removed; a new field does not raise it.
VERSION = 1


def render(outcome: Outcome) -> str:
    """The whole outcome, ASCII only."""
    document = {
        "version": VERSION,
        "runs": len(outcome.results),
        "fail_on": outcome.fail_on,
        "passed": not outcome.failing,
        "judged": [_run(result) for result in outcome.results],
        "findings": [
            as_dict(finding, result.logdir)
            | {"status": outcome.status(result, finding), "fails": outcome.fails(result, finding)}
            for result, finding in outcome
        ],
        "coverage": [
            {
                "logdir": result.logdir,
                "run": each.run,
                "fault": each.fault,
                "status": each.status,
                "reason": each.reason,
            }
            for result in outcome.results
            for each in result.coverage
        ],
        "fixed": [as_key(key) for key in outcome.fixed],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def as_dict(finding: Finding, logdir: str = "") -> dict[str, Any]:
    """A finding as JSON values; ``caused_by`` names the cause's fault and layer."""
    cause = finding.caused_by
    return {
        "logdir": logdir,
        "run": finding.run,
        "fault": finding.fault,
        "title": finding.title,
        "layer": finding.layer,
        "severity": finding.severity,
        "first_step": finding.first_step,
        "last_step": finding.last_step,
        "message": finding.message,
        "units": [list(unit) if isinstance(unit, tuple) else unit for unit in finding.units],
        "evidence": {name: as_evidence(evidence) for name, evidence in finding.evidence.items()},
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


def as_evidence(evidence: Evidence) -> dict[str, Any]:
    """A value with its threshold and unit."""
    limit = None if evidence.limit is None else number(evidence.limit)
    return {"value": number(evidence.value), "limit": limit, "unit": evidence.unit}


def as_key(key: Key) -> dict[str, Any]:
    """The key of a finding."""
    return {"run": key.run, "fault": key.fault, "layer": key.layer or None}


def number(value: float) -> float | str:
    """The number. JSON has no non-finite numbers: they become the strings that protobuf's JSON uses."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _run(result: Result) -> dict[str, Any]:
    return {
        "logdir": result.logdir,
        "run": result.run,
        "layers": result.layers,
        "snapshots": result.snapshots,
        "looks": result.snapshots,  # its name before version 0.2
        "last_step": result.last_step,
        "notes": list(result.notes),
        "switched_off": asdict(result.switched_off) if result.switched_off else None,
    }
