"""Clusters of units that respond alike, and which of them drive which of the next layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tb_cnndiag.diagnostics.base import LayerSnapshot, ModelDiagnostic, Snapshot
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.numerics.influence import channel_weights, cluster_influence, grouped_channel_weights
from tb_cnndiag.numerics.selectivity import class_means
from tb_cnndiag.numerics.unit_clusters import Identities, typical, unit_clusters
from tb_cnndiag.payloads import FloatArray, Graph, IntArray, LayerInfo

# Samples of the probe that units are compared on, and those that clusters of two runs are compared on.
SAMPLES, SIGNATURE = 256, 64
# Most typical units of each cluster, and classes of the probe, that are kept.
TYPICAL, CLASSES = 4, 20
# Edges into a node that are kept: the strongest, until they have this share of its influence, and at most so many.
MASS, STRONGEST = 0.9, 6
# Layers of the largest model whose clusters are found.
MOST_LAYERS = 1100


@dataclass(frozen=True)
class _Clustered:
    """One layer: its snapshot, the cluster of each unit, and the rows ``(units, samples)`` that it was found by."""

    snapshot: LayerSnapshot
    row: int
    labels: IntArray
    rows: FloatArray

    @property
    def count(self) -> int:
        return int(self.labels.max()) + 1

    def mean(self, values: FloatArray) -> FloatArray:
        """Mean of ``(units, …)`` over the units of each cluster; a value that is not finite stays in its cluster."""
        order = np.argsort(self.labels, kind="stable")
        sizes = np.bincount(self.labels)
        sums = np.add.reduceat(np.asarray(values, np.float32)[order], np.cumsum(sizes) - sizes, axis=0)
        found: FloatArray = sums / sizes.reshape(-1, *[1] * (sums.ndim - 1))
        return found


class UnitClusters(ModelDiagnostic):
    """A graph of clusters, after CNNVis (Liu et al. 2016, "Towards better analysis of deep CNNs")."""

    name = "unit_clusters"
    title = "Unit clusters"
    description = (
        "Units of a layer that respond alike stand for one feature, and the strongest connections show which features "
        "are made of which. A layer whose clusters all read the same, clusters that answer alike, and clusters that "
        "never fire are capacity without use."
    )
    needs = ("sample_mean", "unit_mean_abs", "kernel", "routes")
    model_kind = "graph"
    cost = "costly"

    def __init__(self) -> None:
        self._identities: dict[str, Identities] = {}

    def measure(self, snapshot: Snapshot) -> Graph | None:
        """Cluster the units of each layer that was observed on the probe, and connect the clusters."""
        if len(snapshot.layers) > MOST_LAYERS:
            return None
        layers = [
            _Clustered(layer, row, *unit_clusters(layer.data["sample_mean"][:SAMPLES]))
            for row, layer in enumerate(snapshot.layers)
            if {"sample_mean", "unit_mean_abs", "kernel"} <= layer.data.keys() and layer.data["sample_mean"].shape[1]
        ]
        if len(layers) < 2:
            return None
        classes, responses = _responses(layers)
        sources, targets, weights = _edges(layers)
        return Graph(
            rows=np.concatenate([np.full(layer.count, layer.row) for layer in layers]),
            names=np.concatenate([self._named(layer) for layer in layers]),
            members=tuple(layer.labels for layer in layers),
            typical=np.concatenate([typical(layer.rows, layer.labels, TYPICAL) for layer in layers]),
            columns=_columns(layers),
            classes=classes,
            responses=responses,
            signatures=_signatures(layers),
            sources=sources,
            targets=targets,
            weights=weights,
        )

    def _named(self, layer: _Clustered) -> IntArray:
        return self._identities.setdefault(layer.snapshot.layer.path, Identities()).of(layer.labels)


def _columns(layers: Sequence[_Clustered]) -> Mapping[str, FloatArray]:
    found: dict[str, list[FloatArray]] = {name: [] for name in ("activation", "agreement", "dead", "saturated")}
    for layer in layers:
        data = layer.snapshot.data
        none = np.full(len(layer.labels), np.nan)
        found["activation"].append(layer.mean(data["unit_mean_abs"]))
        # The length of the mean of vectors of length 1, squared, is their mean correlation.
        found["agreement"].append(np.square(np.linalg.norm(layer.mean(layer.rows), axis=1)))
        fires = layer.snapshot.layer.activation in RECTIFIED and "sample_max" in data
        found["dead"].append(layer.mean(data["sample_max"].max(axis=0) <= 0 if fires else none))
        found["saturated"].append(layer.mean(data.get("unit_saturated", none)))
    return {name: np.concatenate(values).astype(np.float32) for name, values in found.items()}


def _responses(layers: Sequence[_Clustered]) -> tuple[IntArray, FloatArray]:
    """The most frequent classes of the probe, and the mean response of each cluster to each."""
    labels = next((layer.snapshot.data["labels"] for layer in layers if "labels" in layer.snapshot.data), None)
    nodes = sum(layer.count for layer in layers)
    if labels is None:
        return np.empty(0, np.int64), np.empty((nodes, 0), np.float32)
    known: IntArray = labels[:SAMPLES].astype(np.int64)
    found: list[FloatArray] = []
    listed: IntArray = np.empty(0, np.int64)
    for layer in layers:
        samples = min(layer.rows.shape[1], len(known))
        # Rows of length 1 have the standard deviation 1/√samples.
        scores = layer.rows.T[:samples] * np.sqrt(layer.rows.shape[1])
        means, classes, counts = class_means(scores, known[:samples])
        kept = np.sort(np.argsort(-counts, kind="stable")[:CLASSES])
        listed = classes[kept]
        found.append(layer.mean(means[:, kept]))
    if len({part.shape[1] for part in found}) > 1:  # layers were observed on different samples
        return np.empty(0, np.int64), np.empty((nodes, 0), np.float32)
    return listed, np.concatenate(found).astype(np.float32)


def _signatures(layers: Sequence[_Clustered]) -> FloatArray:
    samples = min(SIGNATURE, *(layer.rows.shape[1] for layer in layers))
    rows = np.concatenate([layer.mean(layer.rows[:, :samples]) for layer in layers])
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    scaled: FloatArray = np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)
    return scaled.astype(np.float32)


def _edges(layers: Sequence[_Clustered]) -> tuple[IntArray, IntArray, FloatArray]:
    """(sources, targets, weights) of the strongest edges; a weight is a share of all influence on the target layer."""
    starts = np.cumsum([0, *(layer.count for layer in layers)])
    position = {layer.row: index for index, layer in enumerate(layers)}
    sources: list[IntArray] = []
    targets: list[IntArray] = []
    weights: list[FloatArray] = []
    for index, layer in enumerate(layers):
        routes = layer.snapshot.data.get("routes")
        if routes is None:
            continue
        read = _weights(layer.snapshot.layer, layer.snapshot.data["kernel"], routes.shape[1] - 1)
        influence = np.zeros((layer.count, starts[-1]))
        for source, *units in routes.astype(np.int64):
            if (at := position.get(source)) is not None:
                origin = layers[at]
                influence[:, starts[at] : starts[at + 1]] += cluster_influence(
                    read, np.array(units), origin.snapshot.data["unit_mean_abs"], origin.labels, layer.labels
                )
        total = influence.sum()
        if 0 < total < np.inf:
            for node, each in enumerate(influence):
                kept = _strongest(each)
                sources.append(kept)
                targets.append(np.full(len(kept), starts[index] + node))
                weights.append(each[kept] / total)
    empty = np.empty(0, np.int64)
    return (
        np.concatenate([empty, *sources]),
        np.concatenate([empty, *targets]),
        np.concatenate([np.empty(0), *weights]).astype(np.float32),
    )


def _strongest(influence: FloatArray) -> IntArray:
    """Sources with the largest influence on a node, until they have most of it."""
    order = np.argsort(-influence, kind="stable")[:STRONGEST]
    shares = np.cumsum(influence[order])
    count = int(np.searchsorted(shares, MASS * influence.sum())) + 1
    return order[:count][influence[order[:count]] > 0]


def _weights(layer: LayerInfo, kernel: FloatArray, channels: int) -> FloatArray:
    inner = layer.kernel_shape[-2] if len(layer.kernel_shape) > 2 else channels
    if layer.role == "conv" and inner and channels > inner and channels % inner == 0:
        groups = channels // inner
        if layer.units % groups == 0:
            return grouped_channel_weights(kernel, channels, groups)
    return channel_weights(kernel, channels, depthwise=layer.role == "depthwise_conv")
