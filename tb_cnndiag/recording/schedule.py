"""When to snapshot: a schedule is a function of the 0-based number of the snapshot."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

Schedule: TypeAlias = Callable[[int], bool]


def every(n: int) -> Schedule:
    """Every n-th snapshot, the first included.

    Raises:
        ValueError: When n is not positive.
    """
    _positive(n)
    return lambda snapshot: snapshot % n == 0


def log_spaced(n: int) -> Schedule:
    """Each of the first n snapshots, then ever fewer: n more each time the number of snapshots doubles.

    Of 100 snapshots, ``log_spaced(8)`` takes 30; of 1,000, 56.

    Raises:
        ValueError: When n is not positive.
    """
    _positive(n)

    def taken(snapshot: int) -> bool:
        return snapshot == 0 or _count(snapshot) > _count(snapshot - 1)

    def _count(snapshot: int) -> int:
        return math.floor(n * math.log2(1 + snapshot / n) + 1e-9)

    return taken


def _positive(n: int) -> None:
    if n < 1:
        raise ValueError(f"{n} snapshots are no schedule: give a positive number, as in every(1) or log_spaced(8).")


# By default similarity, trees and densities are taken at 16 of 100 snapshots. What is costlier is for the eye and changes
# slowly: it is taken at those of them that the sparser schedule has too.
HEAVY = log_spaced(3)
COSTLY = log_spaced(2)
