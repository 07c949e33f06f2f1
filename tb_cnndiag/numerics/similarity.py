"""How similar the filters of a layer are, and which filters are more similar than chance explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from tb_cnndiag.payloads import FloatArray

Float32Array = NDArray[np.float32]

TWIN_FLOOR = 0.9
"""Filters with a lower cosine do different work, even if chance cannot explain their similarity."""

TWIN_CEILING = 0.999
"""If chance alone reaches this cosine, twins cannot be distinguished from unrelated filters."""

_SAFE_SQUARES = (1e-30, 1e30)


def cosine_similarity(kernel: FloatArray) -> Float32Array:
    """Cosine between the rows of a kernel.

    Args:
        kernel: ``(units, fan_in)``, at any scale.

    Returns:
        ``(units, units)`` in [−1, 1], symmetric, with a diagonal of exactly 1. A unit whose weights are all zero or
        not all finite has no direction: its row and column are NaN.
    """
    rows: Float32Array = kernel.astype(np.float32, copy=False)
    with np.errstate(all="ignore"):
        cosine: Float32Array = rows @ rows.T
    squares = cosine.diagonal()
    low, high = _SAFE_SQUARES
    if not np.all((squares > low) & (squares < high)):
        rows = _unit_rows(kernel)
        with np.errstate(all="ignore"):
            cosine = rows @ rows.T
        squares = cosine.diagonal()
    scale = 1 / np.sqrt(squares)
    for block in blocks(len(cosine)):
        part = cosine[block]
        part *= scale[block, None] * scale
        np.clip(part, -1, 1, out=part)
    np.fill_diagonal(cosine, np.where(np.isnan(scale), np.nan, 1))
    return cosine


def blocks(rows: int, size: int = 64) -> Iterator[slice]:
    """Slices of a few rows, which stay in the cache during several operations on a large matrix."""
    return (slice(start, start + size) for start in range(0, rows, size))


def _unit_rows(kernel: FloatArray) -> Float32Array:
    """Rows scaled to length 1 without overflow or underflow; rows without a direction are NaN."""
    rows = kernel.astype(np.float64)
    largest = np.abs(rows).max(axis=1, initial=0)
    known = np.isfinite(largest) & (largest > 0)
    rows[~known] = np.nan
    rows[known] /= largest[known, None]
    rows[known] /= np.linalg.norm(rows[known], axis=1, keepdims=True)
    return rows.astype(np.float32)


def folded(kernel: FloatArray, bias: FloatArray | None = None, scale: FloatArray | None = None) -> FloatArray:
    """The kernel with its bias as the last column, and each row times the scale γ of the normalization that follows.

    Args:
        kernel: ``(units, fan_in)``.
        bias: ``(units,)``.
        scale: ``(units,)``.

    Returns:
        ``(units, fan_in)``, or ``(units, fan_in + 1)`` if there is a bias.
    """
    if bias is not None:
        kernel = np.concatenate([kernel, bias[:, None]], axis=1)
    return kernel if scale is None else kernel * scale[:, None]


def correlation(values: FloatArray) -> Float32Array:
    """Pearson correlation between columns: it shows which units respond alike, even if their weights differ.

    Args:
        values: ``(samples, units)``.

    Returns:
        ``(units, units)`` as from :func:`cosine_similarity`; NaN for a unit that is constant or not finite.
    """
    return cosine_similarity(centered(values))


def centered(values: FloatArray) -> NDArray[np.float64]:
    """Columns of ``(samples, units)`` minus their means, as rows ``(units, samples)``; constant ones are exactly 0."""
    with np.errstate(all="ignore"):
        rows = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
        constant = values.max(axis=0) == values.min(axis=0)
    rows[:, constant] = 0
    return np.asarray(rows.T)


def chance_cosine(fan_in: int, pairs: int, *, alpha: float = 0.01) -> float:
    """|Cosine| that the most similar of ``pairs`` random pairs exceeds with probability ≤ ``alpha``.

    The squared cosine of two random directions in D dimensions follows Beta(½, (D − 1)/2) (Muirhead 1982, §5.1).
    ``alpha`` is divided among the pairs (Bonferroni). In one dimension, every cosine is ±1.
    """
    if fan_in < 2 or pairs < 1:
        return 1.0
    return float(np.sqrt(1 - betaincinv((fan_in - 1) / 2, 0.5, alpha / pairs)))


def twin_threshold(fan_in: int, units: int, *, alpha: float = 0.01) -> float:
    """Cosine above which two filters of a layer are twins.

    Returns:
        At least ``TWIN_FLOOR``, and above what chance explains. Infinite if the fan-in is so small for the number of
        units that chance exceeds ``TWIN_CEILING``.
    """
    chance = chance_cosine(fan_in, units * (units - 1) // 2, alpha=alpha)
    return float("inf") if chance > TWIN_CEILING else max(chance, TWIN_FLOOR)


@dataclass(frozen=True)
class Twins:
    """Shares of filters that have a twin or a mirror image.

    Attributes:
        ratio: Share of filters that have a twin, i.e. another filter that does the same work, 0..1.
        flipped_ratio: Share of filters that have a mirror image, i.e. the same weights with the opposite sign, 0..1.
            After a rectifier, the two respond to opposite patterns, so neither is superfluous.
    """

    ratio: float
    flipped_ratio: float


def twins(similarity: FloatArray, threshold: float) -> Twins:
    """Count the twins and mirror images among filters.

    Args:
        similarity: ``(units, units)`` cosines.
        threshold: The cosine from :func:`twin_threshold`.
    """
    alike = similarity >= threshold
    np.fill_diagonal(alike, False)
    flipped = similarity <= -threshold
    units = max(len(similarity), 1)
    return Twins(float(alike.any(axis=1).sum() / units), float(flipped.any(axis=1).sum() / units))


def mean_magnitude(similarity: FloatArray) -> float:
    """Mean |cosine| over pairs of different units that have a direction; NaN if there is no such pair."""
    known = ~np.isnan(similarity.diagonal())
    if not known.all():
        similarity = similarity[np.ix_(known, known)]
    units = len(similarity)
    if units < 2:
        return float("nan")
    total = sum(float(np.abs(similarity[block]).sum(dtype=np.float64)) for block in blocks(units))
    return min((total - units) / (units * (units - 1)), 1.0)
