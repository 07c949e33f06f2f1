"""Filters of a layer that have learned the same pattern."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.diagnostics.filter_tree import TreeBuilder, sampled_matrix
from tb_cnndiag.payloads import ColumnInfo


class FilterSimilarity(LayerDiagnostic):
    """Cosine between the kernels of a layer's units."""

    name = "filter_similarity"
    title = "Filter similarity"
    description = (
        "Filters that point in the same direction compute the same thing twice, so the layer is wider than it needs to "
        "be. Bright blocks along the diagonal are groups of similar filters; strongly negative cells are mirror "
        "images, which a rectifier makes useful."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo(
            "twin_ratio",
            "Filters with a twin",
            "share",
            "Share of filters that have a cosine ≥ 0.9 with another filter, above what chance gives at this fan-in.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "flipped_ratio",
            "Filters with a mirror image",
            "share",
            "Share of filters for which another filter has the same weights with the opposite sign, above chance.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "mean_similarity",
            "Mean similarity",
            "cosine",
            "Mean |cosine| over all pairs of different filters; about 0.8/√D for random filters of fan-in D.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "matrix"
    cost = "heavy"
    scalar_columns = ("twin_ratio",)

    def __init__(self, sample: int | None = None, *, fold: bool = False) -> None:
        """Choose the filters to compare.

        Args:
            sample: In layers with more filters than this, draw only this many and compute no numbers. None: always
                compare all filters.
            fold: Compare filters as they act on the next layer: with their bias, and times the scale γ of the
                normalization that follows.
        """
        self.sample = sample
        self._trees = TreeBuilder(fold)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Find all twins exactly, and pool the matrix for display."""
        kernel = self._trees.kernel(snapshot)
        if len(kernel) < 2:
            return LayerResult()
        if self.sample is not None and len(kernel) > self.sample:
            return LayerResult(payload=sampled_matrix(kernel, self.sample))
        tree = self._trees.tree(snapshot)
        values = {"mean_similarity": tree.mean_similarity}
        if np.isfinite(tree.threshold):
            values |= {"twin_ratio": tree.twins.ratio, "flipped_ratio": tree.twins.flipped_ratio}
        return LayerResult(values, tree.display)
