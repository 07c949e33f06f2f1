"""Densities compared with those of KDEpy, scipy and scikit-learn: error against the known curve, and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from KDEpy import FFTKDE
from scipy.stats import gaussian_kde
from sklearn.neighbors import KernelDensity

from benchmarks.measures.known_densities import (
    FINE,
    MARRON_WAND,
    MULTIMODAL,
    POINTS,
    RECTIFIED,
    Curve,
    Mixture,
    draw,
    truth,
)
from benchmarks.measures.timing import interleaved, target, timed
from tb_cnndiag.numerics.density import densities, density


def own(sample: np.ndarray) -> Curve:
    found = density(sample, points=FINE)
    return np.linspace(found.start, found.stop, FINE), found.values


def kdepy(sample: np.ndarray, bandwidth: str) -> Curve:
    x, values = FFTKDE(bw=bandwidth).fit(sample).evaluate(FINE)
    return x, values


def scipy_kde(sample: np.ndarray) -> Curve:
    x = np.linspace(sample.min(), sample.max(), POINTS)
    return x, gaussian_kde(sample)(x)


def scikit_kde(sample: np.ndarray) -> Curve:
    x = np.linspace(sample.min(), sample.max(), POINTS)
    model = KernelDensity(bandwidth="scott", rtol=1e-4).fit(sample[:, None])
    return x, np.exp(model.score_samples(x[:, None]))


OWN = "tb_cnndiag"
ESTIMATORS: Mapping[str, Callable[[np.ndarray], Curve]] = {
    OWN: own,
    "KDEpy ISJ": lambda sample: kdepy(sample, "ISJ"),
    "KDEpy Silverman": lambda sample: kdepy(sample, "silverman"),
    "scipy": scipy_kde,
    "scikit-learn": scikit_kde,
}
SLOW = ("scipy", "scikit-learn")


def squared_error(curve: Curve, mixture: Mixture, low: float, high: float) -> float:
    x, step = np.linspace(low, high, 20001, retstep=True)
    return float(np.sum((np.interp(x, *curve, left=0, right=0) - truth(mixture, x)) ** 2) * step)


def errors(size: int, repeats: int, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Mean integrated squared error by density and estimator.

    Of rectified samples the others are given the positive values alone, which is kinder than the whole.
    """
    table: dict[str, dict[str, list[float]]] = {}
    cases: list[tuple[str, Mixture, float | None]] = [(name, mixture, None) for name, mixture in MARRON_WAND.items()]
    cases += [(name, mixture, top) for name, (mixture, top) in RECTIFIED.items()]
    for name, mixture, top in cases:
        table[name] = {estimator: [] for estimator in names}
        for seed in range(repeats):
            sample = draw(mixture, size, np.random.default_rng(seed))
            low, high = float(sample.min()) - 1, float(sample.max()) + 1
            inside = sample
            if top is not None:
                sample = np.clip(sample, 0, top)
                inside = sample[(sample > 0) & (sample < top)]
                low, high = 0.0, min(high, top)
            for estimator in names:
                if estimator == OWN:
                    curve = own(sample)
                else:
                    x, y = ESTIMATORS[estimator](inside.astype(np.float64))
                    curve = x, y * (len(inside) / len(sample))
                table[name][estimator].append(squared_error(curve, mixture, low, high))
    return {name: {e: float(np.mean(v)) for e, v in row.items()} for name, row in table.items()}


def compare_errors(size: int, repeats: int, names: Sequence[str]) -> None:
    print(f"\nIntegrated squared error, n = {size:.0e}, mean of {repeats}; others as multiples of {OWN}")
    print(f"  {'':24}{OWN:>12}" + "".join(f"{name:>17}" for name in names if name != OWN))
    lost = []
    for name, row in errors(size, repeats, names).items():
        others = {estimator: row[estimator] / row[OWN] for estimator in names if estimator != OWN}
        print(f"  {name:24}{row[OWN]:12.2e}" + "".join(f"{ratio:17.2f}" for ratio in others.values()))
        if min(others.values()) < 1 and name in (*MULTIMODAL, *RECTIFIED):
            lost.append(name)
    wanted = len(MULTIMODAL) + len(RECTIFIED)
    target("multimodal and rectified densities with the lowest error", wanted - len(lost), wanted, least=True)
    if lost:
        print(f"        not the lowest: {', '.join(lost)}")


def compare_times(size: int, *, slow: bool) -> None:
    print(f"\nTime, n = {size:.0e}: {OWN} in ms, others as multiples")
    ratios: dict[str, list[float]] = {}
    for name in ("bimodal", "claw", "ReLU of a normal"):
        mixture = MARRON_WAND.get(name) or RECTIFIED[name][0]
        sample = draw(mixture, size, np.random.default_rng(0))
        sample = np.maximum(sample, 0) if name in RECTIFIED else sample
        double = sample.astype(np.float64)
        seen = (lambda x: np.compress(x > 0, x)) if name in RECTIFIED else (lambda x: x)
        fast: dict[str, Callable[[], Any]] = {
            OWN: lambda sample=sample: density(sample),
            "KDEpy ISJ": lambda double=double, seen=seen: kdepy(seen(double), "ISJ"),
            "KDEpy Silverman": lambda double=double, seen=seen: kdepy(seen(double), "silverman"),
        }
        seconds = interleaved(fast, 5 if size > 2e6 else 11)
        for estimator in SLOW if slow else ():
            seconds[estimator], _ = timed(lambda: ESTIMATORS[estimator](seen(double)))  # noqa: B023
        others = {k: v / seconds[OWN] for k, v in seconds.items() if k != OWN}
        for k, v in others.items():
            ratios.setdefault(k, []).append(v)
        listed = "".join(f"  {k} {v:.1f}×" for k, v in others.items())
        print(f"  {name:20}{1e3 * seconds[OWN]:8.2f} ms{listed}")
    if size >= 1e6:
        target("times faster than KDEpy ISJ, least of the three", min(ratios["KDEpy ISJ"]), 3.5, least=True)
        if slow:
            target("times faster than scipy, least of the three", min(ratios["scipy"]), 400, least=True)


def compare_traps() -> None:
    print("\nTraps, n = 1e6 unless said: bandwidth over that of the same sample unrounded; × raises")
    sample = draw(MARRON_WAND["gaussian"], 1_000_000, np.random.default_rng(0))
    bandwidth = density(sample).bandwidth
    cases = {
        "float16": sample.astype(np.float16),
        "bfloat16": (sample.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32),
        "int8, 127 = 4 σ": np.round(sample * 32) / 32,
        "one outlier at 1000 σ": np.append(sample, np.float32(1000)),
        "inf and NaN": np.append(sample, [np.inf, np.nan]).astype(np.float32),
        "ReLU, float16": np.maximum(sample, 0).astype(np.float16),
        "constant": np.full(1000, 3.0),
        "two values": np.repeat([0.0, 1.0], 500),
        "n = 7": sample[:7],
    }
    for name, values in cases.items():
        found = density(values)
        seen = [f"P({atom.value:g}) = {atom.mass:.3f}" for atom in found.atoms]
        seen += [f"beyond {found.below + found.above:.0e}"] if found.below or found.above else []
        seen += [f"non-finite {found.non_finite:.0e}"] if found.non_finite else []
        ours = f"{found.bandwidth / bandwidth:.2f}" if len(values) > 1e5 else f"h = {found.bandwidth:.2g}"
        print(f"  {name:24}{OWN} {ours:10} KDEpy ISJ {_kdepy_bandwidth(values, bandwidth):8} {', '.join(seen)}")


def _kdepy_bandwidth(values: np.ndarray, bandwidth: float) -> str:
    try:
        model = FFTKDE(bw="ISJ").fit(values.astype(np.float64))
        model.evaluate(FINE)
    except Exception:
        return "×"
    return f"{model.bw / bandwidth:.2f}" if len(values) > 1e5 else f"h = {model.bw:.2g}"


def compare_layers() -> None:
    rng = np.random.default_rng(0)
    layers = [np.maximum(rng.normal(size=65_536) * rng.gamma(2) + 0.5, 0).astype(np.float32) for _ in range(53)]
    seconds = interleaved(
        {
            "one by one": lambda: [density(layer) for layer in layers],
            "at once": lambda: densities(layers),
            "KDEpy ISJ": lambda: [kdepy(layer[layer > 0].astype(np.float64), "ISJ") for layer in layers],
        },
        5,
    )
    listed = ", ".join(f"{name} {1e3 * value / len(layers):.2f} ms" for name, value in seconds.items())
    print(f"\n53 layers of 65,536 values, per layer: {listed}")


def density_tables(large: bool) -> None:
    compare_errors(10_000, 10, tuple(ESTIMATORS))
    compare_errors(1_000_000, 3, tuple(ESTIMATORS))
    if large:
        compare_errors(10_000_000, 1, [name for name in ESTIMATORS if name not in SLOW])
    compare_times(10_000, slow=True)
    compare_times(1_000_000, slow=True)
    if large:
        compare_times(10_000_000, slow=False)
    compare_traps()
    compare_layers()
