"""How well the judgment of each log agrees with what is known of its case."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from benchmarks.corpus.case import Case
from benchmarks.faults.train import DONE
from tb_cnndiag.finding import Finding
from tb_cnndiag.logs import NoDataError, diagnose


@dataclass(frozen=True)
class Verdict:
    """One trained case and its findings, without those of severity info."""

    case: Case
    valid: bool
    note: str
    found: Sequence[Finding]

    @property
    def roots(self) -> list[Finding]:
        """Findings that no other explains."""
        return [finding for finding in self.found if finding.caused_by is None]

    @property
    def names(self) -> tuple[str | None, ...]:
        """Ids that are right."""
        return (self.case.fault, *self.case.also)

    @property
    def right_fault(self) -> bool:
        """The first finding has a right id."""
        return bool(self.found) and self.found[0].fault in self.names

    @property
    def right_layer(self) -> bool:
        """The first finding names a right layer."""
        return bool(self.found) and self.found[0].layer in self.case.layers

    @property
    def extra(self) -> set[str]:
        """Other faults that are reported as causes of their own."""
        return {finding.fault for finding in self.roots if finding.fault not in self.names}


def verdict(case: Case, home: Path) -> Verdict:
    """Judge the log of one case."""
    outcome: dict[str, Any] = json.loads((home / DONE).read_text())
    try:
        found = [finding for finding in diagnose(home) if finding.severity != "info"]
    except NoDataError:
        found = []
    note = outcome.get("error", "").strip().splitlines()[-1:] or [""]
    return Verdict(case, outcome["symptom"], note[0], found)


@dataclass(frozen=True)
class Share:
    """A number of cases out of a number of cases."""

    name: str
    hits: int
    of: int

    @property
    def share(self) -> float:
        """Hits over cases; NaN without a case."""
        return self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share (Wilson 1927)."""
        if not self.of:
            return 0.0, 1.0
        interval = binomtest(self.hits, self.of).proportion_ci(0.95, method="wilson")
        return float(interval.low), float(interval.high)

    @property
    def short(self) -> str:
        """Share and 95 % interval, for a table."""
        low, high = self.interval
        return f"{self.share:.1%} ({low:.0%} to {high:.0%})"

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.name}: {self.share:.1%} ({self.hits}/{self.of}; 95 % interval {low:.1%} to {high:.1%})"


def shares(verdicts: Iterable[Verdict]) -> list[Share]:
    """Detection, right fault, right layer, false alarms, extra faults; of cases that show their symptom."""
    valid = [v for v in verdicts if v.valid]
    faulty = [v for v in valid if v.case.fault]
    healthy = [v for v in valid if not v.case.fault]
    located = [v for v in faulty if v.case.layers]
    return [
        Share("detected", sum(bool(v.found) for v in faulty), len(faulty)),
        Share("right fault", sum(v.right_fault for v in faulty), len(faulty)),
        Share("right layer", sum(v.right_layer for v in located), len(located)),
        Share("healthy flagged", sum(bool(v.found) for v in healthy), len(healthy)),
        Share("faulty with extra faults", sum(bool(v.extra) for v in faulty), len(faulty)),
    ]


def complaints(verdicts: Iterable[Verdict]) -> list[str]:
    """One line for each case that is not judged as it should be."""
    lines = []
    for v in verdicts:
        reported = ", ".join(f"{f.fault}@{f.layer or 'model'}" for f in v.roots[:4]) or "nothing"
        expected = f"{v.case.fault}@{'|'.join(v.case.layers) or 'any'}"
        if not v.valid:
            lines.append(f"invalid  {v.case.name} {v.note}")
        elif v.case.fault is None and v.found:
            lines.append(f"false    {v.case.name}: {reported}")
        elif v.case.fault and not v.found:
            lines.append(f"missed   {v.case.name}: {expected}")
        elif v.case.fault and not v.right_fault:
            lines.append(f"wrong    {v.case.name}: {expected}, reported {reported}")
        elif v.case.layers and not v.right_layer:
            lines.append(f"layer    {v.case.name}: {expected}, reported {reported}")
        elif v.extra and v.case.fault:
            lines.append(f"extra    {v.case.name}: {', '.join(sorted(v.extra))}")
    return lines
