"""Filters of a layer that have learned the same."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.diagnostics.filter_tree import Grower, drawn_matrix
from tb_cnndiag.payloads import ColumnInfo


class FilterSimilarity(LayerDiagnostic):
    """Cosine between the kernels of a layer's units."""

    name = "filter_similarity"
    title = "Filter similarity"
    description = (
        "Filters that point the same way compute the same thing twice, so the layer is wider than it needs to be. "
        "Bright blocks along the diagonal are families of alike filters; deep negative cells are mirror images, which "
        "a rectifier makes useful."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo(
            "twin_ratio",
            "Filters with a twin",
            "share",
            "Share of filters with another of cosine ≥ 0.9, and beyond what chance gives at this fan-in.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "flipped_ratio",
            "Filters with a mirror image",
            "share",
            "Share of filters with another of the same weights but opposite sign, beyond chance.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "mean_similarity",
            "Mean similarity",
            "cosine",
            "Mean |cosine| of all pairs of different filters; random ones of fan-in D have about 0.8/√D.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "matrix"
    cost = "heavy"
    scalar_columns = ("twin_ratio",)

    def __init__(self, sample: int | None = None, *, fold: bool = False) -> None:
        """Say which filters are compared.

        Args:
            sample: Of layers with more filters draw that many and count nothing; None: all filters, exactly.
            fold: Compare filters as the next layer meets them: with their bias, and times the scale γ of the
                normalization that follows.
        """
        self.sample = sample
        self._grower = Grower(fold)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Twins of all filters, exactly; the matrix as it is drawn."""
        kernel = self._grower.kernel(snapshot)
        if len(kernel) < 2:
            return LayerResult()
        if self.sample is not None and len(kernel) > self.sample:
            return LayerResult(payload=drawn_matrix(kernel, self.sample))
        tree = self._grower.tree(snapshot)
        values = {"mean_similarity": tree.mean_similarity}
        if np.isfinite(tree.threshold):
            values |= {"twin_ratio": tree.twins.ratio, "flipped_ratio": tree.twins.flipped_ratio}
        return LayerResult(values, tree.display)
