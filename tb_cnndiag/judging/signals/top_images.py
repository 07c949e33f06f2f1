"""Whether the units of a network still change what they respond to."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, over_layers, recorded

TOP_IMAGES_KEPT = Signal("top images kept", "share", recorded("top_patches", "kept_ratio"))
"""Share of its nine strongest images that a unit kept since the last snapshot that has them, mean over units."""


def _median(signals: Signals) -> Track:
    return over_layers(np.nanmedian, signals(TOP_IMAGES_KEPT), range(len(signals.layers)))


MEDIAN_TOP_IMAGES_KEPT = Signal("top images kept", "share", _median)
"""The same, median over layers. Near 1, the network has settled on its features."""

SETTLED = 2 / 3
"""Share of its top images that a settled unit keeps at least."""


def changing_layers(signals: Signals) -> list[str]:
    """Paths of the layers whose units, on average, kept fewer of their top images than settled ones do, at last."""
    kept = signals(TOP_IMAGES_KEPT)
    return [layer.path for row, layer in enumerate(signals.layers) if kept.last(row) < SETTLED]
