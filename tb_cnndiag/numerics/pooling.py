"""Make a large matrix small enough to be stored and drawn."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray, IntArray, Matrix


def pooled(similarity: FloatArray, order: IntArray, *, cells: int, unit: str = "cosine") -> Matrix:
    """Reorder a symmetric similarity matrix and pool it to at most ``cells`` a side.

    A cell shows the similarity largest in magnitude among its entries, so that a pair of twins stays visible among
    thousands. Each unit's likeness to itself is left out when cells hold several units; else the diagonal of cells
    would always be 1 and hide what the neighbours have in common.

    Args:
        similarity: ``(units, units)`` in [−1, 1]; NaN where unknown.
        order: ``(shown,)`` units in the order to be shown: all, or a sample of them.
        cells: Largest side of the result.
        unit: Of the values.
    """
    shown = len(order)
    pool = -(-shown // cells)
    if pool <= 1:
        return Matrix(similarity[np.ix_(order, order)], order, -1.0, 1.0, unit)
    starts = np.arange(0, shown, pool)
    values = np.empty((len(starts), len(starts)), dtype=np.float32)
    for cell, start in enumerate(starts):
        rows = order[start : start + pool]
        block = similarity[rows][:, order]
        block[np.arange(len(rows)), start + np.arange(len(rows))] = np.nan if len(rows) > 1 else 1
        high = np.fmax.reduceat(np.fmax.reduce(block, axis=0), starts)
        low = np.fmin.reduceat(np.fmin.reduce(block, axis=0), starts)
        values[cell] = np.where(-low > high, low, high)
    return Matrix(values, order, -1.0, 1.0, unit, pool)
