"""Units of bounded activations that stay at a bound."""

from __future__ import annotations

from tb_cnndiag.judging.signals.base import Signal, recorded

SATURATED_SHARE = Signal("saturated units", "share", recorded("saturation", "pinned_ratio"))
"""Share of the units of each layer that are near a bound on at least 90 % of their values."""
