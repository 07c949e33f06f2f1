"""Clusters of units that respond alike, and which of them stay the same from snapshot to snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from tb_cnndiag.numerics.linkage import Merges, average_linkage
from tb_cnndiag.numerics.similarity import centered, cosine_similarity
from tb_cnndiag.numerics.wide import spaced, unit_directions
from tb_cnndiag.payloads import FloatArray, IntArray

FEWEST, MOST = 4, 12
"""Clusters of a layer; one with at most ``MOST`` units has each unit for itself."""

WIDEST = 256
"""Units that are compared in one matrix of all pairs; the others of a wider layer join the nearest cluster."""


def unit_clusters(responses: FloatArray) -> tuple[IntArray, FloatArray]:
    """Cluster of each unit, ``(units,)``, and the rows that it was found by, ``(units, samples)``.

    Average linkage on 1 − correlation, cut by :func:`cut_at_gap`. Units that never vary are the last cluster. Rows are
    centered responses of length 1, or 0 for units that never vary or are not finite.

    Args:
        responses: ``(samples, units)``.
    """
    rows = unit_directions(centered(responses))
    units = len(rows)
    if units <= MOST:
        return np.arange(units), rows
    varying = np.flatnonzero(rows.any(axis=1))
    labels = np.zeros(units, np.int64)
    if not len(varying):
        return labels, rows
    compared = spaced(varying, WIDEST)
    merges = average_linkage(cosine_similarity(rows[compared]))
    found = labels_at(merges, cut_at_gap(merges))
    count = int(found.max()) + 1
    labels[:] = count
    labels[compared] = found
    others = np.setdiff1d(varying, compared)
    if len(others):
        leaders = np.stack([rows[compared[found == cluster]].mean(axis=0) for cluster in range(count)])
        labels[others] = (rows[others] @ leaders.T).argmax(axis=1)
    return labels, rows


def cut_at_gap(merges: Merges) -> int:
    """Number of clusters, ``FEWEST`` to ``MOST``: where the next merge is higher than the one before by the most.

    ``merges`` are all merges of a tree, ascending. A tree of at most ``MOST`` leaves is not cut.
    """
    leaves = len(merges) + 1
    if leaves <= MOST:
        return leaves
    heights = merges[:, 2]
    # k clusters are left when all merges but the last k − 1 are done.
    gaps = {k: heights[leaves - k] - heights[leaves - k - 1] for k in range(FEWEST, MOST + 1)}
    return max(gaps, key=lambda k: gaps[k])


def labels_at(merges: Merges, count: int) -> IntArray:
    """Cluster of each leaf, ``(leaves,)``, when this many clusters are left, numbered by their first leaves."""
    leaves = len(merges) + 1
    members = {leaf: [leaf] for leaf in range(leaves)}
    for merge in range(leaves - count):
        first, second = (int(node) for node in merges[merge, :2])
        members[leaves + merge] = members.pop(first) + members.pop(second)
    labels = np.empty(leaves, np.int64)
    for label, cluster in enumerate(sorted(members.values(), key=min)):
        labels[cluster] = label
    return labels


def typical(rows: FloatArray, labels: IntArray, count: int) -> IntArray:
    """The medoid of each cluster and its next most typical units, ``(clusters, count)``; −1 where there are fewer.

    A unit is the more typical, the larger its mean correlation with the units of its cluster. Of units that are equally
    typical, as in every pair, the first one counts.

    Args:
        rows: ``(units, samples)``, centered responses of length 1, or 0 for units that do not vary.
        labels: ``(units,)``.
        count: Units of each cluster.
    """
    found = np.full((int(labels.max(initial=-1)) + 1, count), -1)
    for cluster in range(len(found)):
        members = np.flatnonzero(labels == cluster)
        closeness = rows[members] @ rows[members].mean(axis=0)
        behind = np.round(closeness.max() - closeness, 5)
        chosen = members[np.argsort(behind, kind="stable")][:count]
        found[cluster, : len(chosen)] = chosen
    return found


@dataclass
class Identities:
    """Names of one layer's clusters over snapshots: a cluster keeps that of the one with which it shares most units.

    Clusters are paired so that the sum of their overlaps, units in both over units in either (Jaccard), is largest.
    """

    labels: IntArray | None = None
    names: IntArray | None = None
    next_name: int = 0

    def of(self, labels: IntArray) -> IntArray:
        """The name of each cluster, ``(clusters,)``, given the cluster of each unit."""
        count = int(labels.max(initial=-1)) + 1
        names = np.full(count, -1)
        if self.labels is not None and self.names is not None and len(self.labels) == len(labels):
            overlap = jaccard(self.labels, labels)
            for before, now in zip(*linear_sum_assignment(-overlap), strict=True):
                if overlap[before, now] > 0:
                    names[now] = self.names[before]
        for cluster in np.flatnonzero(names < 0):
            names[cluster] = self.next_name
            self.next_name += 1
        self.labels, self.names = labels, names
        return names


def jaccard(before: IntArray, now: IntArray) -> FloatArray:
    """Units in both clusters relative to units in either, ``(clusters before, clusters now)``."""
    common = np.zeros((int(before.max(initial=-1)) + 1, int(now.max(initial=-1)) + 1))
    np.add.at(common, (before, now), 1)
    either = common.sum(axis=1)[:, None] + common.sum(axis=0)[None, :] - common
    return np.asarray(common / np.maximum(either, 1))
