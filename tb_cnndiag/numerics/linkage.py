"""Agglomerative clustering of filters, and an order of the filters for display."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from tb_cnndiag.payloads import FloatArray, IntArray

FARTHEST = 2.0
"""The largest possible distance 1 − cosine; units without a direction join at this height."""

Merges = NDArray[np.float64]


def average_linkage(similarity: FloatArray) -> Merges:
    """Average-linkage clustering on 1 − similarity.

    Args:
        similarity: ``(units, units)``, symmetric, in [−1, 1]; NaN rows are units without a direction.

    Returns:
        ``(units − 1, 4)`` merges in SciPy's format: two children, ascending height in [0, 2], size. Units without a
        direction join last, one by one, at ``FARTHEST``.
    """
    units = len(similarity)
    known = ~np.isnan(similarity.diagonal())
    if known.all():
        return _linkage(similarity) if units > 1 else np.empty((0, 4))
    index = np.flatnonzero(known)
    tree = _linkage(similarity[np.ix_(index, index)]) if len(index) > 1 else np.empty((0, 4))
    numbers = np.concatenate([index, units + np.arange(len(tree))])
    merges = np.empty((max(units - 1, 0), 4))
    merges[: len(tree)] = tree
    merges[: len(tree), :2] = np.sort(numbers[tree[:, :2].astype(int)], axis=1)
    apart = np.flatnonzero(~known)
    top, size = (numbers[-1], len(index)) if len(index) else (apart[0], 1)
    for row, unit in enumerate(apart if len(index) else apart[1:], start=len(tree)):
        size += 1
        merges[row] = top, unit, FARTHEST, size
        top = units + row
    return merges


def _linkage(similarity: FloatArray) -> Merges:
    distance = squareform(similarity, checks=False)
    np.subtract(1, distance, out=distance)
    np.maximum(distance, 0, out=distance)
    merges: Merges = linkage(distance, "average")
    return merges


def order_leaves(merges: Merges, similarity: FloatArray, *, ranks: IntArray | None = None) -> IntArray:
    """Order of the leaves in which the two branches of every merge meet at their most similar ends.

    This is the order of Gruvaeus & Wainer (1972), "Two additions to hierarchical cluster analysis". A branch is a path
    that is represented by its two ends, so each merge takes four look-ups.

    Args:
        merges: ``(units − 1, 4)``.
        similarity: ``(units, units)``.
        ranks: ``(units,)`` positions in an earlier order. With ranks, the branch whose units came first on average
            stays first, so the display does not jump from one snapshot to the next.

    Returns:
        ``(units,)`` units from the first leaf to the last.
    """
    if ranks is not None:
        return _order_by_rank(merges, ranks)
    units = len(merges) + 1
    ends = [(unit, unit) for unit in range(units)]
    neighbors: list[list[int]] = [[] for _ in range(units)]
    for first, second in merges[:, :2].astype(int).tolist():
        (a, b), (c, d) = ends[first], ends[second]
        near, far, left, right = b, c, a, d
        best = similarity[b, c]
        for ends_met in ((b, d, a, c), (a, c, b, d), (a, d, b, c)):
            met = similarity[ends_met[0], ends_met[1]]
            if met > best:
                best = met
                near, far, left, right = ends_met
        neighbors[near].append(far)
        neighbors[far].append(near)
        ends.append((left, right))
    return _walk(neighbors, ends[-1][0])


def _walk(neighbors: list[list[int]], start: int) -> IntArray:
    """The leaves along the path that starts at ``start``."""
    order = np.empty(len(neighbors), dtype=np.intp)
    previous, current = -1, start
    for position in range(len(order)):
        order[position] = current
        following = next((leaf for leaf in neighbors[current] if leaf != previous), -1)
        previous, current = current, following
    return order


def _order_by_rank(merges: Merges, ranks: IntArray) -> IntArray:
    units = len(merges) + 1
    total = ranks.astype(float).tolist()
    size = [1] * units + merges[:, 3].astype(int).tolist()
    branches = []
    for first, second in merges[:, :2].astype(int).tolist():
        ahead = total[first] * size[second] <= total[second] * size[first]
        branches.append((second, first) if ahead else (first, second))
        total.append(total[first] + total[second])
    order = []
    pending = [units + len(merges) - 1]
    while pending:
        node = pending.pop()
        if node < units:
            order.append(node)
        else:
            pending += branches[node - units]
    return np.array(order, dtype=np.intp)


def cut(merges: Merges, height: float, order: IntArray) -> IntArray:
    """Group of each unit if the tree is cut at ``height``, ``(units,)``, numbered from 0 in leaf order."""
    if not len(merges):
        return np.zeros(len(order), dtype=np.intp)
    labels = fcluster(merges, height, "distance")
    in_order = labels[order]
    _, first = np.unique(in_order, return_index=True)
    number: IntArray = np.empty(labels.max() + 1, dtype=np.intp)
    number[in_order[np.sort(first)]] = np.arange(len(first))
    return np.asarray(number[labels])


def effective_count(groups: IntArray) -> float:
    """Effective number of filters: exp of the entropy of group sizes (Hill 1973, order 1), 1..units.

    It equals the number of units if each unit is its own group, and the number of groups if all have the same size.
    """
    sizes = np.bincount(groups)
    share = sizes[sizes > 0] / len(groups)
    return float(np.exp(-np.sum(share * np.log(share))))


def representatives(similarity: FloatArray, groups: IntArray) -> IntArray:
    """The unit of each group that is, on average, most similar to the other units of its group, ``(groups,)``."""
    by_group = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[by_group], prepend=-1))
    chosen = by_group[starts]
    for group in np.flatnonzero(np.bincount(groups) > 2):
        members = by_group[starts[group] :][: np.count_nonzero(groups == group)]
        total = np.nan_to_num(similarity[np.ix_(members, members)]).sum(axis=1)
        chosen[group] = members[np.argmax(total)]
    return chosen


@dataclass(frozen=True)
class Width:
    """A narrower layer.

    Attributes:
        units: Number of filters to keep.
        error: Share of the kernel's energy ‖W‖² that is lost if each filter is replaced by a multiple of the
            representative of its group, 0..1.
    """

    units: int
    error: float


def suggested_width(kernel: FloatArray, similarity: FloatArray, groups: IntArray) -> Width:
    """One filter per group, without units that have no direction, and the energy this loses.

    The best multiple of a direction r loses the share 1 − cos²(w, r) of the energy of a filter w.

    Args:
        kernel: ``(units, fan_in)``.
        similarity: ``(units, units)`` cosines.
        groups: ``(units,)`` from :func:`cut`.
    """
    known = ~np.isnan(similarity.diagonal())
    kept = len(np.unique(groups[known]))
    energy = np.where(known, np.einsum("ij,ij->i", kernel, kernel, dtype=np.float64), 0)
    if not kept:
        return Width(0, 0.0)
    nearest = representatives(similarity, groups)[groups]
    cosine = np.nan_to_num(similarity[np.arange(len(kernel)), nearest]).astype(np.float64)
    return Width(kept, float(energy @ (1 - cosine**2) / energy.sum()))
