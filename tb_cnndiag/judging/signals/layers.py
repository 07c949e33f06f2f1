"""Facts about layers that do not change: fan-in, width, and their place in the network."""

from __future__ import annotations

import math

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.payloads import LayerInfo


def _fan_in(signals: Signals) -> Track:
    return Track.constant([layer.fan_in for layer in signals.layers] or [np.nan], "the run has no layers")


FAN_IN = Signal("weights per unit", "count", _fan_in, fact=True)
"""Number of weights of each unit."""


def consumers(signals: Signals) -> dict[int, list[int]]:
    """Row → rows of the layers that its output reaches without another kernel between."""
    found: dict[int, list[int]] = {}
    for row, layer in enumerate(signals.layers):
        for source in layer.inputs:
            found.setdefault(source, []).append(row)
    return found


def initial_rms(layer: LayerInfo) -> float | None:
    """RMS of the weights from the layer's initializer; None when it is unknown."""
    shape = layer.kernel_shape
    if len(shape) < 2 or layer.role not in ("conv", "dense"):
        return None
    window = math.prod(shape[:-2])
    fan_in, fan_out = shape[-2] * window, shape[-1] * window
    fans = {"he": fan_in / 2, "lecun": fan_in, "glorot": (fan_in + fan_out) / 2}
    fan = fans.get(layer.initializer.partition("_")[0])
    return 1 / math.sqrt(fan) if fan else None


def hidden_with_units(signals: Signals) -> list[int]:
    """Rows of the trainable hidden layers of known width."""
    return [row for row in signals.hidden if signals.layers[row].units]


def narrowest(signals: Signals) -> int:
    """Row of the narrowest hidden layer; without hidden layers, of any layer."""
    known = [row for row, layer in enumerate(signals.layers) if layer.units]
    rows = hidden_with_units(signals) or known or list(range(len(signals.layers)))
    return min(rows, key=lambda row: signals.layers[row].units)


def single_layer(signals: Signals) -> bool:
    """Whether a single layer has units: the model is linear."""
    return sum(layer.units > 0 for layer in signals.layers) == 1


def _narrowest(signals: Signals) -> Track:
    return Track.constant([signals.layers[narrowest(signals)].units if signals.layers else np.nan], "no layers")


NARROWEST = Signal("units of the narrowest layer", "count", _narrowest, fact=True)
"""Number of units of the narrowest hidden layer."""
