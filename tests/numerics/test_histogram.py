"""What is counted before a density is estimated: atoms, outliers, and values in bins."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics.density import densities, density, estimate, histogram
from tb_cnndiag.payloads import Atom


@pytest.mark.parametrize("size", [100, 4_096, 4_097, 5_000, 7_000, 30_000])
def test_values_in_bins(size: int) -> None:
    """Values that are not rounded: the bins of NumPy, over the range and a tenth of it on both sides."""
    values = np.random.default_rng(size).uniform(-3, 5, size=size)
    found = histogram(values, bins=64)
    width = values.max() - values.min()
    assert (found.start, found.stop) == pytest.approx((values.min() - 0.1 * width, values.max() + 0.1 * width))
    expected, _ = np.histogram(values, 64, (found.start, found.stop))
    np.testing.assert_array_equal(found.counts, expected)
    assert (found.reflects, found.spacing, found.atoms, found.samples) == ((False, False), 0.0, (), size)
    assert (found.below, found.above, found.non_finite) == (0, 0, 0)


@pytest.mark.parametrize(("zeros", "atom"), [(10, False), (11, True)])
def test_zero_is_an_atom_above_a_thousandth(zeros: int, atom: bool) -> None:
    values = np.random.default_rng(0).normal(size=10_000)
    values[:zeros] = 0
    found = histogram(values)
    assert found.atoms == ((Atom(0.0, zeros / 10_000),) if atom else ())
    assert found.counts.sum() == 10_000 - zeros * atom


@pytest.mark.parametrize(("distinct", "atoms"), [(16, 16), (17, 0)])
def test_few_values_are_all_atoms(distinct: int, atoms: int) -> None:
    values = np.repeat(np.arange(distinct, dtype=float), 40)
    found = histogram(values)
    assert len(found.atoms) == atoms
    assert found.counts.sum() == pytest.approx(0 if atoms else len(values))
    if atoms:
        assert [atom.mass for atom in found.atoms] == [1 / 16] * 16
        margin = 0.5 * (distinct - 1)
        assert (found.start, found.stop) == (-margin, distinct - 1 + margin)
        assert density(values).bandwidth == 0


def test_a_few_repetitions_of_few_values_are_no_atoms() -> None:
    assert len(histogram(np.repeat(np.arange(4.0), 4)).atoms) == 4
    assert histogram(np.repeat(np.arange(4.0), 3)).atoms == ()  # fewer than four of each


@pytest.mark.parametrize(("value", "outside", "stop"), [(2.9, 0, 3.48), (3.5, 0, 3.6), (3.7, 1, 3.6)])
def test_far_outliers_are_three_times_as_far_as_the_outer_quantiles(value: float, outside: int, stop: float) -> None:
    """A thousandth of the values lies above 1 (below −1); the median is 0. The range ends a tenth behind it."""
    values = np.concatenate([np.linspace(-1, 1, 9_999), [value], [-value]])
    found = histogram(values)
    assert (found.above * len(values), found.below * len(values)) == pytest.approx((outside, outside))
    assert found.counts.sum() == len(values) - 2 * outside
    assert (found.start, found.stop) == pytest.approx((-stop, stop), abs=0.02)


@pytest.mark.parametrize(
    ("bounds", "low", "expected"),
    [
        ((0.0, None), 0.01, (True, False)),
        ((0.0, None), 0.3, (False, False)),  # values do not come near it
        ((None, None), 0.01, (False, False)),
        ((0.0, 1.0), 0.01, (True, True)),
    ],
)
def test_known_ends_that_values_come_near(
    bounds: tuple[float | None, float | None], low: float, expected: tuple[bool, bool]
) -> None:
    values = np.linspace(low, 0.99, 1_001) ** 1.01
    found = histogram(values, bounds=bounds)
    assert found.reflects == expected
    assert (found.start == 0) == expected[0]
    assert (found.stop == 1) == expected[1]


@pytest.mark.parametrize("step", [0.1, 1.0])
def test_rounded_values_are_spread_over_their_steps(step: float) -> None:
    """As if each had been rounded from anywhere in its step: 40 steps in 80 bins, each half of the step's count."""
    rng = np.random.default_rng(1)
    counts = rng.integers(20, 60, size=40)
    values = np.repeat(np.arange(40) * step, counts)
    found = histogram(values, bins=96)
    assert found.spacing == pytest.approx(step)
    edges = np.linspace(found.start, found.stop, 97)
    cumulative = np.interp(edges, (np.arange(41) - 0.5) * step, np.concatenate([[0], np.cumsum(counts)]))
    np.testing.assert_allclose(found.counts, np.diff(cumulative), atol=1e-6)
    # The bandwidth does not resolve the steps.
    assert estimate([found])[0].bandwidth >= step * (1 - 1e-9)


def test_nothing_and_what_is_not_finite() -> None:
    empty = histogram(np.array([]))
    assert (empty.samples, empty.counts.sum(), empty.start, empty.stop, empty.non_finite) == (0, 0, 0, 1, 0)
    bad = histogram(np.array([np.nan, np.inf, -np.inf, 1e39]))
    assert (bad.samples, bad.counts.sum(), bad.non_finite) == (4, 0, 1)
    some = histogram(np.array([np.nan, 1.0, 2.0, 4.0]))
    assert (some.samples, some.counts.sum(), some.non_finite) == (4, 3, 0.25)
    assert estimate([]) == []
    assert densities([]) == []


def test_a_density_integrates_to_the_share_of_its_values() -> None:
    values = np.concatenate([np.zeros(300), np.random.default_rng(2).normal(5, 1, 690), [np.nan] * 10])
    found = density(values)
    width = (found.stop - found.start) / (len(found.values) - 1)
    inside = float((found.values[1:] + found.values[:-1]).sum() / 2 * width)
    assert inside == pytest.approx(0.69 - found.below - found.above, rel=0.01)
    assert found.atoms == (Atom(0.0, 0.3),)
    assert found.non_finite == 0.01
    assert len(found.values) == 256
    assert found.bandwidth >= 0.75 * (found.stop - found.start) / 255
