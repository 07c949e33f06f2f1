"""Converts findings to their message and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tb_cnndiag.finding import SEVERITIES, STATUSES, Adjustment, Coverage, Evidence, Finding, Findings
from tb_cnndiag.summaries import cnndiag_pb2 as pb


def encode_findings(findings: tuple[Finding, ...]) -> pb.Findings:
    position = {id(finding): i + 1 for i, finding in enumerate(findings)}
    return pb.Findings(
        findings=[_encode_finding(finding, position.get(id(finding.caused_by), 0)) for finding in findings],
        coverage=[
            pb.Coverage(
                fault=each.fault,
                status=pb.Coverage.Status.Name(STATUSES.index(each.status) + 1),
                reason=each.reason,
            )
            for each in getattr(findings, "coverage", ())
        ],
    )


def decode_findings(message: pb.Findings) -> Findings:
    findings: list[Finding] = []
    for item in message.findings:
        # A cause comes before its effects, so it is already decoded.
        if item.caused_by > len(findings):
            raise ValueError(f"finding {len(findings) + 1} is caused by {item.caused_by}, which comes later")
        cause = findings[item.caused_by - 1] if item.caused_by else None
        findings.append(replace(_decode_finding(item), caused_by=cause))
    # A status that a newer version may add is not known here.
    known = [each for each in message.coverage if 0 < each.status <= len(STATUSES)]
    return Findings.of(findings, (Coverage("", c.fault, STATUSES[c.status - 1], c.reason) for c in known))


def _encode_finding(finding: Finding, caused_by: int) -> pb.Finding:
    units: tuple[Any, ...] = finding.units
    grouped = bool(units) and isinstance(units[0], tuple)
    groups = units if grouped or not units else (units,)
    return pb.Finding(
        fault=finding.fault,
        layer=finding.layer or "",
        severity=pb.Finding.Severity.Name(finding.rank() + 1),
        first_step=finding.first_step,
        last_step=finding.last_step,
        units=[pb.UnitGroup(units=group) for group in groups],
        evidence={name: pb.Evidence(value=e.value, limit=e.limit, unit=e.unit) for name, e in finding.evidence.items()},
        caused_by=caused_by,
        message=finding.message,
        adjustments=[
            pb.Adjustment(
                layer=a.layer or "", parameter=a.parameter, current=a.current, proposed=a.proposed, reason=a.reason
            )
            for a in finding.adjustments
        ],
        diagnostic=finding.diagnostic,
        title=finding.title,
        grouped=grouped,
    )


def _decode_finding(item: pb.Finding) -> Finding:
    groups = tuple(tuple(group.units) for group in item.units)
    rank = int(item.severity) - 1
    return Finding(
        run="",
        fault=item.fault,
        layer=item.layer or None,
        severity=SEVERITIES[rank] if 0 <= rank < len(SEVERITIES) else "info",
        first_step=item.first_step,
        last_step=item.last_step,
        units=groups[0] if len(groups) == 1 and not item.grouped else groups,
        evidence={
            name: Evidence(e.value, e.limit if e.HasField("limit") else None, e.unit)
            for name, e in sorted(item.evidence.items())
        },
        message=item.message,
        adjustments=tuple(
            Adjustment(a.layer or None, a.parameter, a.current, a.proposed, a.reason) for a in item.adjustments
        ),
        diagnostic=item.diagnostic,
        title=item.title,
    )
