"""How similar the representations of two layers are; the layers may differ in width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray

MINIMUM_SAMPLES = 4
"""The unbiased estimator divides by n − 3."""


def linear_cka(layers: Sequence[FloatArray], *, batch: int = 256) -> NDArray[np.float64]:
    """Linear centered kernel alignment (CKA) between all pairs of layers.

    This is the minibatch estimator of Nguyen, Raghu & Kornblith (2021, eq. 4): unbiased HSIC (Song et al. 2012) is
    averaged over batches, then normalized. HSIC is the inner product of U-centered Gram matrices (Székely & Rizzo
    2014), so one matrix product covers all pairs.

    Args:
        layers: ``(samples, units)`` per layer, all for the same samples.
        batch: Samples per batch; a last batch of fewer than 4 samples is left out.

    Returns:
        ``(layers, layers)``, symmetric, ≤ 1, with a diagonal of 1. Values of unrelated layers are near 0 and can be
        slightly negative by chance. NaN for a layer that is constant or not finite, or if there are fewer than 4
        samples.
    """
    samples = len(layers[0]) if layers else 0
    layers = [_standardized(layer) for layer in layers]
    alignment = np.zeros((len(layers), len(layers)))
    for start in range(0, samples, batch):
        size = min(batch, samples - start)
        if size >= MINIMUM_SAMPLES:
            grams = np.stack([_centered_gram(layer[start : start + size]).ravel() for layer in layers])
            alignment += grams @ grams.T / (size * (size - 3))
    norm = np.sqrt(np.maximum(alignment.diagonal(), 0))
    norm[~(norm > 0)] = np.nan
    alignment /= norm * norm[:, None]
    np.clip(alignment, -1, 1, out=alignment)
    np.fill_diagonal(alignment, np.where(np.isnan(norm), np.nan, 1))
    return alignment


def _standardized(features: FloatArray) -> NDArray[np.float32]:
    """Features with zero mean and a largest magnitude of 1: CKA is unaffected, and float32 keeps its precision."""
    with np.errstate(all="ignore"):
        centered = features.astype(np.float64)
        centered -= centered.mean(axis=0)
        largest = np.abs(centered).max(initial=0)
        return np.asarray(centered / (largest or 1), dtype=np.float32)


def _centered_gram(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """U-centered linear Gram matrix, ``(samples, samples)``."""
    size = len(features)
    gram = features @ features.T
    np.fill_diagonal(gram, 0)
    rows = gram.sum(axis=0)
    gram += rows.sum() / ((size - 1) * (size - 2)) - (rows + rows[:, None]) / (size - 2)
    np.fill_diagonal(gram, 0)
    return np.asarray(gram)
