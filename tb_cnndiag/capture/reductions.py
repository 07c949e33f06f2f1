"""The named in-graph reductions of activations. With them, only a few numbers per unit leave the graph.

Each reduction takes ``keras.ops`` and the values ``(samples, positions, units)`` of one chunk of the probe, and returns
a small array. A custom reduction has the same form: ``reduce(ops, x)``.

A graph of a large network takes longer to make than to run, so each operation that a layer does not need counts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tb_cnndiag.capture.backends import backend
from tb_cnndiag.capture.batch_statistics import mean_shifts, variance_ratios
from tb_cnndiag.numerics.pictures import evenly_spaced
from tb_cnndiag.payloads import FloatArray

# Means and the subsample use every eighth sample of each chunk, but at least 8 samples.
EVERY = 8
LEAST_SAMPLES = 8
# The subsample of an activation has at least this many values of each of these samples, and up to twice as many.
SUBSAMPLE = 512
# Pictures of feature maps: number of images, number of units and longest side. One layer takes 4.5 kB.
PICTURED_IMAGES = 2
PICTURED_UNITS = 8
PICTURED_SIDE = 16
# The probe image itself is drawn larger, because all its maps are compared with it.
INPUT_SIDE = 48
# Images searched for those that excite a unit most, images kept for each unit, and longest side of an image kept.
SEARCHED = 512
PATCHES = 9
ATLAS_SIDE = 128


@dataclass(frozen=True)
class Reduction:
    """How values are reduced in the graph, and how the results of the chunks are joined.

    Attributes:
        reduce: Reduces the values of one chunk.
        join: Joins the results of all chunks, given the number of samples in each chunk.
        of: The tensor that is reduced:

            - ``"activation"``: the activation of every layer;
            - ``"maxima"``: its :func:`sample_max`;
            - ``"some"``: some of its samples, which represent all of them (:func:`spacing`);
            - ``"bounded"``: the same of a bounded activation; ``reduce`` also receives the bounds at which it is
              saturated;
            - ``"peak"``: the activation, its :func:`block_maxima` and its :func:`sample_max`; ``reduce`` also receives
              whether costly reductions are wanted;
            - ``"output"``: the output of the model's output layers; ``"some output"``: some of its samples;
            - ``"input"``: the input of the model's first kernels; ``"some input"``: some of its samples;
            - ``"normalized"``: mean and variance of what the batch normalization behind a layer receives, and the
              normalization;
            - ``"map"``: an activation with two spatial axes, as ``(samples, height, width, channels)``;
            - ``"picture"``: the input of a first kernel with two spatial axes, in the same form;
            - ``"image"``: the image that enters the model, in the same form, at the first kernel that it reaches.
        costly: Whether it is reduced only where that is asked for, and on the first ``SEARCHED`` samples only.
        at_once: Whether all layers are reduced by one call: ``reduce`` receives a sequence in place of each value, and
            returns a sequence.
    """

    reduce: Callable[..., Any]
    join: Callable[[list[FloatArray], list[int]], FloatArray]
    of: Literal[
        "activation",
        "maxima",
        "some",
        "bounded",
        "peak",
        "output",
        "some output",
        "input",
        "some input",
        "normalized",
        "map",
        "picture",
        "image",
    ] = "activation"
    costly: bool = False
    at_once: bool = False


def spacing(samples: int) -> int:
    """Of how many samples of a chunk one is taken where some represent all of them: a positive number."""
    return min(EVERY, max(samples // LEAST_SAMPLES, 1))


def sample_max(ops: Any, x: Any) -> Any:
    """Maximum over positions, ``(samples, units)``."""
    return ops.max(block_maxima(ops, x), axis=1)


def given_maxima(ops: Any, maxima: Any) -> Any:
    """The :func:`sample_max` as it is, ``(samples, units)``."""
    return maxima


def block_maxima(ops: Any, x: Any) -> Any:
    """Maxima of blocks of consecutive positions, ``(samples, blocks, units)``: on large maps a quarter faster.

    TensorFlow, which does not know the number of samples, pools faster than it reduces; torch needs 30 times as long.
    """
    block = _block(x.shape[1])
    if block == 1:
        return x
    if x.shape[0] is None:
        return ops.max_pool(x, block, block)
    return ops.max(ops.reshape(x, (x.shape[0], x.shape[1] // block, block, x.shape[2])), axis=2)


def _block(positions: int | None) -> int:
    """Length of a block: of the divisors of the number of positions, the first above its root; 1 on small maps."""
    if positions is None or positions < 256:
        return 1
    return next(n for n in range(int(np.sqrt(positions)), positions + 1) if positions % n == 0)


def peaks(ops: Any, x: Any, blocks: Any, maxima: Any, search: Any) -> Any:
    """The samples with the largest maxima of each unit, ``(units, PATCHES, 3)``: maximum, sample, first position of it.

    Where there are fewer samples, the maximum is −∞. Positions are searched only in the samples that lead, in the block
    that has the maximum: a fifth of the time of an ``argmax`` over everything.

    Args:
        ops: ``keras.ops``.
        x: The activation, ``(samples, positions, units)``.
        blocks: Its :func:`block_maxima`.
        maxima: Its :func:`sample_max`.
        search: Whether this is wanted; if not, what is returned means nothing.
    """
    maxima = ops.cast(maxima, "float32")
    maxima = ops.where(ops.isnan(maxima), -np.inf, maxima)
    return backend().search_if(search, functools.partial(_peaks, ops, x, blocks), maxima, PATCHES)


def _peaks(ops: Any, x: Any, blocks: Any, maxima: Any, patches: Any) -> Any:
    """The first ``patches`` peaks of each unit among the samples whose ``maxima`` are given."""
    samples = ops.cast(ops.shape(maxima)[0], "int32")
    filler = ops.full((PATCHES, maxima.shape[1]), -np.inf)
    top, order = ops.top_k(ops.transpose(ops.concatenate([maxima, filler], axis=0)), PATCHES)
    top, order = top[:, :patches], ops.minimum(ops.cast(order, "int32"), samples - 1)[:, :patches]
    block = _block(x.shape[1])
    where = _first_maximum(ops, blocks, order)
    if block > 1:
        where = where * block
        where = where + _first_maximum(ops, x, order, where, block)
    return ops.stack([top, ops.cast(order, "float32"), ops.cast(where, "float32")], axis=-1)


def _first_maximum(ops: Any, x: Any, samples: Any, start: Any = None, length: int | None = None) -> Any:
    """Where ``(units, n)`` samples have their first maximum: of ``length`` positions from ``start``, None: of all.

    The result is int32 and counts from ``start``.
    """
    units, positions = x.shape[-1], x.shape[1]
    if positions is None:
        length = positions = ops.shape(x)[1]
        along = ops.arange(positions, dtype="int32") * units
    else:
        along = np.arange(length or positions, dtype=np.int32) * units
    begin = samples * (positions * units)
    if start is not None:
        begin = begin + start * units
    within = ops.convert_to_tensor(along + np.arange(units, dtype=np.int32)[:, None, None])
    return backend().first_maximum(ops.reshape(x, (-1,)), ops.expand_dims(begin, -1) + within)


def unit_mean(ops: Any, x: Any) -> Any:
    """Mean over samples and positions, ``(units,)``."""
    return ops.mean(x, axis=(0, 1))


def unit_mean_abs(ops: Any, x: Any) -> Any:
    """Mean magnitude over samples and positions, ``(units,)``."""
    return ops.mean(ops.abs(x), axis=(0, 1))


def sample_mean(ops: Any, x: Any) -> Any:
    """Mean over positions, ``(samples, units)``."""
    return ops.mean(x, axis=1)


def activation_sample(ops: Any, x: Any) -> Any:
    """A subsample of all values, evenly spread over samples, positions and units, ``(values,)``."""
    stride = max(int(np.prod([n for n in x.shape[1:] if n is not None])) // SUBSAMPLE, 1)
    units = x.shape[-1] or 1
    while stride > 1 and np.gcd(stride, units) > 1:  # otherwise the stride would hit only some of the units
        stride += 1
    return ops.reshape(x, (-1,))[::stride]


def unit_saturated(ops: Any, x: Any, bounds: tuple[float, float]) -> Any:
    """Share of values at or beyond the bounds, ``(units,)``."""
    low, high = bounds
    beyond = ops.logical_or(ops.less_equal(x, low), ops.greater_equal(x, high))
    return ops.mean(ops.cast(beyond, "float32"), axis=(0, 1))


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
    """1 for a sample whose values are all the same, 0 for any other, ``(samples,)``."""
    flat = ops.reshape(x, (ops.shape(x)[0], -1))  # a maximum over contiguous rows is fast
    return ops.cast(ops.equal(ops.max(flat, axis=1), ops.min(flat, axis=1)), "float32")


def sample_diversity(ops: Any, x: Any) -> Any:
    """Standard deviation over samples at each position, root mean square over positions and channels, ``()``."""
    return ops.sqrt(ops.mean(ops.var(x, axis=0)))


def feature_map(ops: Any, x: Any) -> Any:
    """A few units on the first images, downsampled, ``(≤ PICTURED_IMAGES, height, width, ≤ PICTURED_UNITS)``."""
    units = pictured_units(x.shape[-1])
    step = int(units[1]) if len(units) > 1 else 1
    return _downsample(ops, x[:PICTURED_IMAGES, :, :, ::step], PICTURED_SIDE)


def pictured_units(units: int) -> FloatArray:
    """Which of so many units :func:`feature_map` takes, ``(≤ PICTURED_UNITS,)``."""
    return np.asarray(evenly_spaced(units, PICTURED_UNITS), np.float32)


def input_picture(ops: Any, x: Any) -> Any:
    """The first images, downsampled, ``(≤ PICTURED_IMAGES, height, width, channels)``."""
    return _downsample(ops, x[:PICTURED_IMAGES], INPUT_SIDE)


def image(ops: Any, x: Any) -> Any:
    """The images, downsampled, ``(samples, height, width, channels)``."""
    return _downsample(ops, x, ATLAS_SIDE)


def _downsample(ops: Any, x: Any, side: int) -> Any:
    """Means of blocks; of single pixels, too: as a part of the activation, a picture would keep all of it in memory."""
    size = tuple(-(-length // side) for length in x.shape[1:3])
    x = ops.cast(x, "float32")
    return ops.average_pool(x, size, size, padding="same", data_format="channels_last")


def _mean(ops: Any, x: Any) -> Any:
    """Mean over all axes but the last, as a product with ones: faster than a reduction."""
    rows = ops.reshape(x, (-1, x.shape[-1]))
    count = ops.shape(rows)[0]
    total = ops.matmul(ops.ones((1, count), dtype=rows.dtype), rows)[0]
    return total / ops.cast(count, rows.dtype)


def _concatenate(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return np.concatenate(chunks)


def _strongest(chunks: list[FloatArray], samples: list[int]) -> FloatArray:
    """The strongest samples of all chunks, ``(units, PATCHES, 3)``; samples are numbered across chunks."""
    offsets = np.cumsum([0, *samples[:-1]])
    shifted = [chunk + np.array([0, offset, 0]) for chunk, offset in zip(chunks, offsets, strict=True)]
    every = np.concatenate(shifted, axis=1)
    order = np.argsort(-every[..., 0], axis=1, kind="stable")[:, :PATCHES]
    return np.asarray(np.take_along_axis(every, order[..., None], axis=1), np.float32)


def _first_chunk(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return chunks[0]


def _average(chunks: list[FloatArray], samples: list[int]) -> FloatArray:
    return np.asarray(np.average(chunks, axis=0, weights=samples))


def _minimum(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return np.asarray(np.min(chunks, axis=0))


def _maximum(chunks: list[FloatArray], _samples: list[int]) -> FloatArray:
    return np.asarray(np.max(chunks, axis=0))


REDUCTIONS: Mapping[str, Reduction] = {
    "sample_max": Reduction(given_maxima, _concatenate, "maxima"),
    "sample_mean": Reduction(sample_mean, _concatenate),
    "peaks": Reduction(peaks, _strongest, "peak", costly=True),
    "unit_mean": Reduction(unit_mean, _average, "some"),
    "unit_mean_abs": Reduction(unit_mean_abs, _average, "some"),
    "activation_sample": Reduction(activation_sample, _concatenate, "some"),
    "unit_saturated": Reduction(unit_saturated, _average, "bounded"),
    "output": Reduction(sample_mean, _concatenate, "output"),
    "output_diversity": Reduction(sample_diversity, _average, "some output"),
    "input_diversity": Reduction(sample_diversity, _average, "some input"),
    "input_mean": Reduction(input_mean, _average, "input"),
    "input_std": Reduction(input_std, _average, "input"),
    "input_min": Reduction(input_min, _minimum, "input"),
    "input_max": Reduction(input_max, _maximum, "input"),
    "input_constant": Reduction(input_constant, _concatenate, "input"),
    "batch_mean_shift": Reduction(mean_shifts, _average, "normalized", at_once=True),
    "batch_variance_ratio": Reduction(variance_ratios, _average, "normalized", at_once=True),
    "feature_map": Reduction(feature_map, _first_chunk, "map"),
    "input_picture": Reduction(input_picture, _first_chunk, "picture"),
    "image": Reduction(image, _concatenate, "image", costly=True),
}
COSTLY = frozenset(name for name, reduction in REDUCTIONS.items() if reduction.costly)
