"""The units of a model that images are made for first: those that findings name, then cluster medoids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.numerics.pictures import evenly_spaced
from tb_cnndiag.payloads import Graph

Item = TypeVar("Item")

# Units of each layer, those of them that findings may name, and layers.
MOST_UNITS, MOST_NAMED, MOST_LAYERS = 8, 4, 8


def selected_units(layers: Sequence[KernelLayer], history: History) -> list[tuple[KernelLayer, list[int]]]:
    """Up to ``MOST_UNITS`` units of up to ``MOST_LAYERS`` layers; layers with findings come first.

    Units that findings name come first, evenly spaced ones of many, then the medoids of clusters, of the largest
    first. A layer that has neither gives evenly spaced units.
    """
    named = {layer.path: list(_named(layer, history.findings)) for layer in layers}
    found = [layer for layer in layers if named[layer.path]][:MOST_LAYERS]
    others = [layer for layer in layers if not named[layer.path]]
    chosen = []
    for layer in (*found, *_spaced(others, MOST_LAYERS - len(found))):
        units = list(dict.fromkeys((*named[layer.path], *_medoids(layer, history))))[:MOST_UNITS]
        chosen.append((layer, units or _spaced(range(layer.units), MOST_UNITS)))
    return chosen


def _spaced(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, evenly spaced."""
    return [items[int(i)] for i in evenly_spaced(len(items), most)] if most > 0 else []


def _named(layer: KernelLayer, findings: Sequence[Finding]) -> Iterator[int]:
    """Units of the layer that findings name, each finding in turn giving its next one."""
    lists = []
    for finding in findings:
        if finding.layer == layer.path:
            flat = [u for group in finding.units for u in (group if isinstance(group, tuple) else (group,))]
            units = [unit for unit in dict.fromkeys(flat) if 0 <= unit < layer.units]
            lists.append(_spaced(units, MOST_NAMED))
    turns = [units[turn] for turn in range(MOST_NAMED) for units in lists if turn < len(units)]
    yield from list(dict.fromkeys(turns))[:MOST_NAMED]


def _medoids(layer: KernelLayer, history: History) -> list[int]:
    """Medoids of the clusters of a layer, that of the largest cluster first."""
    graph = history.latest("unit_clusters")
    rows = [row for row, each in enumerate(history.layers) if each.path == layer.path]
    if not isinstance(graph, Graph) or not rows:
        return []
    clustered = list(dict.fromkeys(int(row) for row in graph.rows))
    nodes = np.flatnonzero(graph.rows == rows[0])
    if not len(nodes):
        return []
    sizes = np.bincount(graph.members[clustered.index(rows[0])], minlength=len(nodes))
    order = np.argsort(-sizes[: len(nodes)], kind="stable")
    return [int(unit) for unit in graph.typical[nodes[order], 0] if 0 <= unit < layer.units]
