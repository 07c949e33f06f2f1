"""Alignment of layers, checked against the definition of unbiased HSIC."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_cnndiag.numerics.cka import linear_cka

pytestmark = pytest.mark.filterwarnings("error")


def unbiased_hsic(first, second):
    """Song et al. (2012), eq. 5."""
    n = len(first)
    k, m = first @ first.T, second @ second.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    trace = np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2))
    return (trace - 2 / (n - 2) * (one @ k @ m @ one)) / (n * (n - 3))


def related_layers(seed=0, samples=96):
    """Random features, a noisy linear map of them, and unrelated features."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(samples, 8)) + 3
    return [base, base @ rng.normal(size=(8, 20)) + rng.normal(size=(samples, 20)), rng.normal(size=(samples, 5))]


def test_agrees_with_the_definition_averaged_over_batches():
    layers = related_layers()
    batches = [slice(0, 32), slice(32, 64), slice(64, 96)]

    def hsic(a, b):
        return np.mean([unbiased_hsic(a[batch], b[batch]) for batch in batches])

    expected = [[hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b)) for b in layers] for a in layers]
    np.testing.assert_allclose(linear_cka(layers, batch=32), expected, atol=1e-5)


@given(st.integers(0, 2**32 - 1))
def test_ignores_rotation_scale_and_shift(seed):
    layers = related_layers(seed)
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(8, 8)))
    transformed = [1e4 * layers[0] @ rotation - 7, *layers[1:]]
    np.testing.assert_allclose(linear_cka(transformed), linear_cka(layers), atol=1e-4)


def test_is_symmetric_with_unit_diagonal_and_distinguishes_related_from_unrelated():
    alignment = linear_cka(related_layers(samples=500))
    np.testing.assert_array_equal(alignment, alignment.T)
    np.testing.assert_array_equal(alignment.diagonal(), 1)
    assert alignment[0, 1] > 0.5
    assert abs(alignment[0, 2]) < 0.05


def test_alignment_is_unknown_for_constant_or_infinite_layers_and_few_samples():
    layers = related_layers()
    layers[1] = np.ones_like(layers[1])
    layers[2][0, 0] = np.inf
    unknown = np.isnan(linear_cka(layers))
    np.testing.assert_array_equal(unknown, [[False, True, True], [True] * 3, [True] * 3])
    assert np.isnan(linear_cka([layer[:3] for layer in layers])).all()
    assert linear_cka([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("samples", "batch", "sizes"),
    [
        (67, 32, [32, 32]),
        (68, 32, [32, 32, 4]),
        (300, None, [256, 44]),
        (4, 32, [4]),
        (9, 5, [5, 4]),
        (256, None, [256]),
    ],
)
def test_batches_of_any_size_count_alike(samples, batch, sizes):
    layers = related_layers(samples=samples)
    ends = np.cumsum([0, *sizes])
    batches = [slice(*pair) for pair in pairwise(ends)]
    layers = [layer - layer.mean(axis=0) for layer in layers]

    def hsic(a, b):
        return np.mean([unbiased_hsic(a[batch], b[batch]) for batch in batches])

    expected = [[hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b)) for b in layers] for a in layers]
    found = linear_cka(layers) if batch is None else linear_cka(layers, batch=batch)
    np.testing.assert_allclose(found, np.clip(expected, -1, 1), atol=1e-4)


def test_alignment_of_equal_layers_is_at_most_one():
    rng = np.random.default_rng(0)
    layers = [scale * rng.normal(size=(40, 3)) for scale in np.geomspace(0.1, 9, 30)]
    found = linear_cka([*layers, *(layer[:, ::-1] for layer in layers)], batch=8)
    assert found.max() == 1
    np.testing.assert_allclose(found[np.arange(30), np.arange(30, 60)], 1, atol=1e-6)
