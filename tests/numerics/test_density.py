"""Atoms and densities, checked against true densities, a slow implementation, and arbitrary floats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from KDEpy.bw_selection import improved_sheather_jones
from scipy.optimize import brentq
from scipy.stats import norm

from tb_cnndiag.numerics.density import densities, density, estimate, histogram

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def gauss():
    return np.random.default_rng(0).normal(size=200_000).astype(np.float32)


def grid(found):
    return np.linspace(found.start, found.stop, len(found.values))


def continuous_mass(found):
    return np.trapezoid(found.values, grid(found)) if hasattr(np, "trapezoid") else np.trapz(found.values, grid(found))


def total_mass(found):
    outside = found.below + found.above + found.non_finite
    return continuous_mass(found) + sum(atom.mass for atom in found.atoms) + outside


def squared_error(found, truth):
    points = grid(found)
    return np.sum((found.values - truth(points)) ** 2) * (points[1] - points[0])


def bandwidth_by_root_search(counts):
    """Botev, Grotowski & Kroese (2010) as in their MATLAB code: a grid of length 1, and a bracketing root search."""
    total, bins = counts.sum(), len(counts)
    k = np.arange(1, bins)
    centers = (np.arange(bins) + 0.5) / bins
    coefficients = np.array([counts / total @ np.cos(np.pi * order * centers) for order in k])

    def norm_of_derivative(s, t):
        return 2 * np.pi ** (2 * s) * np.sum(k ** (2.0 * s) * coefficients**2 * np.exp(-((k * np.pi) ** 2) * t))

    def gap(t):
        f = norm_of_derivative(7, t)
        for s in range(6, 1, -1):
            constant = (1 + 0.5 ** (s + 0.5)) / 3 * np.prod(np.arange(1, 2 * s, 2)) / np.sqrt(np.pi / 2)
            f = norm_of_derivative(s, (constant / total / f) ** (2 / (3 + 2 * s)))
        return t - (2 * total * np.sqrt(np.pi) * f) ** (-2 / 5)

    return np.sqrt(brentq(gap, 1e-7, 0.1))


def test_bandwidth_solves_the_published_equation():
    rng = np.random.default_rng(3)
    sample = np.concatenate([rng.normal(-2, 0.5, 20_000), rng.normal(1, 1, 20_000)])
    reduced = histogram(sample, bins=512)
    found = estimate([reduced], points=513)[0]
    expected = bandwidth_by_root_search(reduced.counts) * (reduced.stop - reduced.start)
    assert found.bandwidth == pytest.approx(expected, rel=1e-3)


def test_bandwidth_of_a_normal_sample_is_near_the_optimal_one(gauss):
    optimal = (4 / 3 / len(gauss)) ** 0.2
    assert density(gauss).bandwidth == pytest.approx(optimal, rel=0.1)
    assert density(gauss).bandwidth > improved_sheather_jones(gauss[:, None].astype(float))


def test_error_on_a_mixture_is_small():
    rng = np.random.default_rng(1)
    sample = np.where(rng.random(100_000) < 0.5, rng.normal(-1, 2 / 3, 100_000), rng.normal(1, 2 / 3, 100_000))
    found = density(sample)
    assert squared_error(found, lambda x: norm.pdf(x, -1, 2 / 3) / 2 + norm.pdf(x, 1, 2 / 3) / 2) < 6e-5
    assert found.atoms == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_rectified_sample_is_an_atom_and_a_density_that_does_not_drop_at_zero(gauss, dtype):
    found = density(np.maximum(gauss.astype(dtype), 0))
    assert [atom.value for atom in found.atoms] == [0]
    assert found.atoms[0].mass == pytest.approx(0.5, abs=0.01)
    assert found.start == 0
    assert found.values[0] == pytest.approx(norm.pdf(0), rel=0.05)
    assert squared_error(found, norm.pdf) < 2e-4
    assert total_mass(found) == pytest.approx(1, abs=1e-4)


def test_both_ends_of_a_clipped_activation_are_atoms(gauss):
    found = density(np.clip(3 * gauss, 0, 6))
    assert [atom.value for atom in found.atoms] == [0, 6]
    assert (found.start, found.stop) == (0, 6)
    assert found.values[-1] == pytest.approx(norm.pdf(2) / 3, rel=0.2)
    assert total_mass(found) == pytest.approx(1, abs=1e-4)


def test_an_atom_inside_the_range_is_found_but_is_not_a_boundary(gauss):
    found = density(np.where(gauss < -1, 0, gauss))
    assert [atom.value for atom in found.atoms] == [0]
    assert found.atoms[0].mass == pytest.approx(norm.cdf(-1), abs=0.01)
    assert found.start < -1


def test_a_known_bound_is_reflected_only_if_values_come_near(gauss):
    near = density(1 / (1 + np.exp(-2 * gauss)), bounds=(0, 1))
    far = density(100 + gauss, bounds=(0, None))
    assert (near.start, near.stop) == (0, 1)
    assert 90 < far.start < 97


@pytest.mark.parametrize("step", [0.3, 0.05, 0.01])
def test_rounding_to_steps_does_not_change_the_bandwidth(gauss, step):
    rounded = density(np.round(gauss / step).astype(np.float32) * np.float32(step))
    smooth = density(gauss)
    assert rounded.bandwidth == pytest.approx(max(smooth.bandwidth, step), rel=0.1)
    assert rounded.atoms == ()
    assert squared_error(rounded, norm.pdf) < (1e-4 if step < 0.1 else 2e-3)


def test_half_precision_and_bfloat16_do_not_change_the_bandwidth(gauss):
    smooth = density(gauss).bandwidth
    bfloat16 = (gauss.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    assert density(gauss.astype(np.float16)).bandwidth == pytest.approx(smooth, rel=0.05)
    assert density(bfloat16).bandwidth == pytest.approx(smooth, rel=0.05)


def test_a_far_outlier_is_reported_and_does_not_reduce_the_resolution(gauss):
    found = density(np.append(gauss, [1000, -2000]))
    assert found.below == found.above == pytest.approx(1 / len(gauss), rel=1e-3)
    assert found.stop < 20
    assert found.bandwidth == pytest.approx(density(gauss).bandwidth, rel=0.01)


def test_non_finite_values_are_counted(gauss):
    found = density(np.append(gauss[:998], [np.nan, -np.inf]))
    assert found.non_finite == 2 / 1000
    assert total_mass(found) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "atoms"),
    [
        ([], {}),
        ([np.nan, np.inf], {}),
        ([3.0], {3: 1}),
        ([2.0] * 50, {2: 1}),
        ([0.0] * 30 + [1.0] * 10, {0: 0.75, 1: 0.25}),
        ([0.0] * 99 + [5.0], {0: 0.99, 5: 0.01}),
        ([-0.0] * 9, {0: 1}),
    ],
)
def test_samples_without_a_density_have_only_atoms(values, atoms):
    found = density(np.array(values))
    assert {atom.value: atom.mass for atom in found.atoms} == atoms
    assert not found.values.any()
    assert found.start < found.stop
    assert found.samples == len(values)


any_sample = st.sampled_from([np.float16, np.float32, np.float64]).flatmap(
    lambda dtype: arrays(
        dtype, st.integers(0, 60), elements=st.floats(width=8 * dtype().itemsize), fill=st.just(dtype(0))
    )
)


@given(any_sample, st.sampled_from([(None, None), (0, None), (0, 1)]))
@example(np.array([1e308, -1e308, 1.0]), (None, None))
@example(np.array([3e38, -3e38, 0, 1], np.float32), (0, 1))
@example(np.array([1e-320, 2e-320]), (0, None))
@example(np.array([1, 1 + 1e-15, 1 + 2e-15]), (None, None))
@example(1 + np.arange(40, dtype=np.float32) * np.float32(1.2e-7), (None, None))
def test_any_sample_has_mass_one_and_never_raises_or_warns(values, bounds):
    found = density(values, bounds=bounds)
    assert (found.values >= 0).all()
    assert found.start < found.stop
    if len(values):
        assert total_mass(found) == pytest.approx(1, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.integers(-20, 20))
def test_scaling_the_values_scales_the_density(seed, power):
    values = np.random.default_rng(seed).standard_t(3, size=300)
    found, scaled = density(values), density(values * 2.0**power)
    assert scaled.bandwidth == pytest.approx(found.bandwidth * 2.0**power)
    np.testing.assert_allclose(scaled.values * 2.0**power, found.values, atol=1e-12)


def test_many_samples_at_once_give_the_same_as_one_by_one(gauss):
    samples = [gauss[:5000], np.maximum(gauss[:9000], 0), gauss[:7] * 3, np.zeros(9), np.exp(gauss[:20_000])]
    for together, alone in zip(densities(samples), map(density, samples), strict=True):
        assert together.bandwidth == pytest.approx(alone.bandwidth, rel=1e-6)
        np.testing.assert_allclose(together.values, alone.values, atol=1e-9)
    assert densities([]) == []


def test_the_values_are_not_changed(gauss):
    values = np.append(gauss[:1000], np.nan)
    before = values.copy()
    density(values)
    np.testing.assert_array_equal(values, before)
