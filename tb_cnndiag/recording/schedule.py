"""Schedules: functions of a snapshot's 0-based number that decide whether to measure at that snapshot."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

Schedule: TypeAlias = Callable[[int], bool]


def every(n: int) -> Schedule:
    """Every n-th snapshot, starting with the first.

    Raises:
        ValueError: If n is not positive.
    """
    _positive(n)
    return lambda snapshot: snapshot % n == 0


def log_spaced(n: int) -> Schedule:
    """Each of the first n snapshots, then fewer and fewer: n more each time the number of snapshots doubles.

    ``log_spaced(8)`` selects 30 of 100 snapshots, and 56 of 1,000.

    Raises:
        ValueError: If n is not positive.
    """
    _positive(n)

    def selected(snapshot: int) -> bool:
        return snapshot == 0 or _count(snapshot) > _count(snapshot - 1)

    def _count(snapshot: int) -> int:
        return math.floor(n * math.log2(1 + snapshot / n) + 1e-9)

    return selected


def _positive(n: int) -> None:
    if n < 1:
        raise ValueError(f"A schedule needs a positive number of snapshots, as in every(1) or log_spaced(8), not {n}.")


# By default, heavy diagnostics (similarity, trees, densities) are measured at 16 of 100 snapshots. Costly diagnostics
# change slowly, so they are measured only at those snapshots that are also in the sparser schedule.
HEAVY = log_spaced(3)
COSTLY = log_spaced(2)
