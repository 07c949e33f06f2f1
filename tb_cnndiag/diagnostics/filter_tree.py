"""The cosines and the tree of a kernel, built once per snapshot and shared by filter similarity and filter clusters."""

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
from tb_cnndiag.numerics.wide import WIDEST, relatives, sample_of
from tb_cnndiag.payloads import FloatArray, IntArray, Matrix

CELLS = 128
"""Largest side of the matrix that is stored for display: 8 kB per layer in 8 bit."""


@dataclass(frozen=True)
class FilterTree:
    """Similarity of the filters of a kernel. The full cosine matrix is not kept.

    Attributes:
        threshold: Cosine at or above which two filters are twins; infinite if the fan-in is too small to decide.
        twins: Shares of filters with a twin or a mirror image, exact.
        mean_similarity: Mean |cosine| over pairs of different filters; of a sample, an estimate.
        merges: ``(units − 1, 4)``, average linkage.
        order: ``(units,)``, leaves from first to last.
        cut: Height at which the tree is cut into groups of twins.
        groups: ``(units,)``, numbered in leaf order.
        width: Suggested width, and the energy it loses.
        display: The cosines in leaf order, pooled.
        others: Number of units that the tree leaves out, each different from all others.
        sample: ``(leaves,)`` units in the tree, ascending; None if it has all of them.
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
    others: int = 0
    sample: IntArray | None = None


@dataclass
class TreeBuilder:
    """Builds the trees of one diagnostic, from raw kernels or, with ``fold``, from folded ones; see :func:`folded`.

    After the first snapshot, the leaves of a layer keep their earlier order as far as the tree allows, so the display
    does not jump.
    """

    fold: bool = False
    _ranks: dict[str, IntArray] = field(default_factory=dict)

    def kernel(self, snapshot: LayerSnapshot) -> FloatArray:
        """The kernel ``(units, fan_in)``; if folded with a bias, ``(units, fan_in + 1)``."""
        kernel = snapshot.data["kernel"]
        return folded(kernel, snapshot.data.get("bias"), snapshot.data.get("norm_scale")) if self.fold else kernel

    def tree(self, snapshot: LayerSnapshot) -> FilterTree:
        """The tree of a layer's filters; for a raw kernel, another diagnostic may have built it already."""
        path = snapshot.layer.path
        kernel = self.kernel(snapshot)
        tree = filter_tree(kernel, self._ranks.get(path))
        if tree.sample is None:
            self._ranks[path] = np.argsort(tree.order)
        return tree


_trees: dict[int, FilterTree] = {}


def filter_tree(kernel: FloatArray, ranks: IntArray | None = None) -> FilterTree:
    """The tree of a kernel ``(units, fan_in)``, cached for the lifetime of the array.

    ``ranks`` are the positions of the units in an earlier order.
    """
    key = id(kernel)
    if key not in _trees:
        _trees[key] = _build(kernel, ranks if ranks is not None and len(ranks) == len(kernel) else None)
        weakref.finalize(kernel, _trees.pop, key, None)
    return _trees[key]


def sampled_matrix(kernel: FloatArray, limit: int) -> Matrix:
    """The matrix of at most ``limit`` evenly spaced filters of a kernel: for display, not for counting."""
    rows = np.unique(np.linspace(0, len(kernel) - 1, limit).astype(np.intp))
    similarity = cosine_similarity(kernel[rows])
    order = order_leaves(average_linkage(similarity), similarity)
    drawn = pooled(similarity, order, cells=CELLS)
    return replace(drawn, order=rows[order])


def _build(kernel: FloatArray, ranks: IntArray | None) -> FilterTree:
    """The tree of all units or, of a layer wider than ``WIDEST``, of a sample that has its twins."""
    units, fan_in = kernel.shape
    threshold = twin_threshold(fan_in, units)
    height = 1 - min(threshold, TWIN_CEILING)
    if units <= WIDEST:
        similarity = cosine_similarity(kernel)
        counted, sample, chosen = twins(similarity, threshold), None, kernel
    else:
        twin, mirror = relatives(kernel, min(threshold, TWIN_CEILING))
        sample = sample_of(kernel, twin)
        chosen = kernel[sample]
        ranks = None
        similarity = cosine_similarity(chosen)
        counted = Twins(float(twin.mean()), float(mirror.mean()))
    merges = average_linkage(similarity)
    order = order_leaves(merges, similarity, ranks=ranks)
    groups = cut(merges, height, order)
    width = suggested_width(chosen, similarity, groups)
    display = pooled(similarity, order, cells=CELLS)
    return FilterTree(
        threshold=threshold,
        twins=counted,
        mean_similarity=mean_magnitude(similarity),
        merges=merges,
        order=order,
        cut=height,
        groups=groups,
        # Units outside the sample have no twin: each is a group of its own.
        width=replace(width, units=width.units + units - len(chosen)),
        others=units - len(chosen),
        display=display if sample is None else replace(display, order=sample[order]),
        sample=sample,
    )
