"""The smallest box of a picture that holds most of a quantity."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray, IntArray

# Cells along each side: the edges of a box are exact to 1/32 of the side of the picture.
CELLS = 32
# Rounding must not make a box larger than the share needs.
_ROUNDING = 1e-9


def smallest_box(amounts: FloatArray, share: float, cells: int = CELLS) -> tuple[int, int, int, int]:
    """Top, left, height and width of the box with the smallest area that holds a share of all amounts.

    Args:
        amounts: ``(height, width)``, ≥ 0.
        share: 0..1.
        cells: Most cells along each side; the edges of the box lie between cells. Pictures that are not larger than
            that are searched exactly.

    Returns:
        All 0 if the amounts are not finite, or their sum is 0.
    """
    values = np.asarray(amounts, np.float64)
    total = float(values.sum())
    if not (np.isfinite(total) and total > 0):
        return 0, 0, 0, 0
    down, across = (_edges(length, cells) for length in values.shape)
    blocks = np.add.reduceat(np.add.reduceat(values, down[:-1], axis=0), across[:-1], axis=1)
    above = np.concatenate([np.zeros((1, blocks.shape[1])), np.cumsum(blocks, axis=0)])
    tops, bottoms = np.triu_indices(len(down), 1)
    strips = np.cumsum(above[bottoms] - above[tops], axis=1)
    strips = np.concatenate([np.zeros((len(strips), 1)), strips], axis=1)  # (strips, edges): left of each edge
    wanted = share * total * (1 - _ROUNDING)
    heights = down[bottoms] - down[tops]
    best, found = np.inf, (0, 0, 0, 0)
    for left in range(len(across) - 1):
        enough = strips[:, left + 1 :] - strips[:, left : left + 1] >= wanted
        right = left + 1 + enough.argmax(axis=1)
        areas = np.where(enough.any(axis=1), heights * (across[right] - across[left]), np.inf)
        at = int(areas.argmin())
        if areas[at] < best:
            best = float(areas[at])
            found = int(down[tops[at]]), int(across[left]), int(heights[at]), int(across[right[at]] - across[left])
    return found


def _edges(length: int, cells: int) -> IntArray:
    """Pixels at which cells begin, and the length: as many cells as there are pixels, at most ``cells``."""
    count = min(length, cells)
    return np.asarray(np.rint(np.linspace(0, length, count + 1)), np.int64)
