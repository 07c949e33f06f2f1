"""What a judgment says: a fault, where, since when, how we know, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True)
class Evidence:
    """A number a judgment rests on, the limit it was held against (None: only told), and its unit."""

    value: float
    limit: float | None
    unit: str


@dataclass(frozen=True)
class Adjustment:
    """One concrete change: ``parameter`` of ``layer`` (None: of the training) from ``current`` to ``proposed``."""

    layer: str | None
    parameter: str
    current: str
    proposed: str
    reason: str


@dataclass(frozen=True)
class Finding:
    """One fault found in one run.

    Attributes:
        run: Directory that holds ``cnndiag/``, relative to the logdir; ``"."`` for the logdir itself.
        fault: Id of the fault, e.g. ``"dead_units"``.
        layer: Path of the layer that owns the kernel; None for the whole model.
        severity: ``"error"`` (the run is wasted), ``"warning"`` (it costs accuracy, time or memory) or ``"info"``.
        first_step: Step since which the condition has held.
        last_step: Last step at which it held.
        units: Ascending unit indices, or groups of them where units belong together.
        evidence: The numbers it rests on, by name.
        caused_by: The finding that causes this one, or None.
        message: One sentence: what, where, how much.
        adjustments: What to change, most promising first.
        title: Name of the fault for people.
        diagnostic: Diagnostic whose chart shows it.
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
