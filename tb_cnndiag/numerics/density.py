"""The distribution of activations: atoms, such as the zero of a rectifier, and a density of the rest.

The density is the diffusion estimator with the improved Sheather–Jones bandwidth of Botev, Grotowski & Kroese (2010),
"Kernel density estimation via diffusion", Annals of Statistics 38(5). It works on bin counts, reflects at both ends of
the grid and assumes no shape. A Gaussian kernel on a rectified activation, taken whole, sees only the spike at zero;
hence the atoms are taken out first, and an end of the grid at which a value piles up is a boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from tb_cnndiag.payloads import Atom, Density, FloatArray

Bounds: TypeAlias = tuple[float | None, float | None]
Float64Array: TypeAlias = NDArray[np.float64]

BINS = 4096
STORED_POINTS = 256
ATOM_SHARE = 0.001
ATOM_RATIO = 8
FEW_VALUES = 16
OUTER_QUANTILE = 0.001
MARGIN = 0.1
SMALLEST_RANGE = 1e-30
_SAMPLE = 4096
_BLOCK = 1 << 16
_STAGES = 7
_ROUNDS = 64
# Beyond this exponent a damped coefficient is below rounding, even for the 14th power of its frequency.
_NEGLIGIBLE = 60


@dataclass(frozen=True)
class Histogram:
    """A sample reduced to what the estimator needs.

    Attributes:
        counts: ``(bins,)`` of the continuous part, between ``start`` and ``stop``.
        start: Left edge of the first bin.
        stop: Right edge of the last bin.
        reflects: Whether the distribution ends at ``start`` and at ``stop``.
        spacing: Typical distance between neighboring values when they are rounded; 0 when they are not.
        atoms: Values with a probability of their own.
        samples: Number of all values; ``below`` and ``above`` of them lie outside, ``non_finite`` are no numbers.
    """

    counts: Float64Array
    start: float
    stop: float
    reflects: tuple[bool, bool]
    spacing: float
    atoms: tuple[Atom, ...]
    samples: int
    below: float = 0.0
    above: float = 0.0
    non_finite: float = 0.0


def density(
    values: FloatArray, *, bounds: Bounds = (None, None), bins: int = BINS, points: int = STORED_POINTS
) -> Density:
    """Atoms and density of a sample.

    Args:
        values: Any shape, any float type, any content.
        bounds: Ends of the range the values can take, where known: ``(0, None)`` for ReLU, ``(0, 1)`` for sigmoid.
            An end at which values pile up is found without being told.
        bins: Bins of the grid on which it is estimated.
        points: Points of the grid on which it is returned.
    """
    return densities([values], bounds=[bounds], bins=bins, points=points)[0]


def densities(
    samples: Sequence[FloatArray],
    *,
    bounds: Sequence[Bounds] | None = None,
    bins: int = BINS,
    points: int = STORED_POINTS,
) -> list[Density]:
    """:func:`density` of many samples at once: one cosine transform and one root search for all."""
    limits = bounds or [(None, None)] * len(samples)
    return estimate([histogram(v, bounds=b, bins=bins) for v, b in zip(samples, limits, strict=True)], points=points)


def estimate(histograms: Sequence[Histogram], *, points: int = STORED_POINTS) -> list[Density]:
    """Densities from histograms of one number of bins.

    The density is smoothed on the bins and read at equally spaced points; the bandwidth is at least ¾ of their
    distance, so that nothing falls between them.
    """
    if not histograms:
        return []
    counts = np.stack([h.counts for h in histograms])
    total = counts.sum(axis=1)
    width = np.array([h.stop - h.start for h in histograms])
    coefficients = dct(counts / np.maximum(total, 1)[:, None], axis=1)
    floor = np.maximum(np.array([h.spacing for h in histograms]) / width, 0.75 / (points - 1))
    ceiling = np.array([_oversmoothed(h) for h in histograms])
    bandwidth = np.sqrt(_diffusion_times(coefficients, total, floor**2, ceiling**2))
    share = np.array([h.samples and n / h.samples for h, n in zip(histograms, total, strict=True)])
    curves = _read(coefficients, bandwidth, points) * (share / width)[:, None]
    return [
        Density(
            start=h.start,
            stop=h.stop,
            values=curve,
            atoms=h.atoms,
            bandwidth=float(b * w) if n else 0.0,
            samples=h.samples,
            below=h.below,
            above=h.above,
            non_finite=h.non_finite,
        )
        for h, curve, b, w, n in zip(histograms, curves, bandwidth, width, total, strict=True)
    ]


def _diffusion_times(
    coefficients: Float64Array, samples: Float64Array, floor: Float64Array, ceiling: Float64Array
) -> Float64Array:
    """Squared bandwidths on a grid of length 1, ``(rows,)``: the smallest fixed point of t = ξγ⁽⁷⁾(t) (their eq. 31).

    Iterated from 0 as in their Algorithm 1, but kept between ``floor``, below which the spacing of rounded values or
    of the bins would be taken for structure, and ``ceiling``.
    """
    bins = coefficients.shape[1]
    frequency = np.arange(1, bins, dtype=np.float64) ** 2
    power = np.square(coefficients[:, 1:] / 2)
    low = np.maximum(floor, 1 / bins**2)
    high = np.maximum(ceiling, low)
    time: Float64Array = low.copy()
    active = np.flatnonzero(samples > 0)
    for _ in range(_ROUNDS):
        if not len(active):
            break
        before = time[active]
        after = np.clip(_plug_in(before, samples[active], frequency, power[active]), low[active], high[active])
        time[active] = after
        active = active[np.abs(after - before) > 1e-4 * before]
    return time


def _plug_in(time: Float64Array, samples: Float64Array, frequency: Float64Array, power: Float64Array) -> Float64Array:
    """ξγ⁽⁷⁾(t): the bandwidth that follows from estimates of ‖f⁽ˢ⁾‖², s = 7 … 2, each smoothed by the one before."""
    roughness = _roughness(_STAGES, time, frequency, power)
    for s in range(_STAGES - 1, 1, -1):
        odd = np.prod(np.arange(1, 2 * s, 2)) / np.sqrt(2 * np.pi)
        constant = 2 * odd * (1 + 0.5 ** (s + 0.5)) / 3
        stage = (constant / (samples * roughness)) ** (2 / (3 + 2 * s))
        roughness = _roughness(s, stage, frequency, power)
    plugged: Float64Array = (2 * samples * np.sqrt(np.pi) * roughness) ** -0.4
    return plugged


def _roughness(s: int, time: Float64Array, frequency: Float64Array, power: Float64Array) -> Float64Array:
    """‖f⁽ˢ⁾‖² of the density smoothed for ``time``, ``(rows,)``, from its cosine coefficients; never 0."""
    felt = np.searchsorted(frequency, _NEGLIGIBLE / (np.pi**2 * time.min())) + 1
    frequency = frequency[:felt]
    damped = power[:, :felt] * np.exp(-(np.pi**2) * time[:, None] * frequency)
    return np.maximum(2 * np.pi ** (2 * s) * (damped @ frequency**s), 1e-300)


def _oversmoothed(histogram: Histogram) -> float:
    """Bandwidth no density of this variance needs to exceed, as a share of the grid (Terrell 1990).

    At a boundary the distribution is mirrored, which is what counts as its variance; bounded on both sides, there is no
    such limit but the range.
    """
    counts = histogram.counts
    total = counts.sum()
    if not total or all(histogram.reflects):
        return 1.0
    position = (np.arange(len(counts)) + 0.5) / len(counts)
    center = 0.0 if histogram.reflects[0] else 1.0 if histogram.reflects[1] else float(counts @ position / total)
    variance = float(counts @ np.square(position - center)) / total
    return float(1.144 * np.sqrt(variance) * total**-0.2)


def _read(coefficients: Float64Array, bandwidth: Float64Array, points: int) -> Float64Array:
    """The smoothed density on a grid of length 1, ``(rows, points)``, both ends included.

    The cosine series is summed on a grid fine enough for every coefficient, of which each n-th point is returned.
    """
    bins = coefficients.shape[1]
    step = -(-bins // (points - 1))
    series = np.zeros((len(coefficients), (points - 1) * step + 1))
    damping = np.exp(-0.5 * np.square(np.pi * np.arange(bins) * bandwidth[:, None]))
    series[:, :bins] = coefficients * damping
    series /= 2
    curves: Float64Array = dct(series, type=1, axis=1)[:, ::step]
    return np.maximum(curves, 0)


def histogram(values: FloatArray, *, bounds: Bounds = (None, None), bins: int = BINS) -> Histogram:
    """Reduce a sample: non-finite values, atoms and far outliers counted apart, the rest in bins.

    Args:
        values: Any shape, any float type, any content. What lies beyond float32 counts as non-finite.
        bounds: As for :func:`density`.
        bins: Number of bins.
    """
    whole = _finite(np.ravel(values))
    samples = np.size(values)
    non_finite = (samples - len(whole.values)) / max(samples, 1)
    if not len(whole.values):
        return Histogram(np.zeros(bins), 0.0, 1.0, (False, False), 0.0, (), samples, non_finite=non_finite)
    found, rest, sorted_sample = _without_atoms(whole)
    atoms = tuple(Atom(value, found[value] / samples) for value in sorted(found))
    if not len(rest.values):
        start, stop = _padded(whole.low, whole.high)
        return Histogram(np.zeros(bins), start, stop, (False, False), 0.0, atoms, samples, non_finite=non_finite)
    values, low, high = rest
    start, stop = _inner_range(low, high, sorted_sample)
    lower = _boundary(bounds[0], whole.low, found, low, stop - start)
    upper = _boundary(bounds[1], whole.high, found, high, stop - start)
    margin = MARGIN * (stop - start)
    start = start - margin if lower is None else lower
    stop = stop + margin if upper is None else upper
    below = np.count_nonzero(values < start) if low < start else 0
    above = np.count_nonzero(values > stop) if high > stop else 0
    if below or above:
        values = np.compress((values >= start) & (values <= stop), values)
    counts, spacing = (
        _spread(values, start, stop, bins) if _is_rounded(sorted_sample) else (_binned(values, start, stop, bins), 0.0)
    )
    return Histogram(
        counts=counts,
        start=start,
        stop=stop,
        reflects=(lower is not None, upper is not None),
        spacing=spacing,
        atoms=atoms,
        samples=samples,
        below=below / samples,
        above=above / samples,
        non_finite=non_finite,
    )


class _Part(NamedTuple):
    """Values with their extremes, which take a pass over the data to find.

    ``np.compress`` drops values in a quarter of the time that indexing with a mask takes.
    """

    values: FloatArray
    low: float
    high: float

    @classmethod
    def of(cls, values: FloatArray) -> _Part:
        return cls(values, float(values.min()), float(values.max())) if len(values) else cls(values, 0.0, 0.0)

    def without(self, value: float) -> _Part:
        rest = np.compress(self.values != value, self.values)
        return self._replace(values=rest) if self.low < value < self.high else _Part.of(rest)


def _finite(values: FloatArray) -> _Part:
    """The values that are numbers within float32, in a type in which their range can be divided into bins."""
    if values.dtype.itemsize < 4:
        values = values.astype(np.float32)
    largest = float(np.finfo(np.float32).max)
    with np.errstate(invalid="ignore"):
        part = _Part.of(values)
        if not (part.low >= -largest and part.high <= largest):
            part = _Part.of(values[np.abs(values) <= largest])
    width = part.high - part.low
    if width < 1e-3 * max(abs(part.low), abs(part.high)) or width > 1e30:
        return part._replace(values=part.values.astype(np.float64))
    return part


def _without_atoms(part: _Part) -> tuple[dict[float, int], _Part, FloatArray]:
    """Atoms with their counts, the other values, and a sorted sample of these.

    A value is an atom when it stands out of its neighbors: in rounded values each one repeats, and none is an atom
    for that. Only where values do not repeat otherwise do zero and the extremes need no more than ``ATOM_SHARE``.
    """
    found: dict[float, int] = {}
    sample = np.sort(_subsample(part.values))
    distinct, counts = np.unique(sample, return_counts=True)
    if len(distinct) <= FEW_VALUES and len(sample) >= 4 * len(distinct):
        candidates = distinct
    else:
        beside = np.maximum(np.append(counts[1:], 1), np.insert(counts[:-1], 0, 1))
        candidates = distinct[counts > ATOM_RATIO * (beside - 1) + 2]
    part = _take(part, candidates.tolist(), found)
    sample = sample[~np.isin(sample, candidates)]
    if not _is_rounded(sample):
        specials = {0.0, part.low, part.high}
        part = _take(part, sorted(specials), found)
        sample = sample[~np.isin(sample, list(specials & found.keys()))]
    if len(part.values) and part.high - part.low <= max(1e-12 * max(abs(part.low), abs(part.high)), SMALLEST_RANGE):
        found[part.low] = found.get(part.low, 0) + len(part.values)
        part = _Part.of(part.values[:0])
    if not len(sample):
        sample = np.sort(_subsample(part.values))
    return found, part, sample


def _take(part: _Part, candidates: Sequence[float], found: dict[float, int]) -> _Part:
    """Move the candidates that are frequent enough from the values to ``found``."""
    least = max(2, ATOM_SHARE * len(part.values))
    for candidate in candidates:
        count = int(np.count_nonzero(part.values == candidate))
        if count > least:
            found[candidate + 0.0] = count
            part = part.without(candidate)
    return part


def _subsample(values: FloatArray) -> FloatArray:
    """At most ``_SAMPLE`` of the values, one at random from each of as many stretches."""
    if len(values) <= _SAMPLE:
        return values
    offsets = np.random.default_rng(0).random(_SAMPLE)
    return values[((np.arange(_SAMPLE) + offsets) * (len(values) / _SAMPLE)).astype(np.intp)]


def _is_rounded(sample: FloatArray) -> bool:
    return len(sample) > 1.05 * len(np.unique(sample))


def _inner_range(low: float, high: float, sample: FloatArray) -> tuple[float, float]:
    """The range without far outliers: those thrice as far from the median as the outer quantiles."""
    outer_low, median, outer_high = np.quantile(
        sample.astype(np.float64), [OUTER_QUANTILE, 0.5, 1 - OUTER_QUANTILE], method="nearest"
    )
    start = max(low, 3 * outer_low - 2 * median)
    stop = min(high, 3 * outer_high - 2 * median)
    return (float(start), float(stop)) if stop - start > SMALLEST_RANGE else (low, high)


def _boundary(
    bound: float | None, extreme: float, found: dict[float, int], nearest: float, width: float
) -> float | None:
    """Where the distribution ends on this side: at an atom, or at the bound when values come near it."""
    if extreme in found:
        bound = extreme
    near = bound is not None and abs(nearest - bound) <= MARGIN * width
    return bound if near else None


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.5 * ((high - low) or abs(low) or 1.0)
    return low - margin, high + margin


def _binned(values: FloatArray, start: float, stop: float, bins: int) -> Float64Array:
    """Counts per bin, ``(bins,)``; in blocks that stay in the cache."""
    counts = np.zeros(bins, dtype=np.intp)
    scale = bins / (stop - start)
    for first in range(0, len(values), _BLOCK):
        index = ((values[first : first + _BLOCK] - start) * scale).astype(np.intp)
        counts += np.bincount(np.clip(index, 0, bins - 1), minlength=bins)
    return counts.astype(np.float64)


def _spread(values: FloatArray, start: float, stop: float, bins: int) -> tuple[Float64Array, float]:
    """Counts per bin of rounded values, each spread over the interval that is rounded to it, and the mean interval.

    It does what dithering by half a step does, without noise and for steps of any size.
    """
    distinct, counts = np.unique(values.astype(np.float64), return_counts=True)
    if len(distinct) < 2:
        return _binned(values, start, stop, bins), 0.0
    middles = (distinct[1:] + distinct[:-1]) / 2
    first = max(start, 2 * distinct[0] - middles[0])
    last = min(stop, 2 * distinct[-1] - middles[-1])
    edges = np.concatenate([[first], middles, [last]])
    cumulated = np.concatenate([[0], np.cumsum(counts)])
    binned = np.diff(np.interp(np.linspace(start, stop, bins + 1), edges, cumulated))
    return binned, float(counts @ np.diff(edges) / len(values))
