"""What a fault is: words, thresholds, and the kinds in which it shows, each with its condition."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from tb_cnndiag.finding import Adjustment, Evidence, Finding, Severity, Status
from tb_cnndiag.judging.answers import Answer, Outcome
from tb_cnndiag.judging.conditions import Condition, Limits
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.thresholds import Limit
from tb_cnndiag.payloads import LayerInfo

Units: TypeAlias = tuple[int, ...] | tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Case:
    """One layer, or the whole model, in which the condition of a kind is true.

    Attributes:
        signals: All signals of the run.
        limits: The thresholds of the fault by name.
        row: Row of the layer; None for the whole model.
        outcome: What the condition says, with its evidence.
    """

    signals: Signals
    limits: Limits
    row: int | None
    outcome: Outcome

    @property
    def layer(self) -> LayerInfo:
        """The layer."""
        assert self.row is not None
        return self.signals.layers[self.row]

    def value(self, name: str) -> float:
        """A number of the evidence; NaN if it was not compared."""
        found = self.outcome.evidence.get(name)
        return found.value if found else float("nan")


@dataclass(frozen=True)
class Kind:
    """One way in which a fault shows.

    Attributes:
        when: The condition.
        message: The sentence of a finding.
        severity: An error that has not persisted for as long as it must is reported as a warning.
        where: The layers that are judged: there is a finding for each in which the condition is true. None: the whole
            model is judged, and there is at most one finding, if no other kind was found.
        at: The layer that a finding of the whole model names.
        adjustments: What to change, most promising first.
        units: The units that have the fault.
        reported: Evidence that is only reported, next to what was compared.
        instead_of: Faults that this kind explains so completely that their findings are left out.
        causes: Faults that this kind causes in any layer, by the reason; other kinds of the fault may be their effects.
    """

    when: Condition
    message: Callable[[Case], str]
    severity: Severity | Callable[[Case], Severity] = "error"
    where: Callable[[Signals], list[int]] | None = None
    at: Callable[[Case], int | None] | None = None
    adjustments: Callable[[Case], tuple[Adjustment, ...]] = field(default=lambda case: ())
    units: Callable[[Case], Units] = field(default=lambda case: ())
    reported: Callable[[Case], Mapping[str, Evidence]] = field(default=lambda case: {})
    instead_of: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """How the judgment of one fault ended; see :class:`~tb_cnndiag.judging.coverage.Coverage`.

    Attributes:
        instead_of: Faults that the findings explain so completely that their own are left out.
        causes: Faults that the findings cause, beyond what the graph of causes says, by the reason.
    """

    findings: tuple[Finding, ...]
    status: Status
    reason: str = ""
    instead_of: frozenset[str] = frozenset()
    causes: Mapping[str, str] = field(default_factory=dict)


class Fault(ABC):
    """A fault that can be found in a run.

    Attributes:
        id: Name in findings and on the command line.
        title: Name for people.
        what, why, advice: What it is, why it matters, what to do: one or two sentences each.
        source: Publication or tool that the criterion comes from.
        diagnostic: The diagnostic whose chart shows it.
        limits: Thresholds by name.
        former: Names of thresholds that were merged into another one, or (None) no longer exist.
        kinds: The ways in which it shows. The first that is true of a layer is reported.
        of_audits: Judged in audits of saved models alone.
        of_trainings: Judged in trainings alone: an audit has none, and a preflight has no step yet.
        follows: For faults of other packages: the faults that can cause this one, in any layer that shares a path.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    what: ClassVar[str]
    why: ClassVar[str]
    advice: ClassVar[str]
    source: ClassVar[str]
    diagnostic: ClassVar[str]
    limits: ClassVar[Mapping[str, Limit]] = {}
    former: ClassVar[Mapping[str, str | None]] = {}
    kinds: ClassVar[tuple[Kind, ...]] = ()
    follows: ClassVar[tuple[str, ...]] = ()
    of_audits: ClassVar[bool] = False
    of_trainings: ClassVar[bool] = False

    def does_not_apply(self, signals: Signals) -> str:
        """Why the run cannot have this fault; empty if it can."""
        return ""

    def judge(self, signals: Signals, limits: Limits) -> Judged:
        """The findings, and how the judgment ended; ``limits`` has every name of ``self.limits``."""
        if reason := self.does_not_apply(signals):
            return Judged((), "not_applicable", reason)
        findings: list[Finding] = []
        named: set[int | None] = set()
        reasons: dict[str, None] = {}
        instead_of: set[str] = set()
        causes: dict[str, str] = {}
        judged = asked = measured = False
        for kind in self.kinds:
            if kind.where is None and findings:
                continue
            for row, outcome in _outcomes(kind, signals, limits):
                asked = True
                judged |= outcome.found is not None
                measured |= outcome.found is not None and outcome.measured
                if outcome.found is None:
                    reasons |= dict.fromkeys(outcome.reasons[:1])
                if outcome.found and row not in named:
                    case = Case(signals, limits, row, outcome)
                    findings.append(self._finding(kind, case))
                    named.add(row)
                    instead_of |= set(kind.instead_of)
                    causes |= kind.causes
        open_ = "; ".join(reasons)
        if findings:
            return Judged(tuple(findings), "found", "", frozenset(instead_of), causes)
        if not asked:
            return Judged((), "not_applicable", "no layer can have it")
        # What is not known passes only next to something that was recorded; facts about the run say nothing of it.
        clear = judged and (measured or not open_)
        return Judged((), "clear" if clear else "unknown", open_)

    def _finding(self, kind: Kind, case: Case) -> Finding:
        row = case.row if kind.at is None else kind.at(case)
        severity = kind.severity(case) if callable(kind.severity) else kind.severity
        return Finding(
            run=case.signals.history.run,
            fault=self.id,
            layer=None if row is None else case.signals.layers[row].path,
            severity=severity if case.outcome.enough or severity != "error" else "warning",
            first_step=case.outcome.first_step,
            last_step=max(case.signals.history.last_step, case.outcome.first_step),
            message=kind.message(case),
            units=kind.units(case),
            evidence={**case.outcome.evidence, **kind.reported(case)},
            adjustments=kind.adjustments(case),
            title=self.title,
            diagnostic=self.diagnostic,
        )


def _outcomes(kind: Kind, signals: Signals, limits: Limits) -> Iterator[tuple[int | None, Outcome]]:
    if kind.where is None:
        yield None, kind.when.answer(signals, limits).outcome(0)
        return
    rows = kind.where(signals)
    if not rows:
        return
    answer: Answer = kind.when.answer(signals, limits)
    for row in rows:
        yield row, answer.outcome(row)
