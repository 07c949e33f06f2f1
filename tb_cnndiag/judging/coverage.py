"""How the judgment of each fault ended: what was found, what is clear, and what could not be judged, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tb_cnndiag.finding import Finding
from tb_cnndiag.wording import plural

Status: TypeAlias = Literal["found", "clear", "not_applicable", "unknown", "crashed"]
STATUSES: tuple[Status, ...] = ("found", "clear", "not_applicable", "unknown", "crashed")


@dataclass(frozen=True)
class Coverage:
    """How the judgment of one fault in one run ended.

    Attributes:
        run: As in :class:`~tb_cnndiag.finding.Finding`.
        fault: Id of the fault.
        status: ``"found"``; ``"clear"``: judged, and not found; ``"not_applicable"``: the run cannot have it;
            ``"unknown"``: what it needs was not recorded; ``"crashed"``: the rule failed.
        reason: Why it does not apply, is unknown or failed; else empty, or what was not judged.
    """

    run: str
    fault: str
    status: Status
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judgment of one or more runs: findings, causes first, and how the judgment of each fault ended."""

    findings: tuple[Finding, ...] = ()
    coverage: tuple[Coverage, ...] = field(default=())

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(self.findings + other.findings, self.coverage + other.coverage)


def summary(coverage: Sequence[Coverage]) -> str:
    """``21 checks: 1 failed, 15 passed, 2 not applicable, 3 could not be judged``; empty without coverage."""
    if not coverage:
        return ""
    words: tuple[tuple[Status, str], ...] = (
        ("found", "failed"),
        ("clear", "passed"),
        ("not_applicable", "not applicable"),
        ("unknown", "could not be judged"),
        ("crashed", "crashed"),
    )
    counts = [(sum(each.status == status for each in coverage), word) for status, word in words]
    return f"{plural(len(coverage), 'check')}: {', '.join(f'{count:,} {word}' for count, word in counts if count)}"


def missing_of(coverage: Iterable[Coverage], required: Collection[str] = ()) -> tuple[Coverage, ...]:
    """What makes a run one that could not be judged: rules that crashed, and required faults that are unknown."""
    return tuple(
        each for each in coverage if each.status == "crashed" or (each.status == "unknown" and each.fault in required)
    )


def unjudged(coverage: Iterable[Coverage]) -> tuple[Coverage, ...]:
    """What could not be judged: crashed rules first."""
    open_ = [each for each in coverage if each.status in ("unknown", "crashed")]
    return tuple(sorted(open_, key=lambda each: each.status))
