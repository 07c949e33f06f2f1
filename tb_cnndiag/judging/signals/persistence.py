"""Whether a condition has persisted until the end of a run, and since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import IntArray


@dataclass(frozen=True)
class Streak:
    """The last uninterrupted period in which a condition persisted.

    Attributes:
        first_step: Step since which the condition has persisted.
        last_step: Last step at which it persisted.
        enough: Whether the run has as many snapshots as the condition must persist for.
    """

    first_step: int
    last_step: int
    enough: bool


def streak(steps: IntArray, condition: NDArray[np.bool_], snapshots: float) -> Streak | None:
    """The period in which the condition ``(snapshots,)`` has persisted; None if it ended before the last ``snapshots``.

    In a run of fewer snapshots the condition must be true at all of them; ``enough`` is False then.
    """
    if not len(steps) or not condition[-min(int(snapshots), len(steps)) :].all():
        return None
    interruptions = np.flatnonzero(~condition)
    first = int(interruptions[-1]) + 1 if interruptions.size else 0
    return Streak(int(steps[first]), int(steps[-1]), len(steps) >= snapshots)
