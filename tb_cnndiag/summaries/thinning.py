"""Selects some of a tag's messages if there are too many to serve or keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def thinned(messages: Sequence[T], limit: int) -> list[T]:
    """At most ``limit`` evenly spaced messages, always with the last one and, if ``limit`` is above 1, the first."""
    if len(messages) <= limit:
        return list(messages)
    indices = np.linspace(0, len(messages) - 1, max(limit, 2)).round().astype(int)
    return [messages[i] for i in indices[-limit:]]
