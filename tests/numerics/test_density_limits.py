"""Where densities and their histograms change from one case to the next: values on both sides of each limit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from tb_cnndiag.numerics.density import Histogram, density, estimate, histogram
from tb_cnndiag.payloads import Atom

pytestmark = pytest.mark.filterwarnings("error")


def _atoms(values: np.ndarray) -> dict[float, float]:
    return {atom.value: atom.mass * len(values) for atom in histogram(values).atoms}


def _distinct(count: int, low: float = 0.5, high: float = 1.5) -> np.ndarray:
    """Values that do not repeat, and are not evenly spaced."""
    return np.geomspace(low, high, count)


@pytest.mark.parametrize(
    ("count", "value", "times", "atom"),
    [
        (500, 1.01, 2, False),
        (500, 1.01, 3, True),
        (500, 0.4, 2, False),  # the lowest
        (500, 0.4, 3, True),
        (500, 1.6, 2, False),  # the highest
        (500, 1.6, 3, True),
        (3_000, 1.01, 3, False),  # 0.001 of 3,003 is more than 3
        (2_900, 1.01, 3, True),
        (20_000, 1.6, 20, False),  # 0.001 of 20,020, and too rare for the sample: an extreme
        (20_000, 1.6, 21, True),
        (20_000, 0.4, 20, False),
        (20_000, 0.4, 21, True),
        (20_000, 0.0, 21, True),
    ],
)
def test_a_value_is_an_atom_if_it_is_frequent(count: int, value: float, times: int, atom: bool) -> None:
    values = np.concatenate([_distinct(count), np.full(times, value)])
    assert _atoms(values) == ({value: pytest.approx(times)} if atom else {})


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("times", "atom"), [(10, False), (11, True), (12, True)])
def test_among_rounded_values_an_atom_is_eight_times_as_frequent_as_its_neighbors(
    side: int, times: int, atom: bool
) -> None:
    """More than 8 · 1 + 2 times, where a neighbor on either side occurs twice."""
    values = np.concatenate([np.arange(100.0), np.full(times - 1, 50.0), [50.0 + side]])
    assert _atoms(values) == ({50.0: pytest.approx(times)} if atom else {})


@pytest.mark.parametrize("extreme", [0.0, 99.0])
@pytest.mark.parametrize(("times", "atom"), [(2, False), (3, True), (9, True)])
def test_among_rounded_values_an_extreme_has_one_neighbor(extreme: float, times: int, atom: bool) -> None:
    """More than 2 times, where the neighbor occurs once and other values twice."""
    values = np.concatenate([np.arange(100.0), np.arange(30.0, 60.0), np.full(times - 1, extreme)])
    assert _atoms(values) == ({extreme: pytest.approx(times)} if atom else {})


@pytest.mark.parametrize(("distinct", "times", "atoms"), [(16, 4, 16), (16, 3, 0), (15, 5, 15), (17, 4, 0), (17, 5, 0)])
def test_at_most_sixteen_values_that_each_occur_four_times_are_atoms(distinct: int, times: int, atoms: int) -> None:
    assert len(_atoms(np.repeat(_distinct(distinct), times))) == atoms


def test_few_values_of_which_one_is_rare_are_compared_with_each_other() -> None:
    values = np.repeat(_distinct(16), 4)
    assert len(_atoms(values[1:])) == 0
    assert len(_atoms(np.append(values, values[0]))) == 16


@pytest.mark.parametrize(("times", "rounded"), [(2, False), (5, False), (6, True), (20, True)])
def test_values_are_rounded_if_a_twentieth_of_them_repeats(times: int, rounded: bool) -> None:
    values = np.concatenate([np.arange(100.0), np.arange(10.0, 10.0 + times)])
    found = histogram(values)
    assert (found.spacing > 0) == rounded
    assert found.atoms == ()
    assert found.counts.sum() == pytest.approx(len(values))


@pytest.mark.parametrize(
    ("low", "width", "single"),
    [(1.0, 0.9e-12, True), (1.0, 1.1e-12, False), (-2.0, 1.9e-12, True), (-2.0, 2.1e-12, False), (0.0, 0.9e-30, True),
     (0.0, 1.1e-30, False)],
)  # fmt: skip
def test_values_that_are_nearly_equal_are_one_atom(low: float, width: float, single: bool) -> None:
    values = low + width * (np.arange(40) / 39)
    found = histogram(values)
    assert found.atoms == ((Atom(low, 1.0),) if single else ())
    assert found.counts.sum() == (0 if single else 40)
    assert found.start < found.stop


def test_the_same_is_true_beside_an_atom() -> None:
    """All values but one are 3: the rest is an atom of its own, and no value is counted twice."""
    values = np.concatenate([np.full(90, 3.0), 5 + 1e-13 * np.arange(10)])
    assert _atoms(values) == {3.0: pytest.approx(90), 5.0: pytest.approx(10)}


@pytest.mark.parametrize(
    ("values", "start", "stop"),
    [([3.0], 1.5, 4.5), ([-4.0], -6.0, -2.0), ([0.0], -0.5, 0.5), ([0.0, 5.0], -2.5, 7.5), ([2.0, 4.0], 1.0, 5.0)],
)
def test_the_range_of_atoms_alone(values: list[float], start: float, stop: float) -> None:
    found = histogram(np.repeat(values, 40), bins=32, bounds=(0.0, 1.0))
    assert (found.start, found.stop, found.reflects, found.spacing) == (start, stop, (False, False), 0.0)
    assert found.counts.tolist() == [0.0] * 32
    assert (found.below, found.above, found.samples) == (0.0, 0.0, 40 * len(values))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("outlier", "end", "outside"), [(2.9, 3.29, 0), (3.35, 3.4, 0), (3.45, 3.4, 1), (50, 3.4, 1)])
def test_one_far_outlier(sign: int, outlier: float, end: float, outside: int) -> None:
    """Of 1,001 values the outer thousandth is one: the range ends at three times the next one, and a tenth behind it.

    The extremes of the others are −1 and 1, their median 0, so it ends at min(outlier, 3) + a tenth of the width.
    """
    values = np.concatenate([np.linspace(-1, 1, 1_000), [sign * outlier]])
    ends = sorted([-sign * (1 + 0.1 * (1 + min(outlier, 3))), sign * end])
    found = histogram(values, bins=64)
    assert (found.start, found.stop) == pytest.approx(ends, abs=0.01)
    assert (found.below, found.above) == ((outside / 1_001, 0) if sign < 0 else (0, outside / 1_001))
    inside = values[(values >= found.start) & (values <= found.stop)]
    np.testing.assert_array_equal(found.counts, np.histogram(inside, 64, (found.start, found.stop))[0])
    assert found.counts.sum() == 1_001 - outside
    kept = density(values)
    assert (kept.below, kept.above, kept.samples) == (found.below, found.above, 1_001)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_at_a_known_end_is_inside(sign: int) -> None:
    """There is an outlier on the other side, and one value lies exactly at the end."""
    values = np.concatenate([np.linspace(-1, 1, 1_000), [50.0]])
    found = histogram(sign * values, bounds=(-1.0, None) if sign > 0 else (None, 1.0), bins=64)
    assert found.reflects == (sign > 0, sign < 0)
    assert found.counts.sum() == 1_000
    assert (found.below, found.above) == ((0, 1 / 1_001) if sign > 0 else (1 / 1_001, 0))


@pytest.mark.parametrize("width", [1.0, 4.0, 0.25])
@pytest.mark.parametrize(("share", "near"), [(0.05, True), (0.1, True), (0.11, False)])
def test_an_end_counts_within_a_tenth_of_the_width(share: float, near: bool, width: float) -> None:
    """An end this far below or, mirrored, above the values, in widths of their range."""
    gap, margin = share * width, 0.1 * width
    values = width * np.linspace(0, 1, 400) ** 1.5
    atom = np.concatenate([values, np.full(50, -gap)])  # an end too, in place of the known one
    for sample, bound in ((values, -gap), (atom, -3 * width)):
        low, high = histogram(sample, bounds=(bound, None)), histogram(-sample, bounds=(None, -bound))
        assert (low.reflects, low.start) == ((near, False), pytest.approx(-gap if near else -margin))
        assert (high.reflects, high.stop) == ((False, near), pytest.approx(gap if near else margin))


def _spread(values: np.ndarray, start: float, stop: float, bins: int) -> np.ndarray:
    """Each value over the interval that rounds to it, bin by bin."""
    distinct, counts = np.unique(values, return_counts=True)
    found = np.zeros(bins)
    edges = np.linspace(start, stop, bins + 1)
    for i, (value, count) in enumerate(zip(distinct, counts, strict=True)):
        before = distinct[i - 1] if i else 2 * value - distinct[1]
        after = distinct[i + 1] if i + 1 < len(distinct) else 2 * value - distinct[-2]
        low, high = max((before + value) / 2, start), min((value + after) / 2, stop)
        for j in range(bins):
            overlap = min(high, edges[j + 1]) - max(low, edges[j])
            found[j] += count * max(overlap, 0) / (high - low)
    return found


@pytest.mark.parametrize("bounds", [(None, None), (0.0, None), (0.0, 7.0)])
@pytest.mark.parametrize("count", [5, 30])
def test_rounded_values_of_uneven_steps(bounds: tuple[float | None, float | None], count: int) -> None:
    """As of floats of few bits: steps are larger where values are."""
    distinct = np.geomspace(0.125, 7, count)
    distinct[-1] = 7
    values = np.repeat(distinct, np.random.default_rng(count).integers(2, 4, count))
    found = histogram(values, bounds=bounds, bins=48)
    np.testing.assert_allclose(found.counts, _spread(values, found.start, found.stop, 48), atol=1e-9)
    middles = (distinct[1:] + distinct[:-1]) / 2
    first = max(2 * distinct[0] - middles[0], found.start)
    last = min(2 * distinct[-1] - middles[-1], found.stop)
    widths = np.diff(np.concatenate([[first], middles, [last]]))
    weights = np.unique(values, return_counts=True)[1]
    assert found.spacing == pytest.approx(np.average(widths, weights=weights))


def test_two_rounded_values() -> None:
    found = histogram(np.array([1.0, 1.0, 2.0, 2.0]), bins=24)
    assert (found.start, found.stop, found.atoms, found.spacing) == (0.9, 2.1, (), pytest.approx(0.6))
    np.testing.assert_allclose(found.counts, _spread(np.array([1.0, 1.0, 2.0, 2.0]), 0.9, 2.1, 24), atol=1e-9)


@pytest.mark.parametrize("size", [1 << 16, (1 << 16) + 1, 200_000])
def test_large_samples_are_counted_once(size: int) -> None:
    values = np.random.default_rng(0).uniform(1, 2, size)
    found = histogram(values, bins=16, bounds=(1.0, 2.0))
    np.testing.assert_array_equal(found.counts, np.histogram(values, 16, (1, 2))[0])
    assert found.reflects == (True, True)


def test_the_type_of_values_does_not_matter_and_neither_do_huge_ones() -> None:
    values = np.random.default_rng(1).normal(size=3_000).astype(np.float16)
    np.testing.assert_array_equal(histogram(values).counts, histogram(values.astype(np.float64)).counts)
    largest = float(np.finfo(np.float32).max)
    few = np.array([0.5, 1.0, largest, 1.1 * largest, -1.1 * largest, -np.inf])
    found = histogram(few)
    assert (found.non_finite, found.counts.sum(), found.samples) == (0.5, 3, 6)
    close = (1000 + np.linspace(0, 0.5, 300)).astype(np.float32)
    np.testing.assert_array_equal(histogram(close).counts, histogram(close.astype(np.float64)).counts)


def _mirrored_sum(reduced: Histogram, bandwidth: float, points: int) -> np.ndarray:
    """Sum of a normal density around the middle of each bin, mirrored at both ends of the grid."""
    width = reduced.stop - reduced.start
    middles = (np.arange(len(reduced.counts)) + 0.5) / len(reduced.counts) * width
    x = np.linspace(0, width, points)[:, None]
    total = np.zeros(points)
    for turn in range(-3, 4):
        for sign in (1, -1):
            total += norm.pdf(x, sign * middles + 2 * turn * width, bandwidth) @ reduced.counts
    return total / reduced.samples


def _bimodal(bins: int = 256) -> Histogram:
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(-2, 0.5, 900), rng.normal(1, 1, 1_100), np.zeros(200), [np.nan] * 100])
    return histogram(values, bins=bins)


@pytest.mark.parametrize(("bins", "points"), [(256, 257), (256, 100), (256, 65), (300, 7)])
def test_a_density_is_a_sum_of_mirrored_normal_densities(bins: int, points: int) -> None:
    reduced = _bimodal(bins)
    found = estimate([reduced], points=points)[0]
    np.testing.assert_allclose(found.values, _mirrored_sum(reduced, found.bandwidth, points), rtol=1e-3, atol=1e-6)
    assert (found.start, found.stop, found.atoms) == (reduced.start, reduced.stop, reduced.atoms)
    assert (found.samples, found.non_finite) == (2_300, pytest.approx(100 / 2_300))


def test_the_bandwidth_is_at_least_the_steps_of_values_and_of_points() -> None:
    reduced = _bimodal()
    width = reduced.stop - reduced.start
    free = estimate([reduced], points=2_000)[0].bandwidth
    coarse = dataclasses.replace(reduced, spacing=0.3 * width)
    assert estimate([coarse])[0].bandwidth == pytest.approx(0.3 * width)
    assert estimate([dataclasses.replace(reduced, spacing=0.1 * free)], points=2_000)[0].bandwidth == free
    for points in (4, 6):
        assert estimate([reduced], points=points)[0].bandwidth == pytest.approx(0.75 * width / (points - 1))


@pytest.mark.parametrize(
    ("counts", "reflects"),
    [
        ([1, 0, 0, 0, 0, 0, 0, 1], (False, False)),
        ([1, 0, 0, 0, 0, 0, 0, 1], (True, False)),
        ([1, 0, 0, 0, 0, 0, 0, 1], (False, True)),
        ([1, 0, 0, 0, 0, 0, 0, 1], (True, True)),
        ([2, 1, 1, 0, 0, 0, 0, 0], (False, False)),
        ([2, 1, 1, 0, 0, 0, 0, 0], (True, False)),
        ([0, 0, 0, 0, 0, 1, 1, 2], (False, True)),
        ([0, 1, 2, 1, 0, 0, 0, 0], (True, False)),
        ([0, 1, 2, 1, 0, 0, 0, 0], (False, False)),
    ],
)
def test_the_bandwidth_of_few_values_is_that_of_the_smoothest_density(
    counts: list[int], reflects: tuple[bool, bool]
) -> None:
    """Terrell 1990: 1.144 deviations · n^−1/5, of the sample that is mirrored at an end; beyond that, the range."""
    spread = np.zeros(512)
    spread[32::64] = counts
    sample = np.repeat(np.arange(8) + 0.5, counts) / 2 + 1 / 256
    reduced = Histogram(spread, 2.0, 6.0, reflects, 0.0, (), 4 * len(sample))
    ends = {(True, False): 0.0, (False, True): 4.0}
    if reflects in ends:
        sample = np.concatenate([sample, 2 * ends[reflects] - sample])
    limit = 4.0 if all(reflects) else 1.144 * sample.std() * sum(counts) ** -0.2
    found = estimate([reduced], points=400)[0]
    assert found.bandwidth == pytest.approx(limit)
    np.testing.assert_allclose(found.values, _mirrored_sum(reduced, limit, 400), rtol=1e-3, atol=1e-6)


def test_a_single_value_in_a_bin() -> None:
    counts = np.zeros(512)
    counts[100] = 1
    reduced = Histogram(counts, 0.0, 2.0, (False, False), 0.1, (), 1)
    found = estimate([reduced], points=200)[0]
    assert found.bandwidth == pytest.approx(0.1)
    np.testing.assert_allclose(found.values, _mirrored_sum(reduced, 0.1, 200), rtol=1e-3, atol=1e-6)


def test_samples_without_values_beside_others() -> None:
    found = estimate([histogram(np.array([])), _bimodal(4096), histogram(np.zeros(9))])
    assert [each.bandwidth > 0 for each in found] == [False, True, False]
    assert [each.values.any() for each in found] == [False, True, False]
    assert found[0].samples == 0
    assert found[1].bandwidth == pytest.approx(estimate([_bimodal(4096)])[0].bandwidth, rel=1e-4)


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, -np.inf, np.nan]])
def test_nothing_that_is_finite(values: list[float]) -> None:
    found = histogram(np.array(values), bins=8, bounds=(0.0, 1.0))
    assert (found.start, found.stop, found.reflects, found.spacing) == (0.0, 1.0, (False, False), 0.0)
    assert (found.counts.tolist(), found.atoms) == ([0.0] * 8, ())
    assert (found.samples, found.below, found.above, found.non_finite) == (len(values), 0.0, 0.0, float(bool(values)))
    nothing = density(np.array(values), bins=64, points=16)
    assert nothing.values.tolist() == [0.0] * 16
    assert nothing.non_finite == found.non_finite
