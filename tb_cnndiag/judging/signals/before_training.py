"""What preflight has found before the first step, as the log stores it."""

from __future__ import annotations

from tb_cnndiag.finding import Findings
from tb_cnndiag.judging.signals.base import Signals

PREFLIGHT = "preflight"
"""Name under which the log stores findings of a preflight."""


def stored(signals: Signals) -> Findings:
    """The findings of the preflight of this run, with their coverage; empty without one."""
    found = signals.history.latest(PREFLIGHT)
    return found if isinstance(found, Findings) else Findings()
