"""How alike the representations of two layers are, whatever their widths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray

MINIMUM_SAMPLES = 4
"""The unbiased estimator divides by n − 3."""


def linear_cka(layers: Sequence[FloatArray], *, batch: int = 256) -> NDArray[np.float64]:
    """Linear centerd kernel alignment between all pairs of layers.

    The minibatch estimator of Nguyen, Raghu & Kornblith (2021, eq. 4): unbiased HSIC (Song et al. 2012) averaged over
    batches, then normalized. With U-centerd Gram matrices HSIC is their inner product (Székely & Rizzo 2014), so that
    all pairs take one matrix product.

    Args:
        layers: ``(samples, units)`` each, of the same samples.
        batch: Samples per batch; a last batch of fewer than 4 is left out.

    Returns:
        ``(layers, layers)``, symmetric, ≤ 1, with a diagonal of 1; near 0, and by chance slightly below, for unrelated
        layers. NaN for a layer that is constant or not finite, or when there are fewer than 4 samples.
    """
    samples = len(layers[0]) if layers else 0
    layers = [_standardised(layer) for layer in layers]
    alignment = np.zeros((len(layers), len(layers)))
    for start in range(0, samples, batch):
        size = min(batch, samples - start)
        if size >= MINIMUM_SAMPLES:
            grams = np.stack([_centred_gram(layer[start : start + size]).ravel() for layer in layers])
            alignment += grams @ grams.T / (size * (size - 3))
    norm = np.sqrt(np.maximum(alignment.diagonal(), 0))
    norm[~(norm > 0)] = np.nan
    alignment /= norm * norm[:, None]
    np.clip(alignment, -1, 1, out=alignment)
    np.fill_diagonal(alignment, np.where(np.isnan(norm), np.nan, 1))
    return alignment


def _standardised(features: FloatArray) -> NDArray[np.float32]:
    """Features about their means, the largest of magnitude 1: alignment ignores both, float32 does not."""
    with np.errstate(all="ignore"):
        centerd = features.astype(np.float64)
        centerd -= centerd.mean(axis=0)
        largest = np.abs(centerd).max(initial=0)
        return np.asarray(centerd / (largest or 1), dtype=np.float32)


def _centred_gram(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """U-centerd linear Gram matrix, ``(samples, samples)``."""
    size = len(features)
    gram = features @ features.T
    np.fill_diagonal(gram, 0)
    rows = gram.sum(axis=0)
    gram += rows.sum() / ((size - 1) * (size - 2)) - (rows + rows[:, None]) / (size - 2)
    np.fill_diagonal(gram, 0)
    return np.asarray(gram)
