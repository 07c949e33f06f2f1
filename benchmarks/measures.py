"""The measures beside what a user would otherwise take: error, time and memory, with the targets they are held to.

Run ``python -m benchmarks.measures [density] [trees] [model] [--large]``; without names it runs all three, in about
ten minutes. It needs scikit-learn and KDEpy, and Keras for ``model``. Times are medians of interleaved runs in one
process: read ratios, not milliseconds. Nothing here is a test; a target that is missed is printed as MISS.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from KDEpy import FFTKDE
from scipy.cluster.hierarchy import leaves_list, optimal_leaf_ordering
from scipy.spatial.distance import squareform
from scipy.stats import gaussian_kde, norm
from sklearn.cluster import AgglomerativeClustering
from sklearn.neighbors import KernelDensity

from tb_cnndiag.diagnostics.activation_density import ActivationDensity
from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerLook, Look
from tb_cnndiag.diagnostics.feature_dimension import FeatureDimension
from tb_cnndiag.diagnostics.filter_clusters import FilterClusters
from tb_cnndiag.diagnostics.filter_similarity import FilterSimilarity
from tb_cnndiag.diagnostics.functional_similarity import FunctionalSimilarity
from tb_cnndiag.diagnostics.kernel_rank import KernelRank
from tb_cnndiag.diagnostics.layer_similarity import LayerSimilarity
from tb_cnndiag.diagnostics.weight_health import WeightHealth
from tb_cnndiag.numerics.density import densities, density
from tb_cnndiag.numerics.linkage import average_linkage, order_leaves
from tb_cnndiag.numerics.similarity import cosine_similarity
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.summaries.codec import Measurement, encode

Curve = tuple[np.ndarray, np.ndarray]
Mixture = Sequence[tuple[float, float, float]]

POINTS = 512
FINE = 4097

# Marron & Wand (1992), "Exact mean integrated squared error", table 1: weight, mean, deviation.
MARRON_WAND: Mapping[str, Mixture] = {
    "gaussian": [(1, 0, 1)],
    "skewed unimodal": [(1 / 5, 0, 1), (1 / 5, 1 / 2, 2 / 3), (3 / 5, 13 / 12, 5 / 9)],
    "strongly skewed": [(1 / 8, 3 * ((2 / 3) ** k - 1), (2 / 3) ** k) for k in range(8)],
    "kurtotic unimodal": [(2 / 3, 0, 1), (1 / 3, 0, 1 / 10)],
    "outlier": [(1 / 10, 0, 1), (9 / 10, 0, 1 / 10)],
    "bimodal": [(1 / 2, -1, 2 / 3), (1 / 2, 1, 2 / 3)],
    "separated bimodal": [(1 / 2, -3 / 2, 1 / 2), (1 / 2, 3 / 2, 1 / 2)],
    "skewed bimodal": [(3 / 4, 0, 1), (1 / 4, 3 / 2, 1 / 3)],
    "trimodal": [(9 / 20, -6 / 5, 3 / 5), (9 / 20, 6 / 5, 3 / 5), (1 / 10, 0, 1 / 4)],
    "claw": [(1 / 2, 0, 1), *((1 / 10, k / 2 - 1, 1 / 10) for k in range(5))],
    "double claw": [
        (49 / 100, -1, 2 / 3),
        (49 / 100, 1, 2 / 3),
        *((1 / 350, (k - 3) / 2, 1 / 100) for k in range(7)),
    ],
    "asymmetric claw": [(1 / 2, 0, 1), *((2.0 ** (1 - k) / 31, k + 1 / 2, 2.0**-k / 10) for k in range(-2, 3))],
    "asymmetric double claw": [
        *((46 / 100, 2 * k - 1, 2 / 3) for k in range(2)),
        *((1 / 300, -k / 2, 1 / 100) for k in range(1, 4)),
        *((7 / 300, k / 2, 7 / 100) for k in range(1, 4)),
    ],
    "smooth comb": [(2.0 ** (5 - k) / 63, (65 - 96 / 2**k) / 21, 32 / 63 / 2**k) for k in range(6)],
    "discrete comb": [
        *((2 / 7, (12 * k - 15) / 7, 2 / 7) for k in range(3)),
        *((1 / 21, 2 * k / 7, 1 / 21) for k in range(8, 11)),
    ],
}
MULTIMODAL = tuple(MARRON_WAND)[5:]
# A mixture before the rectifier, and where it clips.
RECTIFIED: Mapping[str, tuple[Mixture, float]] = {
    "ReLU of a normal": ([(1, 0, 1)], np.inf),
    "ReLU of a bimodal": (MARRON_WAND["bimodal"], np.inf),
    "ReLU of a claw": (MARRON_WAND["claw"], np.inf),
    "ReLU6 of a wide normal": ([(1, 1, 3)], 6.0),
}


def draw(mixture: Mixture, size: int, rng: np.random.Generator) -> np.ndarray:
    weight, mean, deviation = np.array(mixture).T
    part = rng.choice(len(weight), size, p=weight / weight.sum())
    return np.asarray(mean[part] + deviation[part] * rng.normal(size=size), np.float32)


def truth(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    return np.asarray(sum(weight * norm.pdf(x, mean, deviation) for weight, mean, deviation in mixture))


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


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def interleaved(work: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each, taken in turns after one round to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(rounds + 1):
        for name, call in work.items():
            seconds, _ = timed(call)
            if turn:
                taken[name].append(seconds)
    return {name: float(np.median(times)) for name, times in taken.items()}


def target(what: str, value: float, limit: float, *, least: bool = False) -> None:
    met = value >= limit if least else value <= limit
    print(f"  {'PASS' if met else 'MISS'}  {what}: {value:.3g} (target {'≥' if least else '≤'} {limit:g})")


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


def tree_tables() -> None:
    print("\nTrees, fan-in 1,152, filters in families. Milliseconds; Σ: sum of distances between neighbouring leaves")
    heads = ("filters", "cosine", "linkage", "order", "scikit linkage", "scipy order", "Σ / scipy Σ")
    print("  " + "".join(f"{head:>16}" for head in heads))
    for filters in (64, 256, 512, 1024):
        rng = np.random.default_rng(0)
        families = rng.normal(size=(filters // 4, 1152))
        kernel = (families[rng.integers(0, len(families), filters)] + rng.normal(size=(filters, 1152))).astype(
            np.float32
        )
        cosine = cosine_similarity(kernel)
        merges = average_linkage(cosine)
        distance = np.maximum(1 - cosine.astype(np.float64), 0)
        model = AgglomerativeClustering(
            None, metric="precomputed", linkage="average", distance_threshold=0, compute_full_tree=True
        )
        seconds = interleaved(
            {
                "cosine": lambda kernel=kernel: cosine_similarity(kernel),
                "linkage": lambda cosine=cosine: average_linkage(cosine),
                "order": lambda merges=merges, cosine=cosine: order_leaves(merges, cosine),
                "scikit": lambda model=model, distance=distance: model.fit(distance),
            },
            7,
        )
        condensed = squareform(distance, checks=False)
        scipy_seconds, scipy_tree = timed(
            lambda merges=merges, condensed=condensed: optimal_leaf_ordering(merges, condensed)
        )
        length = _length(distance, order_leaves(merges, cosine)) / _length(distance, leaves_list(scipy_tree))
        row = [1e3 * seconds[name] for name in ("cosine", "linkage", "order", "scikit")]
        row += [1e3 * scipy_seconds, length]
        print(f"  {filters:16}" + "".join(f"{value:16.4g}" for value in row))
    seconds, megabytes, stored = _in_a_process_of_its_own(_grow_largest)
    print(f"\n4,096 filters of fan-in 4,608, kernel → stored matrix and tree: {stored / 1e3:.0f} kB stored")
    target("seconds", seconds, 1.5)
    target("MB beyond the kernel", megabytes, 300)


def _length(distance: np.ndarray, order: np.ndarray) -> float:
    return float(sum(distance[a, b] for a, b in pairwise(order)))


def _in_a_process_of_its_own(work: Callable[[], Any]) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work)


def _grow_largest() -> tuple[float, float, int]:
    def grow(kernel: np.ndarray) -> int:
        look = LayerLook(LayerInfo("layer"), {"kernel": kernel})
        payloads = [diagnostic.measure(look).payload for diagnostic in (FilterSimilarity(), FilterClusters())]
        return sum(len(encode(Measurement("filters", 0, 0, payload, "layer"))) for payload in payloads if payload)

    rng = np.random.default_rng(0)
    grow(rng.normal(size=(64, 9)).astype(np.float32))
    kernel = rng.standard_normal(size=(4096, 4608), dtype=np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, stored = timed(lambda: grow(kernel))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, (after - before) / 1024, stored


def model_table() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3))
    weights = [layer.kernel.numpy() for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    images = tf.random.normal((256, 64, 64, 3))
    forward = tf.function(lambda x: model(x, training=False))
    rng = np.random.default_rng(0)
    values = [np.maximum(rng.normal(size=65_536), 0).astype(np.float32) for _ in weights]
    means = [rng.normal(size=(256, weight.shape[-1])).astype(np.float32) for weight in weights]

    def looks() -> list[LayerLook]:
        """As capture hands them over: arrays that no diagnostic has seen."""
        return [
            LayerLook(
                LayerInfo(str(row), activation="relu"),
                {
                    "kernel": weight.reshape(-1, weight.shape[-1]).T,
                    "activation_sample": value,
                    "sample_mean": mean,
                },
            )
            for row, (weight, value, mean) in enumerate(zip(weights, values, means, strict=True))
        ]

    def each(*diagnostics: LayerDiagnostic) -> Callable[[], None]:
        def measure() -> None:
            seen = looks()
            for diagnostic in diagnostics:
                for look in seen:
                    diagnostic.measure(look)

        return measure

    exact, drawn = "filter similarity and clusters, exact", "filter similarity, drawn from ≤ 256"
    seconds = interleaved(
        {
            "fwd": lambda: forward(images).numpy(),
            exact: each(FilterSimilarity(), FilterClusters()),
            drawn: each(FilterSimilarity(sample=256)),
            "activation density": each(ActivationDensity()),
            "functional similarity": each(FunctionalSimilarity()),
            "layer similarity": lambda: LayerSimilarity().measure(Look(0, 0, looks(), {})),
            "feature dimension": each(FeatureDimension()),
            "kernel rank": each(KernelRank()),
            "weight health": each(WeightHealth()),
        },
        5,
    )
    print(f"\nAll {len(weights)} convolutions of ResNet50, as shares of fwd = {1e3 * seconds['fwd']:.0f} ms,")
    print("one bare compiled forward pass of 256 images of 64 × 64")
    for name, value in seconds.items():
        print(f"  {name:40}{value / seconds['fwd']:8.3f}")
    target(exact, seconds[exact] / seconds["fwd"], 0.8)
    target(drawn, seconds[drawn] / seconds["fwd"], 0.25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", choices=["density", "trees", "model", []], help="default: all")
    parser.add_argument("--large", action="store_true", help="densities at n = 1e7 too")
    arguments = parser.parse_args()
    wanted = arguments.tables or ["density", "trees", "model"]
    warnings.filterwarnings("ignore", module="KDEpy")
    if "density" in wanted:
        density_tables(arguments.large)
    if "trees" in wanted:
        tree_tables()
    if "model" in wanted:
        model_table()


if __name__ == "__main__":
    main()
