"""Moving statistics of a batch normalization, compared in the graph with those of the probe that it receives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tb_cnndiag.capture.layers import is_variable
from tb_cnndiag.capture.positions import cut


def compares(layer: Any) -> bool:
    """Whether a normalization layer keeps moving statistics over the last axis."""
    moving = (getattr(layer, "moving_mean", None), getattr(layer, "moving_variance", None))
    return all(map(is_variable, moving)) and getattr(layer, "axis", -1) in (-1, 3)


def moments(ops: Any, x: Any) -> tuple[Any, Any]:
    """Mean and variance of each channel, ``(channels,)`` both; ``x`` is ``(samples, …, channels)``."""
    mean, variance = ops.moments(ops.cast(x, "float32"), axes=list(range(len(x.shape) - 1)))
    return mean, variance


def mean_shifts(ops: Any, means: Sequence[Any], variances: Sequence[Any], layers: Sequence[Any]) -> Sequence[Any]:
    """|moving mean − mean| of each layer in standard deviations of what it receives, ``(channels,)`` each."""
    moving = _joined(ops, [layer.moving_mean for layer in layers])
    shifts = ops.abs(moving - _joined(ops, means)) / ops.sqrt(_joined(ops, variances) + _epsilons(ops, layers))
    return cut(ops, shifts, _channels(layers))


def variance_ratios(ops: Any, means: Sequence[Any], variances: Sequence[Any], layers: Sequence[Any]) -> Sequence[Any]:
    """Moving variance of each layer relative to the variance of what it receives, ``(channels,)`` each."""
    moving, epsilons = _joined(ops, [layer.moving_variance for layer in layers]), _epsilons(ops, layers)
    return cut(ops, (moving + epsilons) / (_joined(ops, variances) + epsilons), _channels(layers))


def _joined(ops: Any, values: Sequence[Any]) -> Any:
    return ops.concatenate([ops.cast(value, "float32") for value in values])


def _epsilons(ops: Any, layers: Sequence[Any]) -> Any:
    return ops.convert_to_tensor(np.repeat([layer.epsilon for layer in layers], _channels(layers)), "float32")


def _channels(layers: Sequence[Any]) -> list[int]:
    return [layer.moving_mean.shape[0] for layer in layers]
