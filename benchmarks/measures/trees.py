"""Similarity and trees of filters compared with scikit-learn and scipy, and the largest layer."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, optimal_leaf_ordering
from scipy.spatial.distance import squareform
from sklearn.cluster import AgglomerativeClustering

from benchmarks.measures.timing import interleaved, target, timed
from tb_cnndiag.diagnostics.base import LayerSnapshot
from tb_cnndiag.diagnostics.filter_clusters import FilterClusters
from tb_cnndiag.diagnostics.filter_similarity import FilterSimilarity
from tb_cnndiag.numerics.linkage import average_linkage, order_leaves
from tb_cnndiag.numerics.similarity import cosine_similarity
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.summaries.codec import Measurement, encode


def tree_tables() -> None:
    print("\nTrees, fan-in 1,152, filters in families. Milliseconds; Σ: sum of distances between neighbouring leaves")
    heads = ("filters", "cosine", "linkage", "order", "scikit linkage", "scipy order", "Σ / scipy Σ")
    print("  " + "".join(f"{head:>16}" for head in heads))
    for filters in (64, 256, 512, 1024):
        rng = np.random.default_rng(0)
        families = rng.normal(size=(filters // 4, 1152))
        kernel = (families[rng.integers(0, len(families), filters)] + rng.normal(size=(filters, 1152))).astype(
            np.float32
        )
        cosine = cosine_similarity(kernel)
        merges = average_linkage(cosine)
        distance = np.maximum(1 - cosine.astype(np.float64), 0)
        model = AgglomerativeClustering(
            None, metric="precomputed", linkage="average", distance_threshold=0, compute_full_tree=True
        )
        seconds = interleaved(
            {
                "cosine": lambda kernel=kernel: cosine_similarity(kernel),
                "linkage": lambda cosine=cosine: average_linkage(cosine),
                "order": lambda merges=merges, cosine=cosine: order_leaves(merges, cosine),
                "scikit": lambda model=model, distance=distance: model.fit(distance),
            },
            7,
        )
        condensed = squareform(distance, checks=False)
        scipy_seconds, scipy_tree = timed(
            lambda merges=merges, condensed=condensed: optimal_leaf_ordering(merges, condensed)
        )
        length = _length(distance, order_leaves(merges, cosine)) / _length(distance, leaves_list(scipy_tree))
        row = [1e3 * seconds[name] for name in ("cosine", "linkage", "order", "scikit")]
        row += [1e3 * scipy_seconds, length]
        print(f"  {filters:16}" + "".join(f"{value:16.4g}" for value in row))
    seconds, megabytes, stored = _in_a_process_of_its_own(_grow_largest)
    print(f"\n4,096 filters of fan-in 4,608, kernel → stored matrix and tree: {stored / 1e3:.0f} kB stored")
    target("seconds", seconds, 1.5)
    target("MB beyond the kernel", megabytes, 300)


def _length(distance: np.ndarray, order: np.ndarray) -> float:
    return float(sum(distance[a, b] for a, b in pairwise(order)))


def _in_a_process_of_its_own(work: Callable[[], Any]) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work)


def _grow_largest() -> tuple[float, float, int]:
    def grow(kernel: np.ndarray) -> int:
        look = LayerSnapshot(LayerInfo("layer"), {"kernel": kernel})
        payloads = [diagnostic.measure(look).payload for diagnostic in (FilterSimilarity(), FilterClusters())]
        return sum(len(encode(Measurement("filters", 0, 0, payload, "layer"))) for payload in payloads if payload)

    rng = np.random.default_rng(0)
    grow(rng.normal(size=(64, 9)).astype(np.float32))
    kernel = rng.standard_normal(size=(4096, 4608), dtype=np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, stored = timed(lambda: grow(kernel))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, (after - before) / 1024, stored
