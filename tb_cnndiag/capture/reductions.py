"""The named in-graph reductions of an activation, so that a snapshot moves a few numbers per unit out of the graph.

Each takes ``keras.ops`` and values ``(samples, positions, units)`` of one chunk of the probe, and returns a small
array. A user's own reduction has the same form: ``reduce(ops, x)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tb_cnndiag.numerics.pictures import spread
from tb_cnndiag.payloads import FloatArray

# Means and the subsample come from the first samples of each chunk, a contiguous slice being cheap: one in so many, but
# never fewer than these.
SLICE_SHARE = 8
SLICE_LEAST = 8
# Values per sample of that slice in the subsample of an activation: from so many to twice as many.
SUBSAMPLE = 512
# Pictures of feature maps: of the first images, of units evenly spaced, at the most this large. A layer takes 4.5 kB.
PICTURED_IMAGES = 2
PICTURED_UNITS = 8
PICTURED_SIDE = 16
# A probe image itself is drawn larger, since all its maps are read beside it.
INPUT_SIDE = 48


@dataclass(frozen=True)
class Reduction:
    """How values are reduced in the graph, and how the chunks' results, of so many samples each, are joined.

    ``of`` says of what: every layer's ``"activation"``; a ``"bounded"`` one (``reduce`` is also given the bounds near
    which it is saturated); the ``"output"`` of the model's output layers; the ``"input"`` of its first kernels; or, not
    by position but with both spatial axes, ``(samples, height, width, channels)``, of activations and inputs that have
    them: ``"map"`` and ``"picture"``.
    """

    reduce: Callable[..., Any]
    join: Callable[[list[FloatArray], list[int]], FloatArray]
    of: Literal["activation", "bounded", "output", "input", "map", "picture"] = "activation"


def sample_max(ops: Any, x: Any) -> Any:
    """Maximum over positions, ``(samples, units)``."""
    positions = x.shape[1]
    if positions is None or positions < 256:
        return ops.max(x, axis=1)
    return ops.max_pool(x, positions)[:, 0]  # a quarter faster on large maps


def unit_mean(ops: Any, x: Any) -> Any:
    """Mean over samples and positions, ``(units,)``, as a product with ones: faster than a reduction."""
    return _mean(ops, _first(ops, x))


def unit_mean_abs(ops: Any, x: Any) -> Any:
    """Mean magnitude over samples and positions, ``(units,)``."""
    return _mean(ops, ops.abs(_first(ops, x)))


def sample_mean(ops: Any, x: Any) -> Any:
    """Mean over positions, ``(samples, units)``."""
    return ops.mean(x, axis=1)


def activation_sample(ops: Any, x: Any) -> Any:
    """A subsample of all values, evenly spread over samples, positions and units, ``(values,)``."""
    flat = ops.reshape(_first(ops, x), (-1,))
    stride = max(int(np.prod([n for n in x.shape[1:] if n is not None])) // SUBSAMPLE, 1)
    units = x.shape[-1] or 1
    while stride > 1 and np.gcd(stride, units) > 1:  # else the same units would be met over and over
        stride += 1
    return ops.take(flat, ops.arange(0, ops.shape(flat)[0], stride))


def unit_saturated(ops: Any, x: Any, bounds: tuple[float, float]) -> Any:
    """Share of values at or beyond the bounds, ``(units,)``."""
    x = _first(ops, x)
    low, high = bounds
    return _mean(ops, ops.cast(ops.logical_or(ops.less_equal(x, low), ops.greater_equal(x, high)), "float32"))


def input_mean(ops: Any, x: Any) -> Any:
    """Mean of each channel, ``(channels,)``."""
    return _mean(ops, x)


def input_std(ops: Any, x: Any) -> Any:
    """Standard deviation of each channel, ``(channels,)``."""
    return ops.sqrt(_mean(ops, ops.square(x - _mean(ops, x))))


def input_min(ops: Any, x: Any) -> Any:
    """Minimum of each channel, ``(channels,)``."""
    return -input_max(ops, -x)


def input_max(ops: Any, x: Any) -> Any:
    """Maximum of each channel, ``(channels,)``."""
    return ops.max(sample_max(ops, x), axis=0)


def input_constant(ops: Any, x: Any) -> Any:
    """1 for a sample that is the same everywhere, else 0, ``(samples,)``."""
    flat = ops.reshape(x, (ops.shape(x)[0], -1))  # a row of its own is what a maximum is fast over
    return ops.cast(ops.equal(ops.max(flat, axis=1), ops.min(flat, axis=1)), "float32")


def sample_diversity(ops: Any, x: Any) -> Any:
    """Deviation between samples at a position, root mean square over positions and channels, ``()``."""
    return ops.sqrt(ops.mean(ops.var(_first(ops, x), axis=0)))


def _first(ops: Any, x: Any) -> Any:
    """The slice of the samples that stands for all."""
    samples = x.shape[0]
    if samples is None:
        return x[: ops.maximum(ops.shape(x)[0] // SLICE_SHARE, SLICE_LEAST)]
    return x[: max(samples // SLICE_SHARE, SLICE_LEAST)]


def feature_map(ops: Any, x: Any) -> Any:
    """A few units on the first images, averaged down, ``(≤ PICTURED_IMAGES, height, width, ≤ PICTURED_UNITS)``."""
    return _made_small(ops, ops.take(x[:PICTURED_IMAGES], spread(x.shape[-1], PICTURED_UNITS), axis=-1), PICTURED_SIDE)


def pictured_units(ops: Any, x: Any) -> Any:
    """Which units :func:`feature_map` takes, ``(≤ PICTURED_UNITS,)``."""
    return ops.convert_to_tensor(spread(x.shape[-1], PICTURED_UNITS), "float32")


def input_picture(ops: Any, x: Any) -> Any:
    """The first images averaged down, ``(≤ PICTURED_IMAGES, height, width, channels)``."""
    return _made_small(ops, x[:PICTURED_IMAGES], INPUT_SIDE)


def _made_small(ops: Any, x: Any, side: int) -> Any:
    size = [-(-length // side) for length in x.shape[1:3]]
    x = ops.cast(x, "float32")
    return x if max(size) == 1 else ops.average_pool(x, size, size, padding="same", data_format="channels_last")


def _mean(ops: Any, x: Any) -> Any:
    rows = ops.reshape(x, (-1, x.shape[-1]))
    count = ops.shape(rows)[0]
    total = ops.matmul(ops.ones((1, count), dtype=rows.dtype), rows)[0]
    return total / ops.cast(count, rows.dtype)


def _concatenate(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return np.concatenate(chunks)


def _of_the_first(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return chunks[0]


def _average(chunks: list[FloatArray], samples: list[int]) -> FloatArray:
    return np.asarray(np.average(chunks, axis=0, weights=samples))


def _lowest(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return np.asarray(np.min(chunks, axis=0))


def _highest(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return np.asarray(np.max(chunks, axis=0))


REDUCTIONS: Mapping[str, Reduction] = {
    "sample_max": Reduction(sample_max, _concatenate),
    "sample_mean": Reduction(sample_mean, _concatenate),
    "unit_mean": Reduction(unit_mean, _average),
    "unit_mean_abs": Reduction(unit_mean_abs, _average),
    "activation_sample": Reduction(activation_sample, _concatenate),
    "unit_saturated": Reduction(unit_saturated, _average, "bounded"),
    "output": Reduction(sample_mean, _concatenate, "output"),
    "output_diversity": Reduction(sample_diversity, _average, "output"),
    "input_diversity": Reduction(sample_diversity, _average, "input"),
    "input_mean": Reduction(input_mean, _average, "input"),
    "input_std": Reduction(input_std, _average, "input"),
    "input_min": Reduction(input_min, _lowest, "input"),
    "input_max": Reduction(input_max, _highest, "input"),
    "input_constant": Reduction(input_constant, _concatenate, "input"),
    "feature_map": Reduction(feature_map, _of_the_first, "map"),
    "pictured_units": Reduction(pictured_units, _of_the_first, "map"),
    "input_picture": Reduction(input_picture, _of_the_first, "picture"),
}
