"""Which of the diagnostics that are due a snapshot takes: as many as it can afford, in the order of their use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from tb_cnndiag.diagnostics.base import Cost, Diagnostic
from tb_cnndiag.recording.budget import Budget
from tb_cnndiag.recording.inspection import passes, sources

# Judging and writing.
RECORD = "record"
_RANK: Mapping[Cost, int] = {"light": 0, "heavy": 1, "costly": 2, "closing": 3}


@dataclass(frozen=True)
class Plan:
    """The diagnostics of one snapshot, and those that it cannot afford, with the seconds they would take."""

    chosen: Sequence[Diagnostic]
    left_out: Mapping[str, float] = field(default_factory=dict)

    @property
    def needs(self) -> frozenset[str]:
        """Names of the arrays that the chosen diagnostics need."""
        return frozenset(name for diagnostic in self.chosen for name in diagnostic.needs)


def affordable(
    due: Sequence[Diagnostic],
    budget: Budget,
    limits: Mapping[Cost, float],
    *,
    captured: Set[str] | None = None,
) -> Plan:
    """Choose from the diagnostics that are due: light ones first, then heavy and costly ones, cheap ones first.

    Diagnostics whose data training provides anyway are always taken. Light ones may take what training has earned since
    the last snapshot even if too much was spent before: one surprise must not hide the rest of the training.

    Args:
        due: The diagnostics, in the order of the log.
        budget: What each of them is expected to take.
        limits: Seconds that all may have taken when the last diagnostic of each cost ends.
        captured: Sources that have been captured: no other one will be. None: they are still to be captured.
    """
    chosen: set[str] = set()
    left_out: dict[str, float] = {}
    fetched: set[str] = set()
    planned = budget.estimate(RECORD)
    for diagnostic in sorted(due, key=lambda each: (_RANK[each.cost], _alone(each, budget))):
        more = sources(diagnostic.needs) - (fetched if captured is None else captured)
        shared = not chosen.isdisjoint(diagnostic.shares)
        cost = budget.estimate(diagnostic.name) if shared else _alone(diagnostic, budget)
        cost += _capturing(fetched | more, budget) - _capturing(fetched, budget)
        impossible = captured is not None and more
        limit = limits[diagnostic.cost]
        if diagnostic.cost == "light":
            limit = max(limit, budget.earned_lately)
        if diagnostic.needs and (impossible or planned + cost > limit):
            left_out[diagnostic.name] = cost
            continue
        chosen.add(diagnostic.name)
        fetched |= more
        planned += cost
    return Plan([each for each in due if each.name in chosen], left_out)


def _alone(diagnostic: Diagnostic, budget: Budget) -> float:
    """Seconds that a diagnostic takes if no other one does part of its work."""
    return budget.estimate(diagnostic.name) + max((budget.estimate(name) for name in diagnostic.shares), default=0.0)


def cost_of_all(due: Sequence[Diagnostic], budget: Budget) -> float:
    """Seconds that a snapshot of all these diagnostics is expected to take."""
    shared = {source for each in due for source in sources(each.needs)}
    return budget.estimate(RECORD) + _capturing(shared, budget) + sum(budget.estimate(each.name) for each in due)


def _capturing(wanted: Set[str], budget: Budget) -> float:
    """Seconds that capturing these sources takes."""
    return sum(budget.estimate(source) for source in passes(wanted))
