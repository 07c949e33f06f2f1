"""Size and state of weights, checked against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics.weights import constant_ratio, gain, norm, root_mean_square, vanished

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
def test_root_mean_square_at_any_scale(scale):
    kernel = (np.random.default_rng(0).normal(size=(8, 9)) * scale).astype(np.float32)
    assert root_mean_square(kernel) == pytest.approx(np.sqrt(np.mean(kernel.astype(float) ** 2)), rel=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1, 1e30])
def test_norm_at_any_scale(scale):
    values = (np.random.default_rng(0).normal(size=(8, 9)) * scale).astype(np.float32)
    assert norm(values) == pytest.approx(np.linalg.norm(values.astype(float)), rel=1e-5)


def test_root_mean_square_of_zeros_and_of_non_finite_weights():
    assert root_mean_square(np.zeros((2, 3))) == 0
    assert np.isnan(root_mean_square(np.array([[1, np.nan]])))
    assert np.isnan(root_mean_square(np.array([[1, np.inf]])))
    assert np.isnan(root_mean_square(np.empty((0, 3))))


def test_gain_of_he_initialization_is_the_square_root_of_two():
    kernel = np.random.default_rng(0).normal(size=(256, 576)) * np.sqrt(2 / 576)
    assert gain(kernel) == pytest.approx(np.sqrt(2), rel=0.01)


def test_constant_filters_are_counted():
    kernel = np.random.default_rng(0).normal(size=(10, 9))
    kernel[2], kernel[5] = 0, 0.7
    kernel[7, [0, 1, -1]] = 3
    kernel[8] = np.nan
    assert constant_ratio(kernel) == 0.2
    assert constant_ratio(np.ones((4, 1))) == 0


def test_units_whose_weights_change_no_sum_of_their_layer():
    kernel = np.array([[0.0, 0.0], [1e-21, -1e-21], [1e-19, 0.0], [0.0, -1.0], [np.nan, 0.0], [np.inf, 0.0]])
    assert vanished(kernel).tolist() == [True, True, False, False, False, False]
    assert vanished(1e-30 * kernel[:4]).tolist() == [True, True, False, False]
    assert vanished(np.zeros((2, 3))).all()
    assert vanished(np.empty((0, 3))).shape == (0,)


def test_weights_at_the_limits_of_what_counts():
    assert vanished(np.array([[1.0], [1e-20], [1.1e-20], [-1.1e-20], [-1e-20]])).tolist() == [
        False,
        True,
        False,
        False,
        True,
    ]
    assert vanished(np.full((2, 2), np.nan)).tolist() == [False, False]
    assert constant_ratio(np.array([[1.0, 1.0], [1.0, 2.0]])) == 0.5
    assert constant_ratio(np.array([[1.0, 1.0, 2.0, 1.0], [3.0, 3.0, 3.0, 3.0]])) == 0.5
    assert constant_ratio(np.empty((0, 4))) == 0
    for scale in (1e-17, 1e-15, 1e-14, 1e14, 1e16):
        values = (np.random.default_rng(1).normal(size=(3, 5)) * scale).astype(np.float32)
        assert norm(values) == pytest.approx(np.linalg.norm(values.astype(float)), rel=1e-6)
        assert gain(values) == pytest.approx(np.linalg.norm(values.astype(float)) / np.sqrt(3), rel=1e-6)
