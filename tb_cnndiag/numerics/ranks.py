"""Rank correlation."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray


def ranks(values: FloatArray) -> FloatArray:
    """Rank of each value ``(n,)``, from 0; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts + 1) / 2)[inverse.reshape(-1)])


def rank_correlation(a: FloatArray, b: FloatArray) -> float:
    """Spearman's correlation of two arrays of one shape, −1..1; 0 if one of them is constant."""
    x, y = (r - r.mean() for r in (ranks(np.ravel(a)), ranks(np.ravel(b))))
    scale = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / scale if scale > 0 else 0.0
