"""What a finding proposes, as text."""

from __future__ import annotations

from tb_cnndiag.history import History
from tests.judging.faults.made import found

Changes = list[tuple[str | None, str, str, str]]
"""Layer, parameter, present and proposed value."""


def changes(fault: str, run: History) -> Changes:
    """What the first finding of a fault proposes."""
    return [(a.layer, a.parameter, a.current, a.proposed) for a in found(fault, run)[0].adjustments]
