"""Moving statistics of a batch normalization, compared in the graph with those of the probe that it receives."""

from __future__ import annotations

from typing import Any

from tb_cnndiag.capture.layers import is_variable


def compares(layer: Any) -> bool:
    """Whether a normalization layer keeps moving statistics over the last axis."""
    moving = (getattr(layer, "moving_mean", None), getattr(layer, "moving_variance", None))
    return all(map(is_variable, moving)) and getattr(layer, "axis", -1) in (-1, 3)


def mean_shift(ops: Any, x: Any, layer: Any) -> Any:
    """|moving mean − mean of x| in standard deviations of x, ``(channels,)``; ``x`` is ``(samples, …, channels)``."""
    mean, variance = _moments(ops, x)
    return ops.abs(ops.cast(layer.moving_mean, "float32") - mean) / ops.sqrt(variance + layer.epsilon)


def variance_ratio(ops: Any, x: Any, layer: Any) -> Any:
    """Moving variance relative to the variance of x, ``(channels,)``."""
    _, variance = _moments(ops, x)
    return (ops.cast(layer.moving_variance, "float32") + layer.epsilon) / (variance + layer.epsilon)


def _moments(ops: Any, x: Any) -> tuple[Any, Any]:
    rows = ops.reshape(ops.cast(x, "float32"), (-1, x.shape[-1]))
    return ops.mean(rows, axis=0), ops.var(rows, axis=0)
