"""Linear layers that follow each other with nothing between: together they are one linear layer."""

from __future__ import annotations

from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.layers import consumers
from tb_cnndiag.payloads import LayerInfo


def linear_pairs(signals: Signals) -> dict[int, int]:
    """Row of a linear layer → row of the only layer that it feeds, if that one is fed by nothing else.

    Linear bottlenecks and factored convolutions are intended, and left out. A layer that feeds several others, as the
    embedding before an attention, is shared by them: it is not superfluous.
    """
    return signals.once(_linear_pairs)  # type: ignore[no-any-return]


def _linear_pairs(signals: Signals) -> dict[int, int]:
    layers, fed = signals.layers, consumers(signals)
    return {
        row: fed[row][0]
        for row, layer in enumerate(layers)
        if len(fed.get(row, ())) == 1
        and layer.activation == "linear"
        and not layer.output
        and layer.linear_behind
        and _in_series(row, layer, layers[fed[row][0]])
    }


def _count(signals: Signals) -> Track:
    return Track.constant([len(linear_pairs(signals))])


LINEAR_PAIRS = Signal("linear layers in series", "count", _count, fact=True)
"""Number of linear layers that feed nothing but one other layer."""


def _in_series(row: int, layer: LayerInfo, follower: LayerInfo) -> bool:
    plain = ("conv", "dense")
    if follower.inputs != (row,) or layer.role not in plain or follower.role not in plain:
        return False
    # EinsumDense projects the heads of an attention; separable layers are factored on purpose.
    if any(name in layer.class_name + follower.class_name for name in ("EinsumDense", "Separable")):
        return False
    return not _bottleneck(layer, follower) and not _factored(layer, follower)


def _bottleneck(layer: LayerInfo, follower: LayerInfo) -> bool:
    """A layer narrower than its input and the next layer: a factored matrix, as in MobileNetV2 and PCA."""
    channels = layer.kernel_shape[-2] if len(layer.kernel_shape) > 1 else layer.fan_in
    return layer.units < min(channels, follower.units)


def _factored(layer: LayerInfo, follower: LayerInfo) -> bool:
    """1 × n and n × 1 convolutions, in either order."""
    windows = {layer.kernel_shape[:-2], follower.kernel_shape[:-2]}
    return len(windows) == 2 and all(len(w) == 2 and 1 in w and max(w) > 1 for w in windows)
