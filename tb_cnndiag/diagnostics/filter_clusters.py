"""The number of different filters in a layer."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.diagnostics.filter_tree import FilterTree, TreeBuilder
from tb_cnndiag.numerics.linkage import effective_count
from tb_cnndiag.payloads import ColumnInfo, Dendrogram, IntArray


class FilterClusters(LayerDiagnostic):
    """The tree of a layer's filters, and the groups of twins in it."""

    name = "filter_clusters"
    title = "Filter clusters"
    description = (
        "Filters that join low in the tree do nearly the same work, so one filter per group would be enough. The "
        "number of groups below the cut is a possible width for the layer; branches that join high are different "
        "filters."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo("clusters", "Groups of filters", "count", "Number of groups if the tree is cut where twins join."),
        ColumnInfo(
            "effective_filters",
            "Effective filters",
            "share",
            "Effective number of different filters (exp of the entropy of group sizes), as a share of all filters.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "suggested_width", "Suggested width", "count", "Number of groups, without filters that are all zero."
        ),
        ColumnInfo(
            "reconstruction_error",
            "Cost of the suggested width",
            "share",
            "Share of the kernel's energy lost if each filter becomes a multiple of its group's representative.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "dendrogram"
    cost = "heavy"
    shares = ("filter_similarity",)

    def __init__(self, *, fold: bool = False) -> None:
        """``fold``: See :class:`tb_cnndiag.diagnostics.filter_similarity.FilterSimilarity`."""
        self._trees = TreeBuilder(fold)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Build the tree of all filters; no numbers if the fan-in is too small to distinguish twins from chance."""
        kernel = snapshot.data["kernel"]
        if len(kernel) < 2:
            return LayerResult()
        tree = self._trees.tree(snapshot)
        values = {}
        if np.isfinite(tree.threshold):
            values = {
                "clusters": float(tree.groups.max() + 1 + tree.others),
                "effective_filters": effective_count(_with_others(tree)) / len(kernel),
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
                sample=tree.sample,
            ),
        )


def _with_others(tree: FilterTree) -> IntArray:
    """Groups of all units: those of the tree, and one for each unit that it leaves out."""
    return np.concatenate([tree.groups, tree.groups.max() + 1 + np.arange(tree.others)])
