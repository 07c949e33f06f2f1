"""What a condition answers: yes, no or unknown at each step, for each layer or for the whole model, and why."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.finding import Evidence
from tb_cnndiag.judging.signals.base import latest_at
from tb_cnndiag.payloads import FloatArray, IntArray

Truth: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Compared:
    """A signal at the steps of an answer, ``(snapshots, layers or 1)``, and the threshold that it was compared with."""

    name: str
    values: FloatArray
    limit: float | None
    unit: str


@dataclass(frozen=True)
class Answer:
    """What a condition says at each step: ``(snapshots, layers)``, or ``(snapshots, 1)`` for the whole model.

    Where neither ``yes`` nor ``no`` is true, it is unknown.

    Attributes:
        since: Index of the snapshot since which a yes has persisted; None: since the last change of ``yes``.
        short: Where a yes rests on a run that is shorter than the condition must persist.
        compared: What was compared; of an alternative, see ``parts``.
        parts: The answers of which one is enough.
        reasons: Why it may be unknown.
        measured: Whether a no rests on something that was recorded, and not on facts about the run alone.
    """

    steps: IntArray
    yes: Truth
    no: Truth
    since: IntArray | None = None
    short: Truth | None = None
    compared: tuple[Compared, ...] = ()
    parts: tuple[Answer, ...] = ()
    reasons: tuple[str, ...] = ()
    measured: bool = True

    @functools.cached_property
    def began(self) -> IntArray:
        """Index of the snapshot since which a yes has persisted, ``(snapshots, layers)``; unknowns do not end it."""
        return self.since if self.since is not None else _began(self.yes, self.no)

    def at(self, steps: IntArray) -> Answer:
        """The same answer at other steps: the latest; unknown before the first."""
        if np.array_equal(steps, self.steps):
            return self
        if not len(self.steps):
            none = np.zeros((len(steps), 1), bool)
            return Answer(steps, none, none, reasons=self.reasons, measured=self.measured)
        position = np.searchsorted(self.steps, steps, side="right") - 1
        known = (position >= 0)[:, None]
        rows = np.maximum(position, 0)
        began = np.searchsorted(steps, self.steps[self.began])[rows] if self.since is not None else None
        return Answer(
            steps,
            self.yes[rows] & known,
            self.no[rows] & known,
            began,
            None if self.short is None else self.short[rows],
            tuple(Compared(c.name, latest_at(steps, self.steps, c.values), c.limit, c.unit) for c in self.compared),
            tuple(part.at(steps) for part in self.parts),
            self.reasons,
            self.measured,
        )

    @functools.cached_property
    def _last_known(self) -> IntArray:
        """Index of the last snapshot at which it is known, ``(layers,)``; −1 where it never is."""
        known = (self.yes | self.no)[::-1]
        return np.where(known.any(axis=0), len(known) - 1 - np.argmax(known, axis=0), -1)

    def outcome(self, row: int) -> Outcome:
        """What it says in the end of one layer, or of the model."""
        column = row if self.yes.shape[1] > 1 else 0
        last = int(self._last_known[column]) if len(self.steps) else -1
        if last < 0:
            return Outcome(None, reasons=self.reasons)
        if self.no[last, column]:
            return Outcome(False, measured=self.measured)
        short = self.short is not None and bool(self.short[last, column if self.short.shape[1] > 1 else 0])
        began = self.began[:, column if self.began.shape[1] > 1 else 0]
        evidence = self._evidence(last, row)
        return Outcome(True, int(self.steps[began[last]]), int(self.steps[-1]), not short, evidence)

    def _evidence(self, snapshot: int, row: int) -> dict[str, Evidence]:
        found: dict[str, Evidence] = {}
        for part in self.parts:
            if part.yes[snapshot, row if part.yes.shape[1] > 1 else 0]:
                found |= part._evidence(snapshot, row)
        for each in self.compared:
            value = float(each.values[snapshot, row if each.values.shape[1] > 1 else 0])
            found[each.name] = Evidence(value, each.limit, each.unit)
        return found


@dataclass(frozen=True)
class Outcome:
    """What a condition says of one layer, or of the model, in the end.

    Attributes:
        found: True, False, or None where it is unknown.
        first_step: Step since which it has persisted.
        last_step: Last step at which it did.
        enough: Whether it has persisted for as long as it must.
        evidence: What was compared, by the names of the thresholds.
        reasons: Why it is unknown.
        measured: Whether False rests on something that was recorded, and not on facts about the run alone.
    """

    found: bool | None
    first_step: int = 0
    last_step: int = 0
    enough: bool = True
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    measured: bool = True


def _began(yes: Truth, no: Truth) -> IntArray:
    """Index of the first yes after the last no, ``(snapshots, layers)``."""
    some = yes.any(axis=0)
    if not some.all():  # most layers have none
        began = np.zeros(yes.shape, np.int64)
        if some.any():
            began[:, some] = _began(yes[:, some], no[:, some])
        return began
    index = np.arange(len(yes))[:, None]
    last_no = np.maximum.accumulate(np.where(no, index, -1), axis=0)
    before = np.vstack([np.full((1, yes.shape[1]), -1), np.where(yes, index, -1)[:-1]])
    starts = yes & (np.maximum.accumulate(before, axis=0) <= last_no)
    return np.maximum(np.maximum.accumulate(np.where(starts, index, -1), axis=0), 0)


def first_known(answer: Answer) -> IntArray:
    """Index of the first snapshot at which it is known, ``(layers,)``."""
    return np.asarray(np.argmax(answer.yes | answer.no, axis=0))


def aligned(answers: Sequence[Answer]) -> list[Answer]:
    """The answers at all steps of any of them."""
    steps = functools.reduce(np.union1d, (answer.steps for answer in answers))
    return [answer.at(steps) for answer in answers]
