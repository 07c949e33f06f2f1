"""Moving statistics of a batch normalization, compared in the graph with those of the probe that it receives."""

from __future__ import annotations

from typing import Any

from tb_cnndiag.capture.layers import is_variable


def compares(layer: Any) -> bool:
    """Whether a normalization layer keeps moving statistics over the last axis."""
    moving = (getattr(layer, "moving_mean", None), getattr(layer, "moving_variance", None))
    return all(map(is_variable, moving)) and getattr(layer, "axis", -1) in (-1, 3)


def moments(ops: Any, x: Any) -> tuple[Any, Any]:
    """Mean and variance of each channel, ``(channels,)`` both; ``x`` is ``(samples, …, channels)``."""
    mean, variance = ops.moments(ops.cast(x, "float32"), axes=list(range(len(x.shape) - 1)))
    return mean, variance


def mean_shift(ops: Any, received: tuple[Any, Any], layer: Any) -> Any:
    """|moving mean − mean| in standard deviations of what the layer receives, ``(channels,)``."""
    mean, variance = received
    return ops.abs(ops.cast(layer.moving_mean, "float32") - mean) / ops.sqrt(variance + layer.epsilon)


def variance_ratio(ops: Any, received: tuple[Any, Any], layer: Any) -> Any:
    """Moving variance relative to the variance of what the layer receives, ``(channels,)``."""
    _, variance = received
    return (ops.cast(layer.moving_variance, "float32") + layer.epsilon) / (variance + layer.epsilon)
