"""The units of a layer that matter most to a reader: those that findings name, then the medoids of clusters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.payloads import Graph

Item = TypeVar("Item", bound=Hashable)


def named_units(layer: str, units: int, findings: Sequence[Finding]) -> list[list[int]]:
    """Of each finding about a layer of so many units, the units that it names, in its order."""
    lists = []
    for finding in findings:
        if finding.layer == layer:
            flat = [u for group in finding.units for u in (group if isinstance(group, tuple) else (group,))]
            lists.append([unit for unit in dict.fromkeys(flat) if 0 <= unit < units])
    return lists


def in_turn(lists: Sequence[Sequence[Item]]) -> list[Item]:
    """The first of each list, then the second of each, and so on, each item once."""
    most = max(map(len, lists), default=0)
    return list(dict.fromkeys(items[turn] for turn in range(most) for items in lists if turn < len(items)))


def medoids(layer: str, units: int, history: History) -> list[int]:
    """Medoids of the clusters of a layer of so many units, that of the largest cluster first."""
    graph = history.latest("unit_clusters")
    rows = [row for row, each in enumerate(history.layers) if each.path == layer]
    if not isinstance(graph, Graph) or not rows:
        return []
    clustered = list(dict.fromkeys(int(row) for row in graph.rows))
    nodes = np.flatnonzero(graph.rows == rows[0])
    if not len(nodes):
        return []
    sizes = np.bincount(graph.members[clustered.index(rows[0])], minlength=len(nodes))
    order = np.argsort(-sizes[: len(nodes)], kind="stable")
    return [int(unit) for unit in graph.typical[nodes[order], 0] if 0 <= unit < units]
