"""Ranks, checked against a full decomposition, closed forms and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import entropy
from sklearn.decomposition import PCA

from tb_cnndiag.numerics.rank import entropy_rank, feature_dimension, singular_values, stable_rank

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("shape", [(5, 40), (40, 5), (12, 12)])
def test_singular_values_are_those_of_a_decomposition(shape):
    matrix = np.random.default_rng(0).normal(size=shape) * 1e-20
    expected = np.linalg.svd(matrix, compute_uv=False) / np.abs(matrix).max()
    np.testing.assert_allclose(singular_values(matrix), expected, rtol=1e-6)


def test_ranks_of_known_spectra():
    assert stable_rank(np.ones(7)) == pytest.approx(7)
    assert entropy_rank(np.ones(7)) == pytest.approx(7)
    assert stable_rank(np.array([2.0, 0, 0])) == entropy_rank(np.array([2.0, 0, 0])) == 1
    assert stable_rank(np.array([2.0, 1, 1])) == 1.5
    assert entropy_rank(np.array([2.0, 1, 1])) == pytest.approx(np.exp(entropy([0.5, 0.25, 0.25])))


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.floats(width=32)))
def test_the_ranks_of_any_matrix_are_within_its_size_or_nan(matrix):
    singular = singular_values(matrix)
    for rank in stable_rank(singular), entropy_rank(singular):
        if np.isfinite(matrix).all() and matrix.any():
            assert 1 - 1e-6 <= rank <= min(matrix.shape) + 1e-6
        else:
            assert np.isnan(rank)


def test_feature_dimension_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    activations = rng.normal(size=(200, 30)) * np.geomspace(1, 1e-2, 30) + 5
    assert feature_dimension(activations) == PCA(n_components=0.99).fit(activations).n_components_


def test_feature_dimension_of_few_directions_and_of_constant_activations():
    rng = np.random.default_rng(0)
    assert feature_dimension((rng.normal(size=(64, 3)) @ rng.normal(size=(3, 40))).astype(np.float32)) <= 3
    assert feature_dimension(np.ones((8, 4))) == 0
    assert feature_dimension(np.full((8, 4), np.nan)) == 0


@pytest.mark.parametrize("scale", [1e-20, 1e-13, 3e-12, 1e-3, 3.0, 4e11, 3e12, 1e20])
@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (4, 4)])
def test_singular_values_are_relative_to_the_largest_weight(scale, shape):
    matrix = (scale * np.random.default_rng(1).normal(size=shape)).astype(np.float32)
    expected = np.linalg.svd(matrix.astype(float), compute_uv=False) / np.abs(matrix.astype(float)).max()
    np.testing.assert_allclose(singular_values(matrix), expected, rtol=1e-3)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 5), (5, 2)])
def test_matrices_without_singular_values(shape):
    side = min(shape)
    assert singular_values(np.zeros(shape)).tolist() == [0] * side
    assert np.isnan(stable_rank(singular_values(np.zeros(shape))))
    if side:
        for bad in (np.nan, np.inf, -np.inf):
            matrix = np.ones(shape)
            matrix[0, 1] = bad
            assert np.isnan(singular_values(matrix)).all()
            assert singular_values(matrix).shape == (side,)


@pytest.mark.parametrize("singular", [[np.inf, 1.0], [np.nan, 1.0], [0.0, 0.0], []])
def test_spectra_without_a_rank(singular):
    assert np.isnan(stable_rank(np.array(singular)))
    assert np.isnan(entropy_rank(np.array(singular)))


@pytest.mark.parametrize(
    ("first", "variance", "dimension"),
    [(0.75, 0.74, 1), (0.75, 0.75, 1), (0.75, 0.76, 2), (0.75, 1.0, 2), (0.985, None, 2), (0.995, None, 1)],
)
def test_directions_that_carry_a_share_of_the_variance(first, variance, dimension):
    """Two independent units: the first has this share of the variance."""
    activations = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * np.sqrt([first, 1 - first]) + 7
    options = {} if variance is None else {"variance": variance}
    assert feature_dimension(activations, **options) == dimension
