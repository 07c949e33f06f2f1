"""The smallest box that holds a share, against trying every box."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tb_cnndiag.numerics.boxes import smallest_box
from tb_cnndiag.payloads import FloatArray


def _smallest_area(amounts: FloatArray, share: float) -> int:
    rows, columns = (range(n + 1) for n in amounts.shape)
    return min(
        (b - t) * (r - left)
        for (t, b), (left, r) in itertools.product(itertools.combinations(rows, 2), itertools.combinations(columns, 2))
        if amounts[t:b, left:r].sum() >= share * amounts.sum() * (1 - 1e-9)
    )


@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (12, 5)])
def test_no_box_that_holds_the_share_is_smaller(rng: np.random.Generator, shape: tuple[int, int]) -> None:
    for share in (0.5, 0.95, 1.0):
        for _ in range(10):
            amounts = rng.exponential(size=shape) ** 4
            top, left, height, width = smallest_box(amounts, share)
            inside = amounts[top : top + height, left : left + width].sum()
            assert inside >= share * amounts.sum() * (1 - 1e-9)
            assert height * width == _smallest_area(amounts, share)


def test_a_large_picture_is_searched_in_cells(rng: np.random.Generator) -> None:
    amounts = np.zeros((224, 100))
    amounts[70:91, 25:50] = rng.exponential(size=(21, 25)) + 1
    top, left, height, width = smallest_box(amounts, 1.0)
    assert top <= 70
    assert left <= 25
    assert top + height >= 91
    assert left + width >= 50
    assert height <= 21 + 2 * 7
    assert width <= 25 + 2 * 4


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_without_amounts_there_is_no_box(value: float) -> None:
    assert smallest_box(np.full((4, 4), value), 0.95) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("side", "pixel", "cells", "box"),
    [
        (32, (10, 11), None, (10, 11, 1, 1)),
        (64, (10, 11), None, (10, 10, 2, 2)),
        (64, (63, 0), None, (62, 0, 2, 2)),
        (9, (4, 8), 3, (3, 6, 3, 3)),
        (9, (4, 8), 9, (4, 8, 1, 1)),
        (9, (4, 8), 1, (0, 0, 9, 9)),
    ],
)
def test_the_box_of_one_pixel(side: int, pixel: tuple[int, int], cells: int | None, box: tuple[int, ...]) -> None:
    amounts = np.zeros((side, side))
    amounts[pixel] = 0.1
    assert (smallest_box(amounts, 0.9) if cells is None else smallest_box(amounts, 0.9, cells)) == box


@pytest.mark.parametrize(("share", "width"), [(0.5, 2), (0.5 + 1e-8, 3), (1.0, 4), (0.0, 1)])
def test_a_box_holds_exactly_its_share(share: float, width: int) -> None:
    """Of boxes of one size, the one that is farthest left counts; rounding makes no box larger."""
    assert smallest_box(np.full((1, 4), 0.1), share) == (0, 0, 1, width)
    assert smallest_box(np.full((4, 1), 0.1), share) == (0, 0, width, 1)
    assert smallest_box(np.full((1, 10), 0.1), 0.3)[3] == 3
