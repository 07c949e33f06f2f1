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
