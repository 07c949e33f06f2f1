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
