"""Intervals contain every value that is computed, and are no wider than a search says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tb_cnndiag.numerics.intervals import Interval, activated, added, affine, multiplied, scaled


def test_affine_bounds_are_those_of_the_corners(rng):
    low, high = np.sort(rng.normal(size=(2, 4)), axis=0)
    weights, bias = rng.normal(size=(3, 4)), rng.normal(size=3)
    corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
    values = corners @ weights.T + bias
    found = affine(Interval(low, high), weights, bias)
    np.testing.assert_allclose(found.low, values.min(axis=0), atol=1e-3)
    np.testing.assert_allclose(found.high, values.max(axis=0), atol=1e-3)
    assert (found.low <= values.min(axis=0)).all()
    assert (found.high >= values.max(axis=0)).all()


def test_infinite_ends_and_zero_weights():
    inputs = Interval(np.array([0.0, -np.inf]), np.array([np.inf, np.inf]))
    found = affine(
        inputs, np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]), np.array([-1.0, -1.0, 2.0, 0.0])
    )
    np.testing.assert_array_equal(found.low, [-np.inf, -1, 2, -np.inf])
    np.testing.assert_array_equal(found.high, [-1, np.inf, 2, np.inf])


def test_a_sum_that_cancels_is_rounded_outward():
    found = affine(Interval(np.ones(2), np.ones(2)), np.array([[1.0, -1.0]]), np.zeros(1))
    assert found.low[0] < 0 < found.high[0]
    exact = affine(Interval(np.zeros(2), np.ones(2)), np.array([[-1.0, -2.0]]), np.zeros(1))
    assert exact.high[0] == 0


@pytest.mark.parametrize("activation", ["relu", "relu6", "sigmoid", "tanh", "softplus", "leaky_relu", "elu", "gelu"])
def test_activations_stay_within_their_bounds(rng, activation):
    import keras

    low, high = np.sort(rng.normal(scale=3, size=(2, 50)), axis=0)
    found = activated(Interval(low, high), activation)
    for share in np.linspace(0, 1, 9):
        x = (low + share * (high - low)).astype(np.float32)
        y = np.asarray(getattr(keras.activations, activation)(x))
        assert (y >= found.low - 1e-5).all()
        assert (y <= found.high + 1e-5).all()


def test_sums_products_and_scales(rng):
    a, b = (Interval(*np.sort(rng.normal(size=(2, 30)), axis=0)) for _ in range(2))
    x, y = (i.low + rng.random(30) * (i.high - i.low) for i in (a, b))
    for found, value in (
        (added(a, b), x + y),
        (multiplied(a, b), x * y),
        (scaled(a, np.full(30, -2.0), np.ones(30)), 1 - 2 * x),
    ):
        assert (found.low <= value + 1e-12).all()
        assert (found.high >= value - 1e-12).all()
    unbounded = scaled(Interval.unbounded(2), np.array([0.0, 1.0]), np.array([-1.0, 0.0]))
    np.testing.assert_array_equal(unbounded.high, [-1, np.inf])


def test_products_are_those_of_the_corners(rng):
    a, b = (Interval(*np.sort(rng.normal(size=(2, 30)), axis=0)) for _ in range(2))
    corners = np.array([x * y for x in (a.low, a.high) for y in (b.low, b.high)])
    found = multiplied(a, b)
    np.testing.assert_array_equal((found.low, found.high), (corners.min(axis=0), corners.max(axis=0)))
    factor, shift = rng.normal(size=30), rng.normal(size=30)
    ends = np.array([factor * a.low + shift, factor * a.high + shift])
    found = scaled(a, factor, shift)
    np.testing.assert_allclose((found.low, found.high), (ends.min(axis=0), ends.max(axis=0)))
    found = added(a, b, a)
    np.testing.assert_allclose((found.low, found.high), (2 * a.low + b.low, 2 * a.high + b.high))
    infinite = multiplied(Interval(np.array([0.0]), np.array([0.0])), Interval.unbounded(1))
    assert (infinite.low[0], infinite.high[0]) == (0, 0)


def test_hulls_and_borders():
    found = Interval(np.array([1.0, -3.0]), np.array([2.0, -1.0]))
    zero, hull = found.with_zero(), found.hull(3)
    assert (zero.low.tolist(), zero.high.tolist()) == ([0, -3], [2, 0])
    assert (hull.low.tolist(), hull.high.tolist(), len(hull)) == ([-3] * 3, [2] * 3, 3)
    nothing = Interval.unbounded(2)
    assert (nothing.low.tolist(), nothing.high.tolist()) == ([-np.inf] * 2, [np.inf] * 2)


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [
        ("linear", -2, 3),
        ("relu", 0, 3),
        ("relu6", 0, 3),
        ("leaky_relu", -2, 3),
        ("sigmoid", 1 / (1 + np.exp(2)), 1 / (1 + np.exp(-3))),
        ("tanh", np.tanh(-2), np.tanh(3)),
        ("softplus", np.log1p(np.exp(-2)), np.log1p(np.exp(3))),
        ("softmax", 0, 1),
        ("elu", -1, np.inf),
        ("gelu", -np.inf, np.inf),
        ("mine", -np.inf, np.inf),
    ],
)
def test_ends_behind_activations(activation, low, high):
    found = activated(Interval.between(-2, 3, 2), activation)
    np.testing.assert_allclose((found.low, found.high), ([low] * 2, [high] * 2))


def test_the_margin_for_rounding_is_relative_to_what_cancels():
    """1e-5 of what is added beyond the sum; nothing where all terms have one sign."""
    weights, bias = np.array([[2.0, -1.0], [2.0, 1.0]]), np.array([-0.5, 0.5])
    found = affine(Interval(np.ones(2), np.ones(2)), weights, bias)
    np.testing.assert_allclose(found.high, [0.5 + 1e-5 * (3.5 - 0.5), 3.5], rtol=1e-12)
    np.testing.assert_allclose(found.low, [0.5 - 1e-5 * (3.5 - 0.5), 3.5], rtol=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("activation", "ends", "expected"),
    [
        ("relu6", (5, 9), (5, 6)),
        ("relu6", (-9, 7), (0, 6)),
        ("relu", (-9, -1), (0, 0)),
        ("leaky_relu", (1, 3), (0, 3)),
        ("leaky_relu", (-3, -1), (-3, 0)),
        ("linear", (-np.inf, np.inf), (-np.inf, np.inf)),
        ("sigmoid", (-1e4, 1e4), (0, 1)),
        ("sigmoid", (-np.inf, 0), (0, 0.5)),
        ("tanh", (-np.inf, np.inf), (-1, 1)),
        ("softplus", (-np.inf, np.inf), (0, np.inf)),
        ("hard_sigmoid", (5, 6), (0, 1)),
        ("softsign", (5, 6), (-1, 1)),
        ("exponential", (5, 6), (0, np.inf)),
        ("selu", (5, 6), (-1.76, np.inf)),
    ],
)
def test_ends_of_other_inputs(activation, ends, expected):
    found = activated(Interval.between(*ends, 3), activation)
    np.testing.assert_allclose((found.low, found.high), ([expected[0]] * 3, [expected[1]] * 3))


@pytest.mark.filterwarnings("error")
def test_sums_and_products_of_infinite_ends():
    """By the signs: a product of two ends is infinite unless one of them is 0."""
    ends = [-np.inf, -2.0, 0.0, 3.0, np.inf]
    pairs = [(a, b) for a in ends for b in ends if a <= b]
    cases = list(itertools.product(pairs, pairs))
    first = Interval(*(np.array([case[0][end] for case in cases]) for end in (0, 1)))
    second = Interval(*(np.array([case[1][end] for case in cases]) for end in (0, 1)))
    found = multiplied(first, second)
    for low, high, (a, b) in zip(found.low, found.high, cases, strict=True):
        corners = [0.0 if 0 in (x, y) else x * y for x in a for y in b]
        assert (low, high) == (min(corners), max(corners))
    total = added(first, second)
    for low, high, (a, b) in zip(total.low, total.high, cases, strict=True):
        for found_end, x, y in ((low, a[0], b[0]), (high, a[1], b[1])):
            unknown = np.isinf([x, y]).all() and x != y
            assert np.isnan(found_end) if unknown else found_end == x + y


@pytest.mark.parametrize("seed", range(3))
def test_affine_bounds_with_infinite_ends_are_those_of_each_term(seed):
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.normal(size=(2, 6)), axis=0)
    low[[0, 2]], high[[1, 2]] = -np.inf, np.inf
    weights = rng.integers(-1, 2, size=(40, 6)).astype(float)
    found = affine(Interval(low, high), weights)
    for unit, row in enumerate(weights):
        terms = [sorted((w * a, w * b)) if w else (0.0, 0.0) for w, a, b in zip(row, low, high, strict=True)]
        for end, ours in ((0, found.low[unit]), (1, found.high[unit])):
            expected = sum(term[end] for term in terms)
            assert ours == expected if np.isinf(expected) else ours == pytest.approx(expected, abs=1e-3)
