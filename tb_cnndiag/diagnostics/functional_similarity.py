"""Units of a layer that respond alike, whatever their weights."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.diagnostics.filter_tree import CELLS
from tb_cnndiag.numerics.linkage import average_linkage, order_leaves
from tb_cnndiag.numerics.pooling import pooled
from tb_cnndiag.numerics.similarity import correlation, mean_magnitude, twin_threshold, twins
from tb_cnndiag.payloads import ColumnInfo


class FunctionalSimilarity(LayerDiagnostic):
    """Correlation of unit activations over the probe."""

    name = "functional_similarity"
    title = "Functional similarity"
    description = (
        "Filters with different weights can still do the same work, and only their responses show it. Bright blocks "
        "are units that respond to the same samples; a unit that never varies has no correlation and is left blank."
    )
    needs = ("sample_mean",)
    columns = (
        ColumnInfo(
            "alike_ratio",
            "Units that respond alike",
            "share",
            "Share of units with another of correlation ≥ 0.9, and beyond what chance gives on so many samples.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "mean_correlation",
            "Mean correlation",
            "correlation",
            "Mean |correlation| of all pairs of different units that vary.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "matrix"
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Correlate the mean activations of the units; centring takes one dimension of the samples."""
        responses = snapshot.data["sample_mean"]
        samples, units = responses.shape
        if units < 2 or samples < 2:
            return LayerResult()
        alike = correlation(responses)
        threshold = twin_threshold(samples - 1, units)
        values = {"mean_correlation": mean_magnitude(alike)}
        if np.isfinite(threshold):
            values["alike_ratio"] = twins(alike, threshold).ratio
        order = order_leaves(average_linkage(alike), alike)
        return LayerResult(values, pooled(alike, order, cells=CELLS, unit="correlation"))
