"""The result of judging: a fault, where it is, since when, the evidence, and what to change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tb_cnndiag.changes import Change

Severity: TypeAlias = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True)
class Evidence:
    """A number that a finding rests on, its threshold (None: there is none) and its unit."""

    value: float
    limit: float | None
    unit: str


@dataclass(frozen=True)
class Adjustment:
    """One concrete proposal: change ``parameter`` from ``current`` to ``proposed``, because of ``reason``.

    Attributes:
        layer: Path of the layer; None for the training.
        parameter: What is changed.
        current: Its value now, as text.
        proposed: Its new value, as text.
        reason: Why the change helps.
        change: The same change as a type, which ``tb_cnndiag.adjust.apply`` carries out. None for advice, which only
            the user can follow, and for adjustments decoded from a log, which stores the text alone.
    """

    layer: str | None
    parameter: str
    current: str
    proposed: str
    reason: str
    change: Change | None = field(default=None, compare=False)

    @classmethod
    def of(cls, change: Change, current: str, reason: str, *, proposed: str | None = None) -> Adjustment:
        """The proposal of a change; ``proposed`` is the new value as text, by default that of the change."""
        text = change.proposed if proposed is None else proposed
        return cls(change.layer, change.parameter, current, text, reason, change)


@dataclass(frozen=True)
class Finding:
    """One fault found in one run.

    Attributes:
        run: Directory that holds ``cnndiag/``, relative to the logdir; ``"."`` for the logdir itself.
        fault: Id of the fault, e.g. ``"dead_units"``.
        layer: Path of the layer that owns the kernel; None for the whole model.
        severity: ``"error"`` (the run is wasted), ``"warning"`` (it costs accuracy, time or memory) or ``"info"``.
        first_step: Step since which the condition has persisted.
        last_step: Last step at which it was true.
        message: One sentence: what, where, how much.
        units: Ascending unit indices, or groups of them where units belong together.
        evidence: The numbers the finding rests on, by name.
        caused_by: The finding that causes this one, or None.
        adjustments: What to change, most promising first.
        title: Name of the fault for people.
        diagnostic: Diagnostic whose chart shows the fault.
    """

    run: str
    fault: str
    layer: str | None
    severity: Severity
    first_step: int
    last_step: int
    message: str
    units: tuple[int, ...] | tuple[tuple[int, ...], ...] = ()
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    caused_by: Finding | None = None
    adjustments: tuple[Adjustment, ...] = ()
    title: str = ""
    diagnostic: str = ""

    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return SEVERITIES.index(self.severity)


Status: TypeAlias = Literal["found", "clear", "not_applicable", "unknown", "crashed"]
STATUSES: tuple[Status, ...] = ("found", "clear", "not_applicable", "unknown", "crashed")


@dataclass(frozen=True)
class Coverage:
    """How the judgment of one fault in one run ended.

    Attributes:
        run: As in :class:`Finding`.
        fault: Id of the fault.
        status: ``"found"``; ``"clear"``: judged, and not found; ``"not_applicable"``: the run cannot have it;
            ``"unknown"``: what it needs was not recorded; ``"crashed"``: the rule failed.
        reason: Why it does not apply, is unknown or failed; else empty, or what was not judged.
    """

    run: str
    fault: str
    status: Status
    reason: str = ""


class Findings(tuple[Finding, ...]):
    """The findings of a snapshot, causes first, with how the judgment of each fault ended, where that is known."""

    coverage: tuple[Coverage, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding], coverage: Iterable[Coverage] = ()) -> Findings:
        """These findings with this coverage."""
        found = cls(findings)
        found.coverage = tuple(coverage)
        return found
