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
