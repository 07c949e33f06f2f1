"""What the diagnostics may cost: how much time a snapshot may take, and what each part of it is expected to take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tb_cnndiag.diagnostics.base import Cost

Occasion: TypeAlias = Literal["first", "regular", "last"]

clock: Callable[[], float] = time.perf_counter
"""Seconds since any moment; tests replace it."""

# Seconds that the diagnostics of any training may take: a shorter one would otherwise be recorded at its ends only. And
# those of its last snapshot, if it takes them to have the light ones: else it would say nothing about activations.
FLOOR = 0.5
FLOOR_AT_LAST = 1.5
# Largest part of the training's time that all diagnostics may take so that the last snapshot has the light ones, and by
# how much the share may be exceeded so that it has the others.
WHOLE_SHARE = 0.2
EXCESS = 0.02
# Part of the available time that diagnostics of each cost may use between the first and the last snapshot: what costs
# much must not use up what light ones need at the next snapshots.
PARTS: Mapping[Cost, float] = {"light": 1.0, "heavy": 0.5, "costly": 0.25}
# Largest part of what a training will earn that is kept for its last snapshot.
RESERVE = 0.5


@dataclass(frozen=True)
class Expected:
    """Seconds that something is expected to take: when it is first done, and compiled, and later.

    ``compiled_by`` is another item whose first run compiles this one, too.
    """

    first: float
    later: float
    compiled_by: str = ""


class Budget:
    """Keeps account of the time that diagnostics take, relative to the time that training takes.

    All snapshots after the first one may take ``share`` of the training's time, or ``FLOOR`` seconds if that is more.
    The first one is always taken. The last one may exceed the share: by ``EXCESS``, and for light diagnostics until all
    together have taken ``WHOLE_SHARE`` of the training's time.
    """

    def __init__(self, share: float | None) -> None:
        """``share``: Part of the training's time, 0..1; None: no bound."""
        self.share = share
        self._spent = 0.0
        self._began = clock()
        self._charging: float | None = None
        self._unbounded = 0.0
        self._before_last: float | None = None
        self._trained_before = 0.0
        self._expected: dict[str, Expected] = {}
        self._measured: dict[str, float] = {}
        self._runs: dict[str, int] = {}

    @contextmanager
    def charged(self, *, first: bool = False) -> Iterator[None]:
        """Count the time inside the ``with`` as a cost of the diagnostics; what is ``first`` as the first snapshot."""
        if self._charging is not None:
            yield
            return
        self._charging = clock()
        try:
            yield
        finally:
            seconds = clock() - self._charging
            self._spent += seconds
            self._unbounded += seconds if first else 0.0
            self._charging = None

    @contextmanager
    def measured(self, item: str) -> Iterator[None]:
        """Remember the time inside the ``with`` as the cost of ``item``."""
        begin = clock()
        try:
            yield
        finally:
            self._measured[item] = clock() - begin
            self._runs[item] = self._runs.get(item, 0) + 1

    def begin(self) -> None:
        """The first snapshot is taken: what was spent so far is not charged to the next ones.

        Nor is what is charged as ``first`` later, such as compiling an observed step on JAX.
        """
        self._unbounded = self.spent

    def recorded(self) -> None:
        """A snapshot is complete."""
        self._trained_before = self.trained

    def expect(self, costs: Mapping[str, Expected]) -> None:
        """Seconds that items are expected to take until they have been measured."""
        self._expected.update(costs)

    def estimate(self, item: str) -> float:
        """Seconds that ``item`` will take; 0 if nothing is known. The first run of what is compiled says little."""
        expected = self._expected.get(item)
        if item not in self._measured:
            if expected is None:
                return 0.0
            return expected.later if expected.compiled_by in self._measured else expected.first
        if expected and self._runs[item] == 1:
            return min(self._measured[item], expected.later)
        return self._measured[item]

    def limits(self, occasion: Occasion, *, progress: float = 0.0, reserved: float = 0.0) -> Mapping[Cost, float]:
        """Seconds that a snapshot may have taken when the last diagnostic of each cost ends; see :meth:`available`."""
        seconds = self.available(occasion, progress=progress, reserved=reserved)
        if occasion != "last" or self.share is None:
            return {cost: part * seconds for cost, part in PARTS.items()}
        heavier = self._left_at_last(self.share + EXCESS, FLOOR)
        return {cost: seconds if cost == "light" else heavier for cost in PARTS}

    def available(self, occasion: Occasion, *, progress: float = 0.0, reserved: float = 0.0) -> float:
        """Seconds that a snapshot of light diagnostics may take now; infinite if there is no bound.

        Args:
            occasion: Which snapshot it is.
            progress: Share of the training that is done, 0..1; 0 if unknown.
            reserved: Seconds that the last snapshot is expected to take.
        """
        if self.share is None or occasion == "first":
            return float("inf")
        if occasion == "last":
            return self._left_at_last(max(WHOLE_SHARE, self.share), FLOOR_AT_LAST)
        spent, trained = self.spent, self.trained
        earned = self.share * trained
        if progress > 0:
            whole = self.share * trained / progress
            earned = min(earned, whole - min(reserved, RESERVE * whole))
        return max(FLOOR, earned) - (spent - self._unbounded)

    def _left_at_last(self, share: float, floor: float) -> float:
        """Seconds until all have taken this share of the training's time, or the last snapshot ``floor`` seconds."""
        if self._before_last is None:  # it may be supplemented when the training ends
            self._before_last = self.spent
        return max(self._before_last + floor, share * self.trained) - self.spent

    @property
    def earned_lately(self) -> float:
        """Seconds that training has earned since the last snapshot: these can be spent in debt, too."""
        return float("inf") if self.share is None else self.share * (self.trained - self._trained_before)

    @property
    def trained(self) -> float:
        """Seconds that training itself has taken so far."""
        return max(clock() - self._began - self.spent, 0.0)

    @property
    def spent_share(self) -> float:
        """Share of all time so far that the diagnostics took, 0..1."""
        elapsed = clock() - self._began
        return self.spent / elapsed if elapsed > 0 else 0.0

    @property
    def spent(self) -> float:
        """Seconds that the diagnostics have taken so far."""
        return self._spent + (clock() - self._charging if self._charging is not None else 0.0)
