"""What filter similarity and filter clusters share: the cosines and the tree of a kernel, grown once per snapshot."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field, replace

import numpy as np

from tb_cnndiag.diagnostics.base import LayerSnapshot
from tb_cnndiag.numerics.linkage import Merges, Width, average_linkage, cut, order_leaves, suggested_width
from tb_cnndiag.numerics.pooling import pooled
from tb_cnndiag.numerics.similarity import (
    TWIN_CEILING,
    Twins,
    cosine_similarity,
    folded,
    mean_magnitude,
    twin_threshold,
    twins,
)
from tb_cnndiag.payloads import FloatArray, IntArray, Matrix

CELLS = 128
"""Side of the matrix that is stored to be looked at: 8 kB a layer in 8 bit."""


@dataclass(frozen=True)
class FilterTree:
    """The filters of a kernel: who is like whom. The matrix of all cosines itself is not kept.

    Attributes:
        threshold: Cosine from which two filters are twins; infinite when the fan-in is too small to tell.
        twins: Exact, of all filters.
        mean_similarity: Mean |cosine| of different filters.
        merges: ``(units − 1, 4)``, average linkage.
        order: ``(units,)``, leaves from first to last.
        cut: Height at which the tree is cut into groups of twins.
        groups: ``(units,)``, numbered in leaf order.
        width: One filter per group, and what that costs.
        display: The cosines in leaf order, pooled.
    """

    threshold: float
    twins: Twins
    mean_similarity: float
    merges: Merges
    order: IntArray
    cut: float
    groups: IntArray
    width: Width
    display: Matrix


@dataclass
class Grower:
    """Grows the trees of one diagnostic: of kernels as they are, or with ``fold`` as the next layer meets them.

    From its second snapshot on a layer's leaves keep the order of the first as far as the tree allows, so that the picture
    does not jump.
    """

    fold: bool = False
    _ranks: dict[str, IntArray] = field(default_factory=dict)

    def kernel(self, snapshot: LayerSnapshot) -> FloatArray:
        """``(units, fan_in)``, or folded ``(units, fan_in + 1)`` with the bias; see :func:`folded`."""
        kernel = snapshot.data["kernel"]
        return folded(kernel, snapshot.data.get("bias"), snapshot.data.get("norm_scale")) if self.fold else kernel

    def tree(self, snapshot: LayerSnapshot) -> FilterTree:
        """The tree of a layer's filters; of a kernel as it is, another diagnostic may have grown it already."""
        path = snapshot.layer.path
        kernel = self.kernel(snapshot)
        tree = filter_tree(kernel, self._ranks.get(path))
        self._ranks[path] = np.argsort(tree.order)
        return tree


_grown: dict[int, FilterTree] = {}


def filter_tree(kernel: FloatArray, ranks: IntArray | None = None) -> FilterTree:
    """The tree of a kernel ``(units, fan_in)``; the same array is not looked at twice, and forgotten when it goes.

    ``ranks`` are the units' places in an earlier order.
    """
    key = id(kernel)
    if key not in _grown:
        _grown[key] = _grow(kernel, ranks if ranks is not None and len(ranks) == len(kernel) else None)
        weakref.finalize(kernel, _grown.pop, key, None)
    return _grown[key]


def drawn_matrix(kernel: FloatArray, limit: int) -> Matrix:
    """The display of a kernel from at most ``limit`` of its filters, evenly spaced: good to look at, not to count."""
    rows = np.unique(np.linspace(0, len(kernel) - 1, limit).astype(np.intp))
    similarity = cosine_similarity(kernel[rows])
    order = order_leaves(average_linkage(similarity), similarity)
    drawn = pooled(similarity, order, cells=CELLS)
    return replace(drawn, order=rows[order])


def _grow(kernel: FloatArray, ranks: IntArray | None) -> FilterTree:
    units, fan_in = kernel.shape
    threshold = twin_threshold(fan_in, units)
    similarity = cosine_similarity(kernel)
    merges = average_linkage(similarity)
    order = order_leaves(merges, similarity, ranks=ranks)
    height = 1 - min(threshold, TWIN_CEILING)
    groups = cut(merges, height, order)
    return FilterTree(
        threshold=threshold,
        twins=twins(similarity, threshold),
        mean_similarity=mean_magnitude(similarity),
        merges=merges,
        order=order,
        cut=height,
        groups=groups,
        width=suggested_width(kernel, similarity, groups),
        display=pooled(similarity, order, cells=CELLS),
    )
