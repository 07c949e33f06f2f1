"""Fewer messages of a tag, where all are too many to serve or to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def thinned(messages: Sequence[T], limit: int) -> list[T]:
    """At most ``limit`` of the messages, evenly spaced, the last always among them, then the first."""
    if len(messages) <= limit:
        return list(messages)
    spread = np.linspace(0, len(messages) - 1, max(limit, 2)).round().astype(int)
    return [messages[i] for i in spread[-limit:]]
