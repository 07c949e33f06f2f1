"""How large the weights are, initially and later."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.judging.signals.series import median_over_layers, trainable_rows, values_at
from tb_cnndiag.payloads import FloatArray, IntArray


def initial_weight_norms(history: History, rows: list[int]) -> FloatArray | None:
    """‖w‖ of the kernels of these layers at step 0, ``(rows,)``, never 0; None without a snapshot at step 0."""
    rms = history.series("weight_health", "rms")
    if not len(rms) or rms.steps[0] > 0:
        return None
    counts = np.array([history.layers[row].units * history.layers[row].fan_in for row in rows])
    return np.asarray(np.maximum(rms.values[0, rows] * np.sqrt(counts), 1e-12))


def weight_growth(history: History, steps: IntArray) -> FloatArray:
    """RMS weight relative to the initial one, median over layers, ``(steps,)``; 1 where it is unknown.

    Updates that are too large make weights large. Their update-to-weight ratio is small then, for it is taken of the
    weights after the update.
    """
    rms = history.series("weight_health", "rms")
    if not len(rms) or rms.steps[0] > 0:
        return np.ones(len(steps))
    rows = trainable_rows(history)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = rms.values[:, rows] / rms.values[0, rows]
    return np.nan_to_num(values_at(steps, rms.steps, median_over_layers(growth)), nan=1.0)
