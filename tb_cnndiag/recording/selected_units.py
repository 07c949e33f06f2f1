"""The units of a model that images are made for first: those that findings name, then cluster medoids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.notable_units import in_turn, medoids, named_units
from tb_cnndiag.numerics.pictures import evenly_spaced

Item = TypeVar("Item")

# Units of each layer, those of them that findings may name, and layers.
MOST_UNITS, MOST_NAMED, MOST_LAYERS = 8, 4, 8


def selected_units(
    layers: Sequence[KernelLayer], history: History, most_layers: int = MOST_LAYERS
) -> list[tuple[KernelLayer, list[int]]]:
    """Up to ``MOST_UNITS`` units of up to ``most_layers`` layers; layers with findings come first.

    Units that findings name come first, evenly spaced ones of many, then the medoids of clusters, of the largest
    first. A layer that has neither gives evenly spaced units.
    """
    named = {layer.path: _named(layer, history.findings) for layer in layers}
    found = [layer for layer in layers if named[layer.path]][:most_layers]
    others = [layer for layer in layers if not named[layer.path]]
    chosen = []
    for layer in (*found, *_spaced(others, most_layers - len(found))):
        units = list(dict.fromkeys((*named[layer.path], *medoids(layer.path, layer.units, history))))[:MOST_UNITS]
        chosen.append((layer, units or _spaced(range(layer.units), MOST_UNITS)))
    return chosen


def _spaced(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, evenly spaced."""
    return [items[int(i)] for i in evenly_spaced(len(items), most)] if most > 0 else []


def _named(layer: KernelLayer, findings: Sequence[Finding]) -> list[int]:
    """Units of the layer that findings name, each finding in turn giving its next one."""
    lists = named_units(layer.path, layer.units, findings)
    return in_turn([_spaced(units, MOST_NAMED) for units in lists])[:MOST_NAMED]
