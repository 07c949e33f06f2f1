"""Twins of wide layers, compared with the matrix of all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics import wide
from tb_cnndiag.numerics.similarity import cosine_similarity, twin_threshold
from tb_cnndiag.numerics.wide import relatives, sample_of


def _planted(rng: np.random.Generator, units: int, dimensions: int) -> np.ndarray:
    rows = rng.normal(size=(units, dimensions)).astype(np.float32)
    rows[3] = 2 * rows[40]
    rows[10:20] = rows[10] + 0.1 * rng.normal(size=(10, dimensions))
    rows[50] = -rows[60]
    rows[70] = 0
    rows[80] *= 1e-25
    rows[81] *= 1e25
    rows[90] = np.nan
    return rows


@pytest.mark.parametrize(("units", "dimensions"), [(300, 12), (700, 64), (700, 400), (600, 2000)])
def test_relatives_are_those_of_the_whole_matrix(units: int, dimensions: int, rng: np.random.Generator) -> None:
    rows = _planted(rng, units, dimensions)
    threshold = min(twin_threshold(dimensions, units), 0.999)
    cosines = cosine_similarity(rows)
    np.fill_diagonal(cosines, 0)
    twin, mirror = relatives(rows, threshold)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(twin, (cosines >= threshold).any(axis=1))
        np.testing.assert_array_equal(mirror, (cosines <= -threshold).any(axis=1))
    assert twin.sum() >= 11
    assert mirror.sum() >= 2


def test_pairs_just_below_the_threshold_are_no_twins(rng: np.random.Generator) -> None:
    """All pairs are candidates in the projection, and none is a twin."""
    common = rng.normal(size=400)
    rows = (common + 0.42 * rng.normal(size=(600, 400))).astype(np.float32)
    cosines = cosine_similarity(rows)
    largest = float(np.sort(cosines, axis=None)[-601])
    assert 0.8 < largest < 0.9
    assert not relatives(rows, 0.9)[0].any()
    assert relatives(rows, largest - 1e-6)[0].sum() == 2


def test_a_sample_has_twins_and_dead_units_and_covers_the_rest(rng: np.random.Generator) -> None:
    rows = _planted(rng, 700, 20)
    twin, _ = relatives(rows, 0.95)
    sample = sample_of(rows, twin, 100)
    assert len(sample) == 100
    assert (np.diff(sample) > 0).all()
    assert {70, 90} | set(np.flatnonzero(twin).tolist()) <= set(sample.tolist())
    assert np.diff(sample).max() < 20
    assert len(sample_of(rows, np.ones(700, bool), 100)) == 75  # all are marked: no unit of the rest is left


def test_nothing_of_the_size_of_all_pairs_is_allocated(rng: np.random.Generator) -> None:
    import tracemalloc

    rows = rng.normal(size=(6000, 32)).astype(np.float32)
    tracemalloc.start()
    relatives(rows, 0.95)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6000 * 6000 * 4 / 4
    assert peak > wide.BLOCK * 6000 * 4


@pytest.mark.parametrize(("units", "count"), [(5, 5), (5, 9), (10, 9), (10, 2), (100, 7), (3, 0), (0, 4)])
def test_units_that_are_evenly_spaced(units: int, count: int) -> None:
    given = 3 * np.arange(units) + 1
    found = wide.spaced(given, count)
    if count >= units:
        assert found.tolist() == given.tolist()
    else:
        places = [index * (units - 1) / (count - 1) for index in range(count)] if count > 1 else []
        assert found.tolist() == [given[int(place + 1e-9)] for place in places]


@pytest.mark.parametrize("threshold", [np.float32(0.6), np.nextafter(np.float32(0.6), np.float32(1))])
def test_a_cosine_at_the_threshold_counts(threshold: np.float32) -> None:
    rows = np.array([[0.6, 0.8, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], np.float32)
    for sign, found in ((1, 0), (-1, 1)):
        rows[1, 0] = sign
        relative = relatives(rows, float(threshold))
        assert relative[found].tolist() == [threshold == np.float32(0.6)] * 2 + [False] * 2
        assert not relative[1 - found].any()


def test_shares_of_units_with_a_relative(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(1100, 300)).astype(np.float32)
    rows[5], rows[6], rows[1099] = rows[700], -rows[800], 2 * rows[900]
    found = wide.twins_of(rows, 0.9)
    assert (found.ratio, found.flipped_ratio) == (4 / 1100, 2 / 1100)
    assert len(sample_of(rng.normal(size=(3000, 2)), np.zeros(3000, bool))) == 2048


@pytest.mark.filterwarnings("error")
def test_directions_have_length_one_or_are_zero(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(9, 7))
    scales = np.array([1, 1e-30, 1e30, 1e-3, 1e3, 1, 0, 1, 1])[:, None]
    scaled = (rows * scales).astype(np.float32)
    scaled[7, 2], scaled[8, 3] = np.nan, -np.inf
    expected = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    expected[6:] = 0
    found = wide.unit_directions(scaled)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.dtype == wide.unit_directions(rows).dtype == np.float32
    assert wide.unit_directions(np.zeros((2, 0))).shape == (2, 0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dimensions", [150, 400])
def test_pairs_just_above_the_threshold_are_found(dimensions: int, sign: int, rng: np.random.Generator) -> None:
    """300 pairs with a cosine of 0.902, of which a projection puts every second one below 0.9."""
    first = rng.normal(size=(300, dimensions))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    other = rng.normal(size=first.shape)
    other -= (other * first).sum(axis=1, keepdims=True) * first
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    rows = np.concatenate([first, sign * (0.902 * first + np.sqrt(1 - 0.902**2) * other)])
    twin, mirror = relatives(rows, 0.9)
    assert (twin.sum(), mirror.sum()) == ((600, 0) if sign > 0 else (0, 600))
    assert not np.any(relatives(rows, 0.904))
