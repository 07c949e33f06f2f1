"""How the judgment of each fault ended: what was found, what is clear, and what could not be judged, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from tb_cnndiag.finding import Coverage, Finding, Status
from tb_cnndiag.wording import plural

__all__ = ["Coverage", "Status", "Verdict", "missing_of", "summary", "unjudged"]


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
