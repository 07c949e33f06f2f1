"""Spectra against slow, obvious implementations and known distributions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from tb_cnndiag.numerics.spectrum import bulk_edge, eigenvalues, position_matrices, power_law, spikes, traps


def _slow_power_law(values: np.ndarray) -> tuple[float, float, float]:
    """(exponent, start, distance) by trying each start, as Clauset, Shalizi & Newman describe."""
    ordered = np.sort(values)
    best = (np.inf, 0.0, 0.0)
    for start in ordered[:-1]:
        tail = ordered[ordered >= start]
        alpha = 1 + len(tail) / np.sum(np.log(tail / start))
        fitted = 1 - (tail / start) ** (1 - alpha)
        distance = np.max(np.abs(fitted - np.arange(len(tail)) / len(tail)))
        best = min(best, (distance, alpha, start))
    return best[1], best[2], best[0]


def test_the_power_law_is_that_of_a_slow_fit(rng):
    for seed in range(5):
        values = np.random.default_rng(seed).lognormal(size=150)
        law = power_law(values)
        alpha, start, distance = _slow_power_law(values)
        assert (law.alpha, law.start, law.distance) == pytest.approx((alpha, start, distance), rel=1e-9)


def test_the_exponent_of_a_power_law_is_found(rng):
    for alpha in (1.8, 2.5, 4.0):
        values = (1 - rng.random(4_000)) ** (-1 / (alpha - 1))
        law = power_law(values)
        assert law.alpha == pytest.approx(alpha, rel=0.08)
        assert law.distance < 0.03


def test_too_few_or_equal_eigenvalues_have_no_power_law():
    assert power_law(np.ones(50)) is None
    assert power_law(np.arange(1.0, 7.0)) is None
    assert power_law(np.zeros(50)) is None


def test_eigenvalues_are_squares_of_singular_values(rng):
    kernel = rng.normal(size=(6, 9 * 4)).astype(np.float32)
    matrices = position_matrices(kernel, 9)
    expected = np.concatenate(
        [np.linalg.svd(kernel.reshape(6, 9, 4)[:, p].astype(float), compute_uv=False) ** 2 for p in range(9)]
    )
    np.testing.assert_allclose(np.sort(eigenvalues(matrices).ravel()), np.sort(expected), rtol=1e-6)


def _spikes(matrices: np.ndarray) -> int:
    return spikes(eigenvalues(matrices), *matrices.shape[1:])


@pytest.mark.parametrize("shape", [(64, 576), (128, 128), (300, 40)])
def test_a_random_matrix_has_no_spikes_and_a_planted_one_has(rng, shape):
    matrix = rng.normal(size=shape)
    assert _spikes(rng.normal(size=(20, *shape))) <= 1
    planted = matrix + 8 * np.outer(rng.normal(size=shape[0]), rng.normal(size=shape[1])) / np.sqrt(min(shape))
    assert _spikes(planted[None]) == 1
    assert traps(planted[None]) == 0
    assert bulk_edge(planted) == pytest.approx(bulk_edge(matrix), rel=0.05)


def test_the_edge_is_that_of_marchenko_and_pastur(rng):
    largest = eigenvalues(rng.normal(size=(50, 100, 400)))[:, -1]
    edge = (np.sqrt(400) + np.sqrt(100)) ** 2
    assert np.mean(largest) == pytest.approx(edge, rel=0.05)
    assert max(largest) < bulk_edge(rng.normal(size=(100, 400))) < 1.2 * edge


def test_a_single_huge_weight_is_a_trap(rng):
    matrix = rng.normal(size=(100, 300))
    matrix[3, 7] = 60
    assert traps(matrix[None]) == 1


@pytest.mark.parametrize("count", [8, 12, 19, 20])
def test_among_few_values_the_bias_is_removed_and_tails_are_not_too_short(count: int) -> None:
    """n − 1 takes the place of n below 20 values, where a tail has at least 8."""
    values = np.sort(np.random.default_rng(count).lognormal(size=count))
    few = count < 20
    best = (np.inf, 0.0, 0.0, 0)
    for start in values[:-1]:
        tail = values[values >= start]
        if few and len(tail) < 8:
            continue
        alpha = 1 + (len(tail) - few) / np.sum(np.log(tail / start))
        fitted = 1 - (tail / start) ** (1 - alpha)
        distance = float(np.max(np.abs(fitted - np.arange(len(tail)) / len(tail))))
        best = min(best, (distance, alpha, start, len(tail)))
    law = power_law(values)
    assert law is not None
    assert (law.distance, law.alpha, law.start, law.tail) == pytest.approx(best)
    # Values that are numerically zero are no part of it.
    assert power_law(np.concatenate([values, np.full(30, 1e-6)])) == law
    assert power_law(values[:7]) is None


def _median_of_random(ratio: float) -> float:
    """Median of Marchenko & Pastur's distribution, by integrating its density."""
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2

    def share(end: float) -> float:
        density = lambda x: np.sqrt(max((high - x) * (x - low), 0)) / (2 * np.pi * ratio * x)  # noqa: E731
        return quad(density, low, end, limit=200)[0]

    return brentq(lambda end: share(end) - 0.5, low + 1e-9, high - 1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 1), (1, 4), (8, 8), (40, 100), (100, 40), (5, 200)])
def test_the_edge_is_that_of_johnstone_at_the_median_of_the_eigenvalues(rng, shape):
    """μ + 3.27 σ of Johnstone 2001, scaled so that the medians of the eigenvalues and of the distribution agree."""
    matrix = rng.normal(size=shape)
    p, n = min(shape), max(shape)
    m = max(n - 1, 1)
    center = (np.sqrt(m) + np.sqrt(p)) ** 2
    width = (np.sqrt(m) + np.sqrt(p)) * (1 / np.sqrt(m) + 1 / np.sqrt(p)) ** (1 / 3)
    scale = np.median(np.linalg.svd(matrix, compute_uv=False) ** 2) / (n * _median_of_random(p / n))
    assert bulk_edge(matrix) == pytest.approx(scale * (center + 3.27 * width), rel=2e-3)


def test_spikes_of_all_matrices_are_counted(rng):
    matrices = rng.normal(size=(5, 60, 80))
    for where, value in (((0, 3, 4), 90), ((0, 5, 6), 80), ((3, 0, 0), 90)):
        matrices[where] = value
    assert _spikes(matrices) == 3
    assert _spikes(matrices[1:]) == 1
    assert traps(matrices) == traps(matrices, seed=0) == 3


@pytest.mark.parametrize("count", [25, 1_500])
def test_equal_eigenvalues_at_both_ends(count):
    """Tails of equal values have no exponent; equal ones at the lower end are no reason to give up."""
    values = np.sort(np.random.default_rng(count).lognormal(size=count))
    values[:3], values[-3:] = values[3], values[-3]
    with np.errstate(all="ignore"):
        ordered, best = values, (np.inf, 0.0, 0.0, 0)
        for start, value in enumerate(ordered[:-3]):
            tail = ordered[start:]
            alpha = 1 + len(tail) / np.sum(np.log(tail / value))
            fitted = 1 - (tail / value) ** (1 - alpha)
            distance = float(np.max(np.abs(fitted - np.arange(len(tail)) / len(tail))))
            best = min(best, (distance, alpha, value, len(tail)))
    law = power_law(values)
    assert (law.distance, law.alpha, law.start, law.tail) == pytest.approx(best, rel=1e-9)


def test_eigenvalues_that_are_numerically_zero_are_no_part_of_the_tail():
    values = np.geomspace(1.1e-5, 1, 30)
    law = power_law(values)
    assert power_law(np.concatenate([values, [1e-5, 9e-6, 0.0]])) == law
    assert power_law(values[1:]) != law
    assert power_law(np.concatenate([values[:7], np.zeros(30)])) is None
    assert power_law(np.append(np.full(29, 2.0), 3.0)) is not None


@pytest.mark.parametrize(("shape", "share"), [((16, 16), 0.027), ((16, 64), 0.005)])
def test_small_random_matrices_exceed_the_edge_more_often_than_large_ones(rng, shape, share):
    assert _spikes(rng.normal(size=(4_000, *shape))) / 4_000 == pytest.approx(share, rel=0.4)
