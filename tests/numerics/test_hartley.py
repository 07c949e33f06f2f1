"""Waves against NumPy's Fourier transform, ranks against SciPy's definition."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics.hartley import frequencies, waves
from tb_cnndiag.numerics.ranks import rank_correlation, ranks


@pytest.mark.parametrize("shape", [(8, 8), (7, 12), (1, 5)])
def test_transform_is_the_real_form_of_the_fourier_transform(rng: np.random.Generator, shape: tuple[int, int]) -> None:
    image = rng.normal(size=shape)
    a, b, c, d = waves(*shape)
    coefficients = a @ image @ b + c @ image @ d
    fourier = np.fft.fft2(image, norm="ortho")
    np.testing.assert_allclose(coefficients, fourier.real - fourier.imag, atol=1e-10)
    np.testing.assert_allclose(a @ coefficients @ b + c @ coefficients @ d, image, atol=1e-10)


def test_frequencies_are_distances_from_the_constant_wave() -> None:
    found = frequencies(8, 8)
    assert found[0, 0] == 0
    assert found[0, 1] == found[0, 7] == found[1, 0] == 1 / 8


def test_equal_values_share_a_rank() -> None:
    np.testing.assert_array_equal(ranks(np.array([3.0, 1.0, 3.0, 2.0])), [2.5, 0.0, 2.5, 1.0])


def test_rank_correlation_sees_order_only(rng: np.random.Generator) -> None:
    a = rng.normal(size=(6, 5))
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.ones_like(a)) == 0
    b = rng.normal(size=(6, 5))
    order_a, order_b = a.ravel().argsort().argsort(), b.ravel().argsort().argsort()
    assert rank_correlation(a, b) == pytest.approx(np.corrcoef(order_a, order_b)[0, 1])
