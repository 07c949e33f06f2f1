"""Intervals of pixels against the set of pixels that each position sees, computed pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from tb_cnndiag.numerics.pixel_intervals import (
    Affine,
    Intervals,
    constant,
    identity,
    joined,
    padded,
    repeated,
    resized,
    same_padding,
    transposed,
    union,
    window,
)

Seen = list[set[int]]
"""The pixels that each position sees."""


def agrees(found: Intervals, seen: Seen) -> None:
    """The intervals are the hulls of the sets; where nothing is seen, they are empty."""
    assert len(found) == len(seen)
    for low, high, pixels in zip(found.low.tolist(), found.high.tolist(), seen, strict=True):
        if pixels:
            assert (low, high) == (min(pixels), max(pixels))
        else:
            assert low > high
    known = [pixel for pixels in seen for pixel in pixels]
    if known:
        assert found.hull == (min(known), max(known))


def reaching(given: Seen, sources: Sequence[Sequence[int]]) -> Seen:
    """What positions see that see these positions, as far as they exist."""
    return [set().union(*(given[at] for at in each if 0 <= at < len(given))) for each in sources]


LENGTH = 11
PIXELS: Seen = [{i} for i in range(LENGTH)]


def windows(size: int, stride: int, dilation: int, padding: int, length: int) -> list[list[int]]:
    return [[o * stride - padding + j * dilation for j in range(size)] for o in range(length)]


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_windows_one_behind_the_other(size: int, stride: int, dilation: int, padding: int) -> None:
    length = (LENGTH + 2 * padding - (size - 1) * dilation - 1) // stride + 1
    first = window(identity(0, LENGTH), size, stride, dilation, padding, length)
    seen = reaching(PIXELS, windows(size, stride, dilation, padding, length))
    agrees(first, seen)
    second = window(first, 3, 1, 1, 1, length)
    agrees(second, reaching(seen, windows(3, 1, 1, 1, length)))
    # Without borders, position i sees as many pixels from start + i · stride on as the formula of the field says.
    assert second.affine is not None
    assert second.affine.size == 1 + (size - 1) * dilation + 2 * stride
    assert second.affine.stride == second.stride == stride
    assert second.affine.start == -padding - stride


@pytest.mark.parametrize("length", [5, 8, 9])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_padding_called_same(length: int, size: int, stride: int, dilation: int) -> None:
    """As few zeros as let ⌈length / stride⌉ windows fit; one more at the end if their number is odd."""
    positions = -(-length // stride)
    zeros = next(n for n in range(99) if (length + n - (size - 1) * dilation - 1) // stride + 1 >= positions)
    assert same_padding(length, size, stride, dilation) == zeros // 2


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_transposed_convolutions(size: int, stride: int, dilation: int, padding: int) -> None:
    """Position i reaches the positions i · stride − padding + j · dilation."""
    length = (LENGTH - 1) * stride + (size - 1) * dilation + 1 - 2 * padding
    seen: Seen = [set() for _ in range(length)]
    for i in range(LENGTH):
        for j in range(size):
            reached = i * stride - padding + j * dilation
            if 0 <= reached < length:
                seen[reached] |= PIXELS[i]
    found = transposed(identity(0, LENGTH), size, stride, dilation, padding, length)
    agrees(found, seen)
    assert found.stride == Fraction(1, stride)
    assert (found.affine is None) == (stride > 1)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_repetition(times: int) -> None:
    found = repeated(identity(1, LENGTH), times)
    agrees(found, [PIXELS[i // times] for i in range(LENGTH * times)])
    assert (found.of, found.stride) == (1, Fraction(1, times))
    assert (found.affine is not None) == (times == 1)


@pytest.mark.parametrize("length", [3, 11, 22, 30])
def test_resizing(length: int) -> None:
    """Between the centers of pixels: to the nearest one, or to both neighbors of a point between two."""
    centers = [(i + 0.5) * LENGTH / length - 0.5 for i in range(length)]
    nearest = [[min(max(int(np.floor(c + 0.5)), 0), LENGTH - 1)] for c in centers]
    agrees(resized(identity(0, LENGTH), length, linear=False), reaching(PIXELS, nearest))
    ends = [sorted({int(np.floor(c)), int(np.ceil(c))}) for c in centers]
    inside = [[min(max(each, 0), LENGTH - 1) for each in pair] for pair in ends]
    found = resized(identity(0, LENGTH), length, linear=True)
    agrees(found, reaching(PIXELS, inside))
    assert float(found.stride) == pytest.approx(LENGTH / length, abs=1e-3)
    assert found.affine is None


@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 1), (-1, -2), (3, -1)])
def test_padding_and_cropping(before: int, after: int) -> None:
    sources = [[i] for i in range(-before, LENGTH + after)]
    found = padded(identity(0, LENGTH), before, after)
    agrees(found, reaching(PIXELS, sources))
    assert found.affine == Affine(Fraction(1), Fraction(1), Fraction(-before))
    assert padded(constant(0, 4, (1, 2)), 1, 1).affine is None


def test_paths_that_meet_see_what_either_sees() -> None:
    wide = window(identity(0, LENGTH), 3, 1, 1, 1, LENGTH)
    late = window(identity(0, LENGTH), 1, 1, 1, -2, LENGTH)  # sees what lies two pixels ahead
    both = union(wide, late)
    seen = reaching(PIXELS, [[i - 1, i, i + 1, i + 2] for i in range(LENGTH)])
    agrees(both, seen)
    assert both.affine == Affine(Fraction(4), Fraction(1), Fraction(-1))
    pooled = constant(0, 1, (0, LENGTH - 1))
    for found in (union(pooled, wide), union(wide, pooled)):
        agrees(found, [set(range(LENGTH))] * LENGTH)
        assert (found.affine, found.stride) == (None, 1)
    slow = Intervals(0, late.low, late.high, Affine(Fraction(1), Fraction(2), Fraction(0)), Fraction(2))
    assert (union(wide, slow).affine, union(wide, slow).stride) == (None, 2)


def test_joined_positions_follow_each_other() -> None:
    found = joined(identity(2, 3), identity(2, 4))
    agrees(found, [{0}, {1}, {2}, {0}, {1}, {2}, {3}])
    assert (found.of, found.affine, found.stride) == (2, None, 1)


def test_positions_that_see_nothing() -> None:
    nothing = identity(0, 0)
    assert nothing.hull[0] > nothing.hull[1]
    agrees(window(nothing, 3, 1, 1, 1, 2), [set(), set()])
    assert constant(1, 3, (2, 5)).hull == (2, 5)
    assert constant(1, 3, (2, 5)).stride == 0


@pytest.mark.parametrize("length", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("given", [1, 2, 5])
def test_resizing_of_few_positions(given: int, length: int) -> None:
    """No position beyond the first and last one is read."""
    pixels: Seen = [{10 * i} for i in range(given)]
    coarse = Intervals(0, 10 * np.arange(given), 10 * np.arange(given), None, Fraction(10))
    centers = [Fraction(2 * i + 1, 2) * given / length - Fraction(1, 2) for i in range(length)]
    around = [{int(np.floor(c)), int(np.ceil(c))} for c in centers]
    found = resized(coarse, length, linear=True)
    agrees(found, [set().union(*(pixels[min(max(i, 0), given - 1)] for i in each)) for each in around])
    assert float(found.stride) == pytest.approx(10 * given / length, rel=1e-3)
    nearest = resized(coarse, length, linear=False)
    agrees(nearest, [pixels[min(max(int(np.floor(c + Fraction(1, 2))), 0), given - 1)] for c in centers])
    assert float(nearest.stride) == pytest.approx(10 * given / length)


def test_no_pixel_is_neutral_in_a_union() -> None:
    nothing, some = padded(identity(0, 0), 1, 1), identity(0, 2)
    agrees(union(nothing, some), [{0}, {1}])
    agrees(union(some, nothing), [{0}, {1}])
    agrees(window(padded(some, 2, 0), 2, 1, 1, 0, 3), [set(), {0}, {0, 1}])
    assert identity(3, 0).hull == nothing.hull
    assert len(nothing) == 2
