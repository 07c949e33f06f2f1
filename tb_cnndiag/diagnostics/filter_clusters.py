"""How many different filters a layer has."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.diagnostics.filter_tree import Grower
from tb_cnndiag.numerics.linkage import effective_count
from tb_cnndiag.payloads import ColumnInfo, Dendrogram


class FilterClusters(LayerDiagnostic):
    """The tree of a layer's filters, and the groups of twins in it."""

    name = "filter_clusters"
    title = "Filter clusters"
    description = (
        "Filters that join low in the tree do nearly the same work, so one of each group could do it alone. The number "
        "of groups below the cut is a width the layer could be given; branches that join high are different filters."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo("clusters", "Groups of filters", "count", "Groups of filters when the tree is cut at twins."),
        ColumnInfo(
            "effective_filters",
            "Effective filters",
            "share",
            "Effective number of different filters (exp of the entropy of group sizes) as a share of all.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "suggested_width", "Suggested width", "count", "Groups of filters, without filters that are all zero."
        ),
        ColumnInfo(
            "reconstruction_error",
            "Cost of the suggested width",
            "share",
            "Share of the kernel's energy lost when each filter becomes a multiple of its group's representative.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "dendrogram"
    cost = "heavy"

    def __init__(self, *, fold: bool = False) -> None:
        """``fold``: as in :class:`tb_cnndiag.diagnostics.filter_similarity.FilterSimilarity`."""
        self._grower = Grower(fold)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """The tree of all filters; no number where the fan-in is too small to tell twins from strangers."""
        kernel = snapshot.data["kernel"]
        if len(kernel) < 2:
            return LayerResult()
        tree = self._grower.tree(snapshot)
        values = {}
        if np.isfinite(tree.threshold):
            values = {
                "clusters": float(tree.groups.max() + 1),
                "effective_filters": effective_count(tree.groups) / len(kernel),
                "suggested_width": float(tree.width.units),
                "reconstruction_error": tree.width.error,
            }
        return LayerResult(
            values,
            Dendrogram(
                children=tree.merges[:, :2].astype(np.intp),
                heights=tree.merges[:, 2],
                order=tree.order,
                cut=tree.cut,
                groups=tree.groups,
            ),
        )
