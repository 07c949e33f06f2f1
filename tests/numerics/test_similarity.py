"""Cosines and twins, checked against slow implementations, scikit-learn, SciPy and random filters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import beta
from sklearn.metrics.pairwise import cosine_similarity as sklearn_cosine

from tb_cnndiag.numerics.similarity import (
    TWIN_FLOOR,
    centered,
    chance_cosine,
    correlation,
    cosine_similarity,
    folded,
    mean_magnitude,
    twin_threshold,
    twins,
)

pytestmark = pytest.mark.filterwarnings("error")

any_kernel = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.floats(width=32, allow_nan=True)
)


def kernel(units=12, fan_in=27, seed=0):
    return np.random.default_rng(seed).normal(size=(units, fan_in)).astype(np.float32)


def test_agrees_with_scikit_learn():
    filters = kernel(40, 300)
    np.testing.assert_allclose(cosine_similarity(filters), sklearn_cosine(filters), atol=1e-6)


@given(any_kernel)
def test_any_kernel_gives_a_symmetric_matrix_with_unit_diagonal(filters):
    cosine = cosine_similarity(filters)
    known = np.isfinite(filters).all(axis=1) & (filters != 0).any(axis=1)
    np.testing.assert_array_equal(cosine, cosine.T)
    assert (cosine.diagonal()[known] == 1).all()
    assert np.isnan(cosine[~known]).all()
    assert not np.isnan(cosine[np.ix_(known, known)]).any()
    assert (np.abs(cosine[np.ix_(known, known)]) <= 1).all()


@given(st.integers(0, 2**32 - 1))
def test_follows_a_permutation_of_filters_and_ignores_their_scale(seed):
    rng = np.random.default_rng(seed)
    filters, order = kernel(seed=seed), rng.permutation(12)
    scale = 10.0 ** rng.uniform(-18, 18, size=(12, 1))
    np.testing.assert_allclose(
        cosine_similarity(filters[order] * scale), cosine_similarity(filters)[np.ix_(order, order)], atol=1e-6
    )


def test_the_memory_order_of_the_kernel_does_not_matter():
    filters = kernel(8, 9)
    np.testing.assert_allclose(cosine_similarity(np.asfortranarray(filters)), cosine_similarity(filters), atol=1e-6)


def test_folding_scales_rows_and_appends_the_bias():
    filters = kernel(3, 2)
    np.testing.assert_array_equal(
        folded(filters, bias=np.array([1, 2, 3]), scale=np.array([2, 0, -1])),
        np.column_stack([filters, [1, 2, 3]]) * [[2], [0], [-1]],
    )


def test_correlation_agrees_with_numpy_and_is_unknown_for_constant_units():
    responses = kernel(50, 6) + 1000
    responses[:, 2] = 7
    alike = correlation(responses)
    rest = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(alike[np.ix_(rest, rest)], np.corrcoef(responses[:, rest], rowvar=False), atol=1e-4)
    assert np.isnan(alike[2]).all()


@pytest.mark.parametrize("fan_in", [2, 9, 27, 576])
@pytest.mark.parametrize("pairs", [1, 2016])
def test_the_chance_cosine_is_a_quantile_of_the_beta_distribution(fan_in, pairs):
    assert chance_cosine(fan_in, pairs) ** 2 == pytest.approx(beta(0.5, (fan_in - 1) / 2).isf(0.01 / pairs))


def test_random_filters_exceed_the_chance_cosine_with_the_chosen_probability():
    units, fan_in, trials = 16, 9, 2000
    limit = chance_cosine(fan_in, units * (units - 1) // 2, alpha=0.1)
    rows = np.random.default_rng(1).normal(size=(trials, units, fan_in))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    cosine = rows @ rows.transpose(0, 2, 1) - np.eye(units)
    assert np.mean(np.abs(cosine).max(axis=(1, 2)) > limit) == pytest.approx(0.1, abs=0.03)


def test_the_threshold_is_the_floor_for_large_fan_in_higher_for_small_and_infinite_for_tiny():
    assert twin_threshold(576, 64) == TWIN_FLOOR
    assert TWIN_FLOOR < twin_threshold(9, 512) < 1
    assert twin_threshold(1, 8) == twin_threshold(3, 64) == np.inf


def test_twins_and_mirror_images_are_counted_separately():
    filters = kernel(8)
    filters[3] = 2 * filters[0]
    filters[6] = filters[3]
    filters[5] = -filters[1]
    found = twins(cosine_similarity(filters), 0.9)
    assert found.ratio == 3 / 8
    assert found.flipped_ratio == 2 / 8


def test_every_filter_near_another_one_has_a_twin():
    angles = np.radians([0, 20, 40, 90])
    found = twins(cosine_similarity(np.column_stack([np.cos(angles), np.sin(angles)])), 0.9)
    assert found.ratio == 3 / 4


def test_an_infinite_threshold_gives_no_twins():
    assert twins(np.ones((4, 4)), np.inf).ratio == 0


def test_mean_magnitude_is_over_pairs_of_different_known_units():
    filters = kernel(90, 5)
    filters[4] = 0
    cosine = cosine_similarity(filters)
    pairs = [abs(cosine[i, j]) for i in range(90) for j in range(i) if 4 not in (i, j)]
    assert mean_magnitude(cosine) == pytest.approx(np.mean(pairs), rel=1e-6)
    assert np.isnan(mean_magnitude(cosine[:1, :1]))


@pytest.mark.parametrize(
    ("fan_in", "units", "alpha", "infinite"),
    [
        (9, 512, 0.01, False), (9, 512, 0.1, False), (27, 64, 0.01, False), (2, 2, 0.01, True), (2, 2, 0.05, False),
        (5, 3, 0.01, False), (4, 3, 0.01, False), (3, 2, 0.01, False), (3, 3, 0.001, True), (1, 2, 0.01, True),
        (5, 1, 0.01, True), (576, 64, 0.01, False),
    ],
)  # fmt: skip
def test_twins_are_more_similar_than_chance_explains(fan_in, units, alpha, infinite):
    """The Bonferroni bound over all pairs, at least the floor; infinite where there is no pair or no room."""
    pairs = units * (units - 1) / 2
    limit = np.sqrt(beta(0.5, (fan_in - 1) / 2).isf(alpha / pairs)) if pairs and fan_in > 1 else 1
    assert (limit > 0.999) == infinite
    expected = np.inf if infinite else max(limit, 0.9)
    assert twin_threshold(fan_in, units, alpha=alpha) == pytest.approx(expected)
    if alpha == 0.01:
        assert twin_threshold(fan_in, units) == twin_threshold(fan_in, units, alpha=alpha)


def test_without_pairs_or_directions_chance_reaches_every_cosine():
    assert [chance_cosine(*case) for case in ((1, 5), (0, 5), (9, 0))] == [1, 1, 1]
    assert chance_cosine(2, 1) == pytest.approx(np.cos(0.01 * np.pi / 2))


def test_a_cosine_at_the_threshold_counts():
    cosine = np.array([[1, 0.75, 0.0, np.nan], [0.75, 1, -0.75, np.nan], [0.0, -0.75, 1, np.nan], [np.nan] * 4])
    found = twins(cosine, 0.75)
    assert (found.ratio, found.flipped_ratio) == (0.5, 0.5)
    above = twins(cosine, 0.7500001)
    assert (above.ratio, above.flipped_ratio) == (0, 0)
    none = twins(np.empty((0, 0)), 0.9)
    assert (none.ratio, none.flipped_ratio) == (0, 0)


@pytest.mark.parametrize("units", [2, 3, 64, 65, 130])
def test_the_mean_magnitude_of_few_and_of_many(units):
    filters = kernel(units, 6, seed=units)
    expected = np.abs(sklearn_cosine(filters.astype(float)))
    mean = expected[~np.eye(units, dtype=bool)].mean()
    assert mean_magnitude(cosine_similarity(filters)) == pytest.approx(mean, rel=1e-5)
    assert np.isnan(mean_magnitude(np.full((units, units), np.nan)))
    assert mean_magnitude(np.ones((units, units), np.float32)) == 1


@pytest.mark.parametrize("scale", [1e-16, 1e-14, 1.0, 1e14, 1e16])
def test_cosines_at_the_scales_where_squares_lose_precision(scale):
    filters = kernel(70, 20)
    mixed = filters.copy()
    mixed[::2] *= np.float32(scale)
    np.testing.assert_allclose(cosine_similarity(mixed), sklearn_cosine(filters), atol=1e-6)


def test_folding_without_a_bias_or_a_scale():
    filters = kernel(3, 2)
    np.testing.assert_array_equal(folded(filters), filters)
    np.testing.assert_array_equal(folded(filters, scale=np.array([2, 0, -1])), filters * [[2], [0], [-1]])
    np.testing.assert_array_equal(folded(filters, np.array([1, 2, 3])), np.column_stack([filters, [1, 2, 3]]))


def test_cosines_of_opposite_filters_are_at_least_minus_one():
    filters = kernel(300, 7)
    cosine = cosine_similarity(np.concatenate([filters, -filters]))
    assert (cosine.min(), cosine.max()) == (-1, 1)


def test_centered_responses_are_rows_and_exactly_zero_for_a_constant_unit():
    responses = kernel(30, 4).astype(np.float32) + 100
    responses[:, 1] = 0.1
    rows = centered(responses)
    np.testing.assert_allclose(rows, (responses - responses.astype(float).mean(axis=0)).T, atol=1e-6)
    assert (rows[1] == 0).all()
    assert rows.dtype == np.float64
