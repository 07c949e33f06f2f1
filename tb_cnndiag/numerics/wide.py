"""Layers too wide for a matrix of all pairs of their units: exact twins without one, and a sample for the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.numerics.similarity import Float32Array, Twins
from tb_cnndiag.payloads import FloatArray, IntArray

WIDEST = 2048
"""Width that is compared in one matrix of all pairs, 16 MB; from a wider layer, a sample of this size is drawn."""

# Pairs are compared first in a random projection to this many dimensions, where the error of a cosine near 0.9 has a
# standard deviation of (1 − cos²)/√PROJECTED = 0.02. A pair is a candidate within MARGIN below the threshold: seven of
# these deviations (Johnson & Lindenstrauss 1984; Li, Hastie & Church 2006, Lemma 1).
PROJECTED = 96
MARGIN = 0.14
# Rows compared with all others at once: 26 MB for 13,000 units.
BLOCK = 512


def relatives(rows: FloatArray, threshold: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows have a twin, and which have a mirror image, each ``(units,)``.

    Args:
        rows: ``(units, dimensions)``, at any scale. Rows that are zero or not finite have neither.
        threshold: Cosine at or above which two rows are twins; below minus it, mirror images.
    """
    directions = unit_directions(rows)
    projected = _projected(directions)
    nearly = threshold if projected is directions else threshold - MARGIN
    twin, mirror = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for start in range(0, len(rows), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(rows)))
        similarity = projected[block] @ projected.T
        similarity[np.arange(len(block)), block] = 0
        for found, nearest in ((twin, similarity.argmax(axis=1)), (mirror, similarity.argmin(axis=1))):
            likely = np.abs(similarity[np.arange(len(block)), nearest]) >= nearly
            ours, theirs = block[likely], nearest[likely]
            close = np.abs(np.einsum("ij,ij->i", directions[ours], directions[theirs])) >= threshold
            found[ours[close]] = found[theirs[close]] = True
            unsure = ours[~close & ~found[ours]]
            found[unsure] = _any_relative(directions, unsure, threshold, mirror=found is mirror)
    return twin, mirror


def _any_relative(directions: FloatArray, units: IntArray, threshold: float, *, mirror: bool) -> NDArray[np.bool_]:
    """Whether each of these units has a twin, or a mirror image, by its cosines with all others."""
    similarity = directions[units] @ directions.T
    similarity[np.arange(len(units)), units] = 0
    return np.asarray((-similarity if mirror else similarity).max(axis=1, initial=0) >= threshold)


def twins_of(rows: FloatArray, threshold: float) -> Twins:
    """Shares of rows that have a twin or a mirror image, without a matrix of all pairs."""
    twin, mirror = relatives(rows, threshold)
    return Twins(float(twin.mean()), float(mirror.mean()))


def sample_of(rows: FloatArray, first: NDArray[np.bool_], size: int = WIDEST) -> IntArray:
    """Units that represent a wide layer, ascending.

    Units without a direction and those marked as ``first`` come first, evenly spaced if they are more than three
    quarters of the sample; the others are evenly spaced units of the rest.

    Args:
        rows: ``(units, dimensions)``.
        first: ``(units,)``.
        size: Units in the sample.
    """
    with np.errstate(all="ignore"):
        squares = np.einsum("ij,ij->i", rows, rows)
    marked = first | ~((squares > 0) & np.isfinite(squares))
    chosen = spaced(np.flatnonzero(marked), 3 * size // 4)
    return np.sort(np.concatenate([chosen, spaced(np.flatnonzero(~marked), size - len(chosen))]))


def spaced(units: IntArray, count: int) -> IntArray:
    """At most ``count`` of the units, evenly spaced."""
    if len(units) <= count:
        return units
    return units[np.linspace(0, len(units) - 1, count).astype(np.intp)]


def _projected(directions: FloatArray) -> FloatArray:
    """Directions in few dimensions, of about length 1; as they are where they have few."""
    dimensions = directions.shape[1]
    if dimensions <= 2 * PROJECTED:
        return directions
    matrix = np.random.default_rng(0).standard_normal((dimensions, PROJECTED), dtype=np.float32)
    return unit_directions(directions @ matrix)


def unit_directions(rows: FloatArray) -> Float32Array:
    """Rows scaled to length 1, in float32 throughout to save memory; 0 for a row that is zero or not finite."""
    with np.errstate(all="ignore"):
        scaled = rows / np.abs(rows).max(axis=1, keepdims=True, initial=0)
        scaled = scaled.astype(np.float32, copy=False)
        scaled /= np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    directions: Float32Array = np.nan_to_num(scaled, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return directions
