"""The eigenvalues of a kernel: the tail as a power law, and the bulk against that of a random matrix.

Source: Martin & Mahoney 2021, "Implicit self-regularization in deep neural networks" (JMLR 22:165), and their package
WeightWatcher 0.7, whose conventions these functions follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray

Float64Array = NDArray[np.float64]

FEWEST = 8
"""Eigenvalues below which no power law is fitted, as in WeightWatcher."""

# Below so many eigenvalues the estimate is corrected for its bias.
_FEW = 20
# Eigenvalues at or below this are numerically zero.
_ZERO = 1e-5
# Quantile 0.999 of the Tracy–Widom distribution of order 1 (Bejan 2005): one random matrix in 1,000 exceeds it.
_TRACY_WIDOM = 3.27
# Median of the eigenvalues by bisection on the distribution: cells of the grid.
_CELLS = 2_000
# Values of the triangle of tails that are computed at once: 8 MB.
_BLOCK = 1 << 20


@dataclass(frozen=True)
class PowerLaw:
    """The tail of a spectrum as a power law, density ∝ λ^−α for λ ≥ λ_min.

    Attributes:
        alpha: Exponent, > 1.
        start: λ_min: where the tail begins.
        distance: Kolmogorov–Smirnov distance between the tail and the fit, 0..1.
        tail: Number of eigenvalues in the tail.
    """

    alpha: float
    start: float
    distance: float
    tail: int


def position_matrices(kernel: FloatArray, positions: int) -> Float64Array:
    """One matrix ``(positions, units, channels)`` per position of a kernel ``(units, positions × channels)``."""
    units, fan_in = kernel.shape
    parts = kernel.astype(np.float64).reshape(units, positions, fan_in // positions)
    return np.asarray(np.moveaxis(parts, 1, 0))


def eigenvalues(matrices: FloatArray) -> Float64Array:
    """Eigenvalues of W Wᵀ of the smaller side of each of ``(count, rows, columns)``: ``(count, side)``, ascending."""
    _, rows, columns = matrices.shape
    flipped = matrices if rows <= columns else np.swapaxes(matrices, 1, 2)
    return np.asarray(np.maximum(np.linalg.eigvalsh(flipped @ np.swapaxes(flipped, 1, 2)), 0.0))


def power_law(values: FloatArray) -> PowerLaw | None:
    """The power law that fits the tail best; None for fewer than ``FEWEST`` values above zero.

    For each start the exponent has its maximum likelihood, 1 + n / Σ ln(λ / λ_min); the start with the smallest
    Kolmogorov–Smirnov distance is chosen (Clauset, Shalizi & Newman 2009). Among few values n − 1 takes the place of n,
    which removes the bias of the estimate, and a tail has at least ``FEWEST`` values.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    ordered = ordered[ordered > _ZERO]
    count = len(ordered)
    if count < FEWEST or ordered[0] == ordered[-1]:
        return None
    few = count < _FEW
    logs = np.log(ordered)
    tails = count - np.arange(count - 1)  # number of values from each start on
    sums = np.cumsum(logs[::-1])[::-1][:-1] - tails * logs[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        alphas = 1 + (tails - (1 if few else 0)) / sums
    usable = (sums > 1e-12) & (alphas > 1) & ((tails >= FEWEST) | (not few))
    if not usable.any():
        return None
    distances = np.where(usable, _distances(logs, alphas), np.inf)
    best = int(np.argmin(distances))
    return PowerLaw(float(alphas[best]), float(ordered[best]), float(distances[best]), int(tails[best]))


def _distances(logs: Float64Array, alphas: Float64Array) -> Float64Array:
    """Kolmogorov–Smirnov distance of the tail from each start to the power law with its exponent."""
    count = len(logs)
    found = np.ones(len(alphas))
    block = max(_BLOCK // count, 1)
    for first in range(0, len(alphas), block):
        starts = np.arange(first, min(first + block, len(alphas)))
        part = logs[first:]
        with np.errstate(all="ignore"):
            fitted = -np.expm1((1 - alphas[starts, None]) * (part - logs[starts, None]))
        rank = np.arange(first, count) - starts[:, None]
        seen = rank / (count - starts)[:, None]
        gap = np.where(rank >= 0, np.abs(fitted - seen), 0.0)
        found[starts] = gap.max(axis=1)
    return np.nan_to_num(found, nan=1.0)


def bulk_edge(matrix: FloatArray) -> float:
    """Largest eigenvalue of W Wᵀ that a large random matrix with the bulk of this one would have, once in 1,000 times.

    The bulk is that of Marchenko & Pastur (1967), with the variance that gives it the median of the eigenvalues, which
    few large ones do not move. Its edge has the width of Tracy & Widom, as Johnstone (2001) centers and scales it. The
    median of few eigenvalues varies: 3 of 100 random matrices of 16 × 16 exceed it, and 1 of 200 of 16 × 64.

    Args:
        matrix: ``(rows, columns)``.
    """
    return _edge(eigenvalues(matrix[None])[0], *matrix.shape)


def spikes(found: FloatArray, rows: int, columns: int) -> int:
    """Number of eigenvalues ``(count, side)`` above the edge of the bulk of their own matrix ``(rows, columns)``."""
    return sum(int(np.count_nonzero(values > _edge(values, rows, columns))) for values in found)


def traps(matrices: FloatArray, seed: int = 0) -> int:
    """Correlation traps: spikes that stay if the weights of each matrix are shuffled. Single huge weights make them."""
    rng = np.random.default_rng(seed)
    shuffled = np.stack([rng.permutation(matrix.ravel()).reshape(matrix.shape) for matrix in matrices])
    return spikes(eigenvalues(shuffled), *matrices.shape[1:])


def _edge(values: FloatArray, rows: int, columns: int) -> float:
    short, long = sorted((rows, columns))
    root, side = np.sqrt(max(long - 1, 1)), np.sqrt(short)
    center = (root + side) ** 2
    width = (root + side) * np.cbrt(1 / root + 1 / side)
    variance = float(np.median(values)) / (long * _median(short / long))
    return variance * float(center + _TRACY_WIDOM * width)


def _median(ratio: float) -> float:
    """Median of the distribution of Marchenko & Pastur with unit variance and this aspect ratio, 0 < ratio ≤ 1."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    # With λ = middle − half · cos θ the density is smooth at both ends.
    theta = (np.arange(_CELLS) + 0.5) * np.pi / _CELLS
    x = (low + high) / 2 - (high - low) / 2 * np.cos(theta)
    mass = np.cumsum(np.sin(theta) ** 2 / x)
    return float(np.interp(mass[-1] / 2, mass, x))
