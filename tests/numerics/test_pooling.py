"""Pooling, checked against the definition cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics.pooling import pooled

pytestmark = pytest.mark.filterwarnings("error")


def symmetric(units, seed=0):
    values = np.random.default_rng(seed).uniform(-1, 1, size=(units, units)).astype(np.float32)
    values = np.tril(values, -1) + np.tril(values, -1).T
    np.fill_diagonal(values, 1)
    return values


def slowly_pooled(similarity, order, pool):
    groups = [order[start : start + pool] for start in range(0, len(order), pool)]
    values = np.full((len(groups), len(groups)), np.nan)
    for row, first in enumerate(groups):
        for column, second in enumerate(groups):
            pairs = [(similarity[a, b], a == b) for a in first for b in second]
            known = [value for value, same in pairs if not np.isnan(value) and not same] or [
                value for value, _ in pairs if not np.isnan(value)
            ]
            if known:
                values[row, column] = max(known, key=abs)
    return values


@pytest.mark.parametrize("units", [3, 16, 17, 30, 31, 32])
@pytest.mark.parametrize("cells", [3, 8, 16])
def test_each_cell_shows_the_largest_magnitude(units, cells):
    similarity = symmetric(units)
    order = np.random.default_rng(1).permutation(units)
    matrix = pooled(similarity, order, cells=cells)
    assert len(matrix.values) <= cells
    if matrix.pool == 1:
        np.testing.assert_array_equal(matrix.values, similarity[np.ix_(order, order)])
    else:
        np.testing.assert_array_equal(matrix.values, slowly_pooled(similarity, order, matrix.pool))


def test_unknown_units_are_ignored_and_cells_without_known_units_are_blank():
    similarity = symmetric(40)
    unknown = [1, 2, 3, 4, 5, 20]
    similarity[unknown] = similarity[:, unknown] = np.nan
    matrix = pooled(similarity, np.arange(40), cells=10)
    np.testing.assert_array_equal(matrix.values, slowly_pooled(similarity, np.arange(40), 4))
    assert np.isnan(pooled(similarity, np.r_[1:6, 0], cells=2).values[0]).all()


def test_many_rows_are_pooled_in_several_blocks():
    similarity = symmetric(300)
    np.testing.assert_array_equal(
        pooled(similarity, np.arange(300), cells=30).values, slowly_pooled(similarity, np.arange(300), 10)
    )


def test_a_pooled_matrix_says_what_it_shows():
    similarity, order = symmetric(9), np.arange(9)[::-1]
    for cells, pool in ((9, 1), (20, 1), (8, 2), (4, 3), (3, 3), (1, 9)):
        matrix = pooled(similarity, order, cells=cells)
        assert (matrix.low, matrix.high, matrix.unit, matrix.pool) == (-1, 1, "cosine", pool)
        np.testing.assert_array_equal(matrix.order, order)
        assert matrix.values.dtype == np.float32
    assert pooled(similarity, order, cells=4, unit="correlation").unit == "correlation"
    assert pooled(similarity, order, cells=9, unit="correlation").unit == "correlation"


def test_a_sample_of_the_units_can_be_pooled():
    similarity, order = symmetric(40, seed=2), np.array([3, 39, 7, 20, 1, 0, 33])
    similarity[7] = similarity[:, 7] = np.nan
    np.testing.assert_array_equal(pooled(similarity, order, cells=4).values, slowly_pooled(similarity, order, 2))
