"""Spectra against slow, obvious implementations and known distributions."""

from __future__ import annotations

import numpy as np
import pytest

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
