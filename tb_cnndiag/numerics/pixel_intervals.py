"""Which pixels each position of a layer can depend on, along one axis: interval arithmetic.

Convolution arithmetic is that of Dumoulin & Visin 2018 (arXiv:1603.07285); for the affine case, see Araujo, Norris &
Sim 2019 (Distill, "Computing receptive fields of convolutional neural networks").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from tb_cnndiag.payloads import IntArray

# Bounds of an empty interval: neutral in a union.
_NONE_LOW, _NONE_HIGH = 1 << 40, -(1 << 40)


@dataclass(frozen=True)
class Affine:
    """Intervals [start + i · stride, start + i · stride + size − 1] of position i, beyond the image's borders too."""

    size: Fraction
    stride: Fraction
    start: Fraction


@dataclass(frozen=True)
class Intervals:
    """For each position of one axis of a tensor, the first and last pixel of an axis of the image that it can see.

    Attributes:
        of: Axis of the image.
        low: ``(positions,)``, first pixel; larger than ``high`` where a position sees no pixel.
        high: ``(positions,)``, last pixel, included.
        affine: The same without regard to the image's borders, where that is a function of the position.
        stride: Pixels between neighboring positions, as far as they are regular.
    """

    of: int
    low: IntArray
    high: IntArray
    affine: Affine | None
    stride: Fraction

    def __len__(self) -> int:
        return len(self.low)

    @property
    def hull(self) -> tuple[int, int]:
        """First and last pixel that any position sees."""
        return int(self.low.min(initial=_NONE_LOW)), int(self.high.max(initial=_NONE_HIGH))


def identity(axis: int, length: int) -> Intervals:
    """Each position sees the pixel of its own index."""
    positions = np.arange(length)
    return Intervals(axis, positions, positions, Affine(Fraction(1), Fraction(1), Fraction(0)), Fraction(1))


def constant(axis: int, length: int, hull: tuple[int, int]) -> Intervals:
    """Each position sees the same pixels."""
    low, high = np.full(length, hull[0]), np.full(length, hull[1])
    return Intervals(axis, low, high, None, Fraction(0))


def _taking(given: Intervals, sources: IntArray, affine: Affine | None, stride: Fraction) -> Intervals:
    """Position o sees what the positions ``sources[o]`` see, ``(positions, many)``; those out of range do not exist."""
    if not len(given):
        return constant(given.of, len(sources), given.hull)
    valid = (sources >= 0) & (sources < len(given))
    at = np.clip(sources, 0, len(given) - 1)
    low = np.where(valid, given.low[at], _NONE_LOW).min(axis=1, initial=_NONE_LOW)
    high = np.where(valid, given.high[at], _NONE_HIGH).max(axis=1, initial=_NONE_HIGH)
    return Intervals(given.of, low, high, affine, stride)


def window(given: Intervals, size: int, stride: int, dilation: int, padding: int, length: int) -> Intervals:
    """A convolution or pooling: position o sees the positions o · stride − padding + j · dilation, j < size."""
    sources = np.arange(length)[:, None] * stride - padding + np.arange(size) * dilation
    affine = None
    if given.affine is not None:
        step = given.affine.stride
        affine = Affine(
            given.affine.size + (size - 1) * dilation * step, step * stride, given.affine.start - padding * step
        )
    return _taking(given, sources, affine, given.stride * stride)


def same_padding(length: int, size: int, stride: int, dilation: int) -> int:
    """Padding before the first position of a window with padding "same"; an odd one is larger at the end."""
    positions = -(-length // stride)
    return max((positions - 1) * stride + (size - 1) * dilation + 1 - length, 0) // 2


def transposed(given: Intervals, size: int, stride: int, dilation: int, padding: int, length: int) -> Intervals:
    """A transposed convolution: position i reaches the positions i · stride − padding + j · dilation, j < size."""
    if stride == 1:
        return window(given, size, 1, dilation, (size - 1) * dilation - padding, length)
    offsets = np.arange(length)[:, None] + padding - np.arange(size) * dilation
    sources = np.where(offsets % stride == 0, offsets // stride, -1)
    return _taking(given, sources, None, given.stride / stride)


def repeated(given: Intervals, times: int) -> Intervals:
    """Up-sampling by repetition."""
    affine = given.affine if times == 1 else None
    return Intervals(given.of, given.low.repeat(times), given.high.repeat(times), affine, given.stride / times)


def resized(given: Intervals, length: int, *, linear: bool) -> Intervals:
    """Resizing between the centers of pixels, to the nearest position or between two of them."""
    scale = len(given) / length
    if not linear:
        nearest = np.clip(np.floor((np.arange(length) + 0.5) * scale).astype(int), 0, len(given) - 1)
        return _taking(given, nearest[:, None], None, given.stride * Fraction(scale))
    center = (np.arange(length) + 0.5) * scale - 0.5
    first = np.floor(center).astype(int)
    second = np.where(center > first, first + 1, first)
    sources = np.clip(np.stack([first, second], axis=1), 0, len(given) - 1)
    return _taking(given, sources, None, given.stride * Fraction(scale).limit_denominator(1 << 12))


def padded(given: Intervals, before: int, after: int) -> Intervals:
    """Positions that see nothing are added; negative numbers crop."""
    sources = np.arange(-before, len(given) + after)[:, None]
    affine = given.affine
    if affine is not None:
        affine = replace(affine, start=affine.start - before * affine.stride)
    return _taking(given, sources, affine, given.stride)


def union(a: Intervals, b: Intervals) -> Intervals:
    """Positions that see what either sees: two paths that meet. One position is repeated to the length of the other."""
    if len(a) != len(b):
        short, long = (a, b) if len(a) < len(b) else (b, a)
        a, b = constant(short.of, len(long), short.hull), long
    affine = None
    if a.affine is not None and b.affine is not None and a.affine.stride == b.affine.stride:
        start = min(a.affine.start, b.affine.start)
        end = max(a.affine.start + a.affine.size, b.affine.start + b.affine.size)
        affine = Affine(end - start, a.affine.stride, start)
    return Intervals(a.of, np.minimum(a.low, b.low), np.maximum(a.high, b.high), affine, max(a.stride, b.stride))


def joined(a: Intervals, b: Intervals) -> Intervals:
    """The positions of both, one after the other."""
    return Intervals(a.of, np.concatenate([a.low, b.low]), np.concatenate([a.high, b.high]), None, a.stride)
