"""Units of a layer that respond alike, even if their weights differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.diagnostics.filter_tree import CELLS
from tb_cnndiag.numerics.linkage import average_linkage, order_leaves
from tb_cnndiag.numerics.pooling import pooled
from tb_cnndiag.numerics.similarity import (
    TWIN_CEILING,
    centered,
    cosine_similarity,
    mean_magnitude,
    twin_threshold,
    twins,
)
from tb_cnndiag.numerics.wide import WIDEST, relatives, sample_of
from tb_cnndiag.payloads import ColumnInfo, IntArray


class FunctionalSimilarity(LayerDiagnostic):
    """Correlation of unit activations over the probe."""

    name = "functional_similarity"
    title = "Functional similarity"
    description = (
        "Filters with different weights can still do the same work, and only their responses show it. Bright blocks "
        "are units that respond to the same samples; a unit whose output never varies has no correlation and is blank."
    )
    needs = ("sample_mean",)
    columns = (
        ColumnInfo(
            "alike_ratio",
            "Units that respond alike",
            "share",
            "Share of units that have a correlation ≥ 0.9 with another unit, above chance for this number of samples.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "mean_correlation",
            "Mean correlation",
            "correlation",
            "Mean |correlation| over all pairs of different units that vary.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "matrix"
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Correlate the mean activations of the units; centering removes one of the samples' dimensions."""
        responses = snapshot.data["sample_mean"]
        samples, units = responses.shape
        if units < 2 or samples < 2:
            return LayerResult()
        threshold = twin_threshold(samples - 1, units)
        rows = centered(responses)
        sample: IntArray = np.arange(units)
        if units > WIDEST:
            alike, _ = relatives(rows, min(threshold, TWIN_CEILING))
            sample = sample_of(rows, alike)
        similarity = cosine_similarity(rows[sample])
        values = {"mean_correlation": mean_magnitude(similarity)}
        if np.isfinite(threshold):
            values["alike_ratio"] = float(alike.mean()) if units > WIDEST else twins(similarity, threshold).ratio
        order = order_leaves(average_linkage(similarity), similarity)
        display = pooled(similarity, order, cells=CELLS, unit="correlation")
        return LayerResult(values, replace(display, order=sample[order]))
