"""Units that died during training."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.judging.signals.configuration import layer_config
from tb_cnndiag.judging.signals.series import values_at
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray, IntArray

# Share of dead units below which a layer is alive: some dead units are normal.
ALIVE = 0.4


def died_in_training(history: History, steps: IntArray, dead: float) -> tuple[FloatArray, str]:
    """(largest share of dead units over the rectified hidden layers, ``(steps,)``; path of the layer that has it last).

    Zeros and an empty path where a hidden layer had the share ``dead`` at the first snapshot: it explains what died
    later.
    """
    series = history.series("dead_units", "dead_ratio")
    rows = [
        row
        for row, layer in enumerate(history.layers)
        if layer.trainable and not layer.output and layer.activation in RECTIFIED
        if not layer_config(layer).get("activity_regularizer")  # its penalty can have the same effect
        if len(series)
        and (series.values[0, row] < ALIVE or (series.steps[0] > 0 and series.values[0, row] < series.values[-1, row]))
    ]
    dead_initially = any(
        series.values[0, row] >= dead for row, layer in enumerate(history.layers) if len(series) and not layer.output
    )
    non_finite = history.series("weight_health", "non_finite")
    # Non-finite weights leave rectified units at 0, too.
    if dead_initially or not rows or (non_finite.values > 0).any():
        return np.zeros(len(steps)), ""
    shares = np.nan_to_num(series.values[:, rows])
    return values_at(steps, series.steps, shares.max(axis=1)), history.layers[rows[int(shares[-1].argmax())]].path
