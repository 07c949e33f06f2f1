"""Conditions are data: a signal and a threshold, joined by and, or and not, that must persist for some time.

A condition answers, for each layer or for the whole model, at each step: yes, no or unknown. The evidence of a finding
is what its condition compared, and the reason why something is unknown is that of its signals.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from tb_cnndiag.judging.answers import Answer, Compared, Truth, aligned, first_known
from tb_cnndiag.judging.signals.base import Signal, Signals, Track, decrease
from tb_cnndiag.payloads import FloatArray

Limits: TypeAlias = Mapping[str, float]


class Condition(ABC):
    """Something that can be true of a layer, or of the model, at each step; joined by ``&``, ``|`` and ``~``."""

    @abstractmethod
    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step; ``limits`` has the thresholds of the rule by name."""

    @abstractmethod
    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""

    def __and__(self, other: Condition) -> Condition:
        return All((self, other))

    def __or__(self, other: Condition) -> Condition:
        return Any((self, other))

    def __invert__(self) -> Condition:
        return Not(self)

    def unless(self, other: Condition) -> Condition:
        """This one, except where the other one is true, or not known to be false."""
        return All((self, ~other))

    def except_where(self, other: Condition) -> Condition:
        """This one, except where the other one is known to be true."""
        return All((self, ~Known(other)))

    def for_epochs(self, limit: str = "epochs", *, complete: bool = False) -> Condition:
        """This one, if it has persisted for so many epochs; see ``Signals.period``.

        In a shorter run it must be true throughout; if it has to be ``complete``, it is unknown there.
        """
        return Persists(self, limit, complete)


@dataclass(frozen=True)
class Above(Condition):
    """A signal at or above a threshold; strictly above it, if ``strict``."""

    signal: Signal
    limit: str
    strict: bool = False
    shown: str = ""

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        limit = limits[self.limit]
        return _compared(
            signals(self.signal), self, limit, lambda values: values > limit if self.strict else values >= limit
        )

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return frozenset((self.limit,))


@dataclass(frozen=True)
class Some(Condition):
    """A count that is not 0: a fact, which has no threshold."""

    signal: Signal
    shown: str

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        return _answered(signals(self.signal), self.signal, self.shown, None, lambda values: values > 0)

    def names(self) -> frozenset[str]:
        """No thresholds."""
        return frozenset()


@dataclass(frozen=True)
class Below(Condition):
    """A signal below a threshold."""

    signal: Signal
    limit: str
    shown: str = ""

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        limit = limits[self.limit]
        return _compared(signals(self.signal), self, limit, lambda values: values < limit)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return frozenset((self.limit,))


def _compared(track: Track, condition: Above | Below, limit: float, holds: Callable[[FloatArray], Truth]) -> Answer:
    return _answered(track, condition.signal, condition.shown or condition.limit, limit, holds)


def _answered(
    track: Track, signal: Signal, shown_as: str, limit: float | None, holds: Callable[[FloatArray], Truth]
) -> Answer:
    values = track.latest
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        yes = holds(values) & known
    shown = Compared(shown_as, values, limit, signal.unit)
    reasons = () if known.any() else (track.reason or f"{signal.name} was not measured",)
    measured = bool(known.any()) and not signal.fact
    return Answer(track.steps, yes, known & ~yes, compared=(shown,), reasons=reasons, measured=measured)


@dataclass(frozen=True)
class Flat(Condition):
    """A signal of the model that changed by less than a share per epoch; unknown in a run that is too short.

    It is measured over so many epochs, the first and the last included; if ``full``, so many epochs pass in between.
    """

    signal: Signal
    limit: str
    over: str = "epochs"
    shown: str = ""
    full: bool = False

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        return self._compared(signals, limits, lambda change, limit: np.abs(change) < limit)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return frozenset((self.limit, self.over))

    def _compared(self, signals: Signals, limits: Limits, holds: Callable[[FloatArray, float], Truth]) -> Answer:
        limit = limits[self.limit]
        span = max(limits[self.over] - (not self.full), 1) * signals.period
        track = signals(self.signal)
        values = decrease(track, span, signals.period)
        known = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            yes = holds(values, limit) & known
        shown = Compared(self.shown or self.limit, values, limit, "share")
        reason = track.reason or f"the run is shorter than {limits[self.over] + self.full:g} epochs"
        measured = bool(known.any())
        return Answer(track.steps, yes, known & ~yes, compared=(shown,), reasons=(reason,), measured=measured)


@dataclass(frozen=True)
class Falls(Flat):
    """A signal of the model that has fallen by at least a share per epoch; unknown in a run that is too short."""

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        return self._compared(signals, limits, lambda fall, limit: fall >= limit)


@dataclass(frozen=True)
class Is(Condition):
    """A fact about the run: True, False, or why it is unknown."""

    fact: Callable[[Signals], bool | str]

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        found = signals.once(self.fact)
        always = np.ones((1, 1), bool)
        reasons = (found,) if isinstance(found, str) else ()
        yes, no = always & (found is True), always & (found is False)
        return Answer(np.zeros(1, np.int64), yes, no, reasons=reasons, measured=False)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return frozenset()


@dataclass(frozen=True)
class Not(Condition):
    """The opposite of a condition."""

    condition: Condition

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        answer = self.condition.answer(signals, limits)
        return Answer(answer.steps, answer.no, answer.yes, reasons=answer.reasons, measured=answer.measured)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return self.condition.names()


@dataclass(frozen=True)
class Known(Condition):
    """Whether a condition is known to be true: no where it is unknown."""

    condition: Condition

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        answer = self.condition.answer(signals, limits)
        if not len(answer.steps):
            return Answer(np.zeros(1, np.int64), np.zeros((1, 1), bool), np.ones((1, 1), bool), measured=False)
        steps = np.union1d(answer.steps, [0])
        answer = answer.at(steps)
        return replace(answer, no=~answer.yes)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return self.condition.names()


@dataclass(frozen=True)
class All(Condition):
    """All of several conditions."""

    conditions: Sequence[Condition]

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        parts = aligned([each.answer(signals, limits) for each in self.conditions])
        measured = any(part.measured and part.no.any() for part in parts)
        first, *others = parts
        for other in others:
            since = None
            if first.since is not None or other.since is not None:
                since = np.maximum(first.began, other.began)
            shorts = [each.short for each in (first, other) if each.short is not None]
            first = Answer(
                first.steps,
                first.yes & other.yes,
                first.no | other.no,
                since,
                functools.reduce(np.logical_or, shorts) if shorts else None,
                first.compared + other.compared,
                first.parts + other.parts,
                first.reasons + other.reasons,
            )
        return replace(first, measured=measured)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return frozenset().union(*(each.names() for each in self.conditions))


@dataclass(frozen=True)
class Any(Condition):
    """At least one of several conditions; the evidence is that of those that are true."""

    conditions: Sequence[Condition]

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        parts = aligned([each.answer(signals, limits) for each in self.conditions])
        yes = functools.reduce(np.logical_or, (part.yes for part in parts))
        no = functools.reduce(np.logical_and, (part.no for part in parts))
        since = short = None
        if any(part.since is not None or part.short is not None for part in parts):
            shape = yes.shape
            since, short = np.zeros(shape, np.int64), np.zeros(shape, bool)
            for part in reversed(parts):
                since = np.where(part.yes, part.began, since)
                short = np.where(part.yes, False if part.short is None else part.short, short)
        reasons = sum((part.reasons for part in parts), ())
        measured = any(part.measured for part in parts)
        return Answer(parts[0].steps, yes, no, since, short, (), tuple(parts), reasons, measured)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return frozenset().union(*(each.names() for each in self.conditions))


@dataclass(frozen=True)
class Persists(Condition):
    """A condition that has been true for so many epochs, the first and the last included."""

    condition: Condition
    limit: str
    complete: bool = False

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """What it says at each step."""
        answer = self.condition.answer(signals, limits)
        if not len(answer.steps):
            return answer
        span = max(limits[self.limit] - 1, 0) * signals.period
        steps = answer.steps[:, None]
        persisted = answer.yes & (steps - answer.steps[answer.began] >= span)
        first = first_known(answer)
        # Shorter than it must persist, and true whenever it is known.
        short = answer.yes & ~persisted & (answer.began == first) & (steps - answer.steps[first] < span)
        yes = persisted if self.complete else persisted | short
        no = answer.no | (answer.yes & ~persisted & ~short)
        reasons = (*answer.reasons, f"the run is shorter than {limits[self.limit]:g} epochs")
        return replace(answer, yes=yes, no=no, since=answer.began, short=short, reasons=reasons)

    def names(self) -> frozenset[str]:
        """The thresholds that it uses."""
        return self.condition.names() | {self.limit}
