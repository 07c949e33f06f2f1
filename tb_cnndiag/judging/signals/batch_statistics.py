"""Batch normalization: which layers use the statistics of the batch, and whether the moving ones have settled."""

from __future__ import annotations

from tb_cnndiag.judging.signals.base import Signals


def normalized_by_batch(signals: Signals) -> list[int]:
    """Rows of the trainable layers behind which a trainable BatchNormalization follows."""
    return [
        row
        for row in signals.trainable
        if signals.layers[row].normalization_class == "BatchNormalization"
        and not signals.layers[row].normalization_frozen
    ]
