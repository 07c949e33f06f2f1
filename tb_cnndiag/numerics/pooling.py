"""Makes a large matrix small enough to store and draw."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray, IntArray, Matrix

_BLOCK_ROWS = 128


def pooled(similarity: FloatArray, order: IntArray, *, cells: int, unit: str = "cosine") -> Matrix:
    """Reorder a symmetric similarity matrix and pool it to at most ``cells`` a side.

    A cell shows the entry with the largest magnitude, so a pair of twins stays visible among thousands of filters. A
    cell of several units leaves out the similarity of each unit to itself. Otherwise the diagonal would always be 1 and
    hide how similar neighbors are.

    Args:
        similarity: ``(units, units)`` in [−1, 1]; NaN where unknown.
        order: ``(shown,)`` units in display order: all units or a sample.
        cells: Largest side of the result.
        unit: Unit of the values.
    """
    shown = len(order)
    pool = -(-shown // cells)
    if pool <= 1:
        return Matrix(similarity[np.ix_(order, order)], order, -1.0, 1.0, unit)
    filled = np.append(order, np.repeat(order[-1], -shown % pool))
    grouped = filled.reshape(-1, pool)
    unknown = np.isnan(similarity.diagonal())
    values = np.empty((len(grouped), len(grouped)), dtype=np.float32)
    step = max(_BLOCK_ROWS // pool, 1)
    for cell in range(0, len(grouped), step):
        rows = grouped[cell : cell + step].ravel()
        block = similarity[rows]
        if unknown.any():
            np.nan_to_num(block, copy=False)
        block[np.arange(len(rows)), rows] = 0
        block = block.reshape(-1, pool, block.shape[1])
        high = block.max(axis=1)[:, grouped].max(axis=2)
        low = block.min(axis=1)[:, grouped].min(axis=2)
        values[cell : cell + step] = np.where(-low > high, low, high)
    known = np.add.reduceat(~unknown[order], np.arange(0, shown, pool), dtype=np.intp)
    values[known == 0] = values[:, known == 0] = np.nan
    single = np.flatnonzero(known == 1)
    values[single, single] = 1
    return Matrix(values, order, -1.0, 1.0, unit, pool)
