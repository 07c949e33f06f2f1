"""When to look: a schedule is a function of the 0-based number of the look."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

Schedule: TypeAlias = Callable[[int], bool]


def every(n: int) -> Schedule:
    """Every n-th look, the first included.

    Raises:
        ValueError: When n is not positive.
    """
    _positive(n)
    return lambda look: look % n == 0


def log_spaced(n: int) -> Schedule:
    """Each of the first n looks, then ever fewer: n more each time the number of looks doubles.

    Of 100 looks, ``log_spaced(8)`` takes 30; of 1,000, 56.

    Raises:
        ValueError: When n is not positive.
    """
    _positive(n)

    def taken(look: int) -> bool:
        return look == 0 or _count(look) > _count(look - 1)

    def _count(look: int) -> int:
        return math.floor(n * math.log2(1 + look / n) + 1e-9)

    return taken


def _positive(n: int) -> None:
    if n < 1:
        raise ValueError(f"{n} looks are no schedule: give a positive number, as in every(1) or log_spaced(8).")


# By default similarity, trees and densities are taken at 16 of 100 looks. What is costlier is for the eye and changes
# slowly: it is taken at those of them that the sparser schedule has too.
HEAVY = log_spaced(3)
COSTLY = log_spaced(2)
