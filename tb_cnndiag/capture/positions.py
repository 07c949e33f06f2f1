"""Activations of all layers in one form: ``(samples, positions, units)``, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.layers import KernelLayer


def by_position(layer: KernelLayer, tensor: Any) -> Any:
    """The activation as ``(samples, positions, units)``."""
    return flat_positions(channels_last(layer, tensor), layer.units)


def number_of_positions(tensor: Any, channels: int) -> int | None:
    """Positions of ``(samples, …, …)`` as :func:`flat_positions` gives them; None if it depends on the data."""
    sizes = tensor.shape[1:]
    return None if None in sizes else int(np.prod(sizes)) // channels


def flat_positions(tensor: Any, channels: int) -> Any:
    """``(samples, …, …)`` as ``(samples, positions, channels)``, with a static number of positions if possible.

    A plain reshape to ``(samples, -1, channels)`` would lose that number in a graph for any number of samples.
    """
    positions = number_of_positions(tensor, channels)
    if positions is None:
        return keras.ops.reshape(tensor, (keras.ops.shape(tensor)[0], -1, channels))
    return keras.ops.reshape(tensor, (-1, positions, channels))


def channels_last(layer: KernelLayer, tensor: Any) -> Any:
    """An activation with its channels on the last axis."""
    if getattr(layer.layer, "data_format", "") == "channels_first" and len(tensor.shape) > 2:
        return keras.ops.moveaxis(tensor, 1, -1)
    return tensor


def cut(ops: Any, joined: Any, lengths: Sequence[int]) -> list[Any]:
    """Parts of these lengths, along the first axis, of what several layers have together."""
    ends = [int(end) for end in np.cumsum(lengths)[:-1]]
    return list(ops.split(joined, ends, axis=0)) if ends else [joined]
