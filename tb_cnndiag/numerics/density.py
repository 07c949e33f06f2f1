"""The distribution of activations: atoms, such as the zero of a rectifier, and a density of all other values.

The density is the diffusion estimator with the improved Sheather–Jones bandwidth of Botev, Grotowski & Kroese (2010),
"Kernel density estimation via diffusion", Annals of Statistics 38(5). It works on bin counts, reflects at both ends of
the grid and assumes no shape. A Gaussian kernel on all values of a rectified activation would show only the spike at
zero. For this reason, atoms are removed first, and an end of the grid where values pile up is treated as a boundary.
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
# Above this exponent, a damped coefficient is below rounding error, even times the 14th power of its frequency.
_NEGLIGIBLE = 60


@dataclass(frozen=True)
class Histogram:
    """A sample, reduced to what the estimator needs.

    Attributes:
        counts: ``(bins,)`` values of the continuous part in each bin between ``start`` and ``stop``.
        start: Left edge of the first bin.
        stop: Right edge of the last bin.
        reflects: Whether the distribution ends at ``start`` and at ``stop``.
        spacing: Typical distance between neighboring values if they are rounded; 0 if they are not.
        atoms: Single values with a positive probability.
        samples: Number of all values.
        below: Share of all values below ``start``.
        above: Share of all values above ``stop``.
        non_finite: Share of all values that are NaN or infinite.
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
        bounds: Ends of the range of possible values, if known: ``(0, None)`` for ReLU, ``(0, 1)`` for sigmoid. An end
            where values pile up is detected without a bound.
        bins: Number of bins of the grid on which the density is estimated.
        points: Number of points of the grid on which the density is returned.
    """
    return densities([values], bounds=[bounds], bins=bins, points=points)[0]


def densities(
    samples: Sequence[FloatArray],
    *,
    bounds: Sequence[Bounds] | None = None,
    bins: int = BINS,
    points: int = STORED_POINTS,
) -> list[Density]:
    """:func:`density` of many samples at once, with a single cosine transform and root search."""
    limits = bounds or [(None, None)] * len(samples)
    return estimate([histogram(v, bounds=b, bins=bins) for v, b in zip(samples, limits, strict=True)], points=points)


def estimate(histograms: Sequence[Histogram], *, points: int = STORED_POINTS) -> list[Density]:
    """Densities from histograms that all have the same number of bins.

    The density is smoothed on the bins and evaluated at equally spaced points. The bandwidth is at least ¾ of the
    distance between points, so no peak falls between two points.
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
    curves = _evaluate(coefficients, bandwidth, points) * (share / width)[:, None]
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

    The iteration starts from 0 as in their Algorithm 1, but stays between ``floor`` and ``ceiling``. Below ``floor``,
    the spacing of rounded values or of the bins would be mistaken for structure.
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
    """ξγ⁽⁷⁾(t): the bandwidth from estimates of ‖f⁽ˢ⁾‖², s = 7 … 2, each smoothed according to the previous one."""
    roughness = _roughness(_STAGES, time, frequency, power)
    for s in range(_STAGES - 1, 1, -1):
        odd = np.prod(np.arange(1, 2 * s, 2)) / np.sqrt(2 * np.pi)
        constant = 2 * odd * (1 + 0.5 ** (s + 0.5)) / 3
        stage = (constant / (samples * roughness)) ** (2 / (3 + 2 * s))
        roughness = _roughness(s, stage, frequency, power)
    plugged: Float64Array = (2 * samples * np.sqrt(np.pi) * roughness) ** -0.4
    return plugged


def _roughness(s: int, time: Float64Array, frequency: Float64Array, power: Float64Array) -> Float64Array:
    """‖f⁽ˢ⁾‖² of the density smoothed for ``time``, ``(rows,)``, from its cosine coefficients; always above 0."""
    count = np.searchsorted(frequency, _NEGLIGIBLE / (np.pi**2 * time.min())) + 1
    frequency = frequency[:count]
    damped = power[:, :count] * np.exp(-(np.pi**2) * time[:, None] * frequency)
    return np.maximum(2 * np.pi ** (2 * s) * (damped @ frequency**s), 1e-300)


def _oversmoothed(histogram: Histogram) -> float:
    """Largest bandwidth that a density of this variance can need, as a share of the grid (Terrell 1990).

    With one boundary, the variance is that of the distribution mirrored at the boundary. With two boundaries, the only
    limit is the range.
    """
    counts = histogram.counts
    total = counts.sum()
    if not total or all(histogram.reflects):
        return 1.0
    position = (np.arange(len(counts)) + 0.5) / len(counts)
    center = 0.0 if histogram.reflects[0] else 1.0 if histogram.reflects[1] else float(counts @ position / total)
    variance = float(counts @ np.square(position - center)) / total
    return float(1.144 * np.sqrt(variance) * total**-0.2)


def _evaluate(coefficients: Float64Array, bandwidth: Float64Array, points: int) -> Float64Array:
    """The smoothed density on a grid of length 1, ``(rows, points)``, both ends included.

    The cosine series is summed on a grid fine enough for every coefficient. Every n-th point of that grid is returned.
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
    """Reduce a sample: count non-finite values, atoms and far outliers separately, and all other values in bins.

    Args:
        values: Any shape, any float type, any content. Values outside the range of float32 count as non-finite.
        bounds: As for :func:`density`.
        bins: Number of bins.
    """
    whole = _finite(np.ravel(values))
    samples = np.size(values)
    non_finite = (samples - len(whole.values)) / max(samples, 1)
    if not len(whole.values):
        return Histogram(np.zeros(bins), 0.0, 1.0, (False, False), 0.0, (), samples, non_finite=non_finite)
    atom_counts, rest, sorted_sample = _without_atoms(whole)
    atoms = tuple(Atom(value, atom_counts[value] / samples) for value in sorted(atom_counts))
    if not len(rest.values):
        start, stop = _padded(whole.low, whole.high)
        return Histogram(np.zeros(bins), start, stop, (False, False), 0.0, atoms, samples, non_finite=non_finite)
    values, low, high = rest
    start, stop = _inner_range(low, high, sorted_sample)
    lower = _boundary(bounds[0], whole.low, atom_counts, low, stop - start)
    upper = _boundary(bounds[1], whole.high, atom_counts, high, stop - start)
    margin = MARGIN * (stop - start)
    start = start - margin if lower is None else lower
    stop = stop + margin if upper is None else upper
    below = np.count_nonzero(values < start) if low < start else 0
    above = np.count_nonzero(values > stop) if high > stop else 0
    if below or above:
        values = np.compress((values >= start) & (values <= stop), values)
    if _is_rounded(sorted_sample):
        counts, spacing = _binned_rounded(values, start, stop, bins)
    else:
        counts, spacing = _binned(values, start, stop, bins), 0.0
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
    """Values with their extremes, which are kept because finding them takes a pass over the data.

    ``np.compress`` removes values in a quarter of the time that indexing with a mask takes.
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
    """The finite values within the range of float32, in a type precise enough to divide their range into bins."""
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
    """Counts of the atoms, the other values, and a sorted sample of the other values.

    A value is an atom if it is much more frequent than its neighbors: rounded values all repeat, but that does not make
    them atoms. If values do not repeat otherwise, zero and the extremes are atoms at a share above ``ATOM_SHARE``.
    """
    atom_counts: dict[float, int] = {}
    sample = np.sort(_subsample(part.values))
    distinct, counts = np.unique(sample, return_counts=True)
    if len(distinct) <= FEW_VALUES and len(sample) >= 4 * len(distinct):
        candidates = distinct
    else:
        neighbor_counts = np.maximum(np.append(counts[1:], 1), np.insert(counts[:-1], 0, 1))
        candidates = distinct[counts > ATOM_RATIO * (neighbor_counts - 1) + 2]
    part = _move_atoms(part, candidates.tolist(), atom_counts)
    sample = sample[~np.isin(sample, candidates)]
    if not _is_rounded(sample):
        specials = {0.0, part.low, part.high}
        part = _move_atoms(part, sorted(specials), atom_counts)
        sample = sample[~np.isin(sample, list(specials & atom_counts.keys()))]
    if len(part.values) and part.high - part.low <= max(1e-12 * max(abs(part.low), abs(part.high)), SMALLEST_RANGE):
        atom_counts[part.low] = atom_counts.get(part.low, 0) + len(part.values)
        part = _Part.of(part.values[:0])
    if not len(sample):
        sample = np.sort(_subsample(part.values))
    return atom_counts, part, sample


def _move_atoms(part: _Part, candidates: Sequence[float], atom_counts: dict[float, int]) -> _Part:
    """Move the candidates that are frequent enough from the values to ``atom_counts``."""
    threshold = max(2, ATOM_SHARE * len(part.values))
    for candidate in candidates:
        count = int(np.count_nonzero(part.values == candidate))
        if count > threshold:
            atom_counts[candidate + 0.0] = count
            part = part.without(candidate)
    return part


def _subsample(values: FloatArray) -> FloatArray:
    """At most ``_SAMPLE`` of the values: one, chosen at random, from each of ``_SAMPLE`` equal sections; none twice."""
    if len(values) <= _SAMPLE:
        return values
    offsets = np.random.default_rng(0).random(_SAMPLE)
    # Sections of few values overlap by a part of one: a value that is taken twice would look like a rounded one.
    return values[np.unique(((np.arange(_SAMPLE) + offsets) * (len(values) / _SAMPLE)).astype(np.intp))]


def _is_rounded(sample: FloatArray) -> bool:
    return len(sample) > 1.05 * len(np.unique(sample))


def _inner_range(low: float, high: float, sample: FloatArray) -> tuple[float, float]:
    """The range without far outliers, which are three times as far from the median as the outer quantiles."""
    outer_low, median, outer_high = np.quantile(
        sample.astype(np.float64), [OUTER_QUANTILE, 0.5, 1 - OUTER_QUANTILE], method="nearest"
    )
    start = max(low, 3 * outer_low - 2 * median)
    stop = min(high, 3 * outer_high - 2 * median)
    return (float(start), float(stop)) if stop - start > SMALLEST_RANGE else (low, high)


def _boundary(
    bound: float | None, extreme: float, atom_counts: dict[float, int], nearest: float, width: float
) -> float | None:
    """End of the distribution on this side: an atom at the extreme, or the bound, if other values come near it."""
    if extreme in atom_counts:
        bound = extreme
    near = bound is not None and abs(nearest - bound) <= MARGIN * width
    return bound if near else None


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.5 * ((high - low) or abs(low) or 1.0)
    return low - margin, high + margin


def _binned(values: FloatArray, start: float, stop: float, bins: int) -> Float64Array:
    """Counts per bin, ``(bins,)``, computed in blocks that fit into the cache."""
    counts = np.zeros(bins, dtype=np.intp)
    scale = bins / (stop - start)
    for first in range(0, len(values), _BLOCK):
        index = ((values[first : first + _BLOCK] - start) * scale).astype(np.intp)
        counts += np.bincount(np.clip(index, 0, bins - 1), minlength=bins)
    return counts.astype(np.float64)


def _binned_rounded(values: FloatArray, start: float, stop: float, bins: int) -> tuple[Float64Array, float]:
    """Counts per bin of rounded values, and the mean interval between them.

    Each value is spread over the interval that rounds to it. This has the effect of dithering by half a step, but
    without noise and for steps of any size.
    """
    distinct, counts = np.unique(values.astype(np.float64), return_counts=True)
    if len(distinct) < 2:
        return _binned(values, start, stop, bins), 0.0
    midpoints = (distinct[1:] + distinct[:-1]) / 2
    first = max(start, 2 * distinct[0] - midpoints[0])
    last = min(stop, 2 * distinct[-1] - midpoints[-1])
    edges = np.concatenate([[first], midpoints, [last]])
    cumulative = np.concatenate([[0], np.cumsum(counts)])
    binned = np.diff(np.interp(np.linspace(start, stop, bins + 1), edges, cumulative))
    return binned, float(counts @ np.diff(edges) / len(values))
