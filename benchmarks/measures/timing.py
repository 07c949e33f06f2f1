"""Times and targets, printed the same way by every table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def interleaved(work: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each, taken in turns after one round to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, call in work.items():
            seconds, _ = timed(call)
            if turn:
                taken[name].append(seconds)
    return {name: float(np.median(times)) for name, times in taken.items()}


def target(what: str, value: float, limit: float, *, least: bool = False) -> None:
    met = value >= limit if least else value <= limit
    print(f"  {'PASS' if met else 'MISS'}  {what}: {value:.3g} (target {'≥' if least else '≤'} {limit:g})")
