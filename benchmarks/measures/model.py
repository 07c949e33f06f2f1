"""What the diagnostics of all layers of ResNet50 cost, as shares of a forward pass."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from benchmarks.measures.timing import interleaved, target
from tb_cnndiag.diagnostics.activation_density import ActivationDensity
from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerSnapshot, Snapshot
from tb_cnndiag.diagnostics.feature_dimension import FeatureDimension
from tb_cnndiag.diagnostics.filter_clusters import FilterClusters
from tb_cnndiag.diagnostics.filter_similarity import FilterSimilarity
from tb_cnndiag.diagnostics.functional_similarity import FunctionalSimilarity
from tb_cnndiag.diagnostics.kernel_rank import KernelRank
from tb_cnndiag.diagnostics.layer_similarity import LayerSimilarity
from tb_cnndiag.diagnostics.weight_health import WeightHealth
from tb_cnndiag.payloads import LayerInfo


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

    def snapshots() -> list[LayerSnapshot]:
        """As capture hands them over: arrays that no diagnostic has seen."""
        return [
            LayerSnapshot(
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
            seen = snapshots()
            for diagnostic in diagnostics:
                for snapshot in seen:
                    diagnostic.measure(snapshot)

        return measure

    exact, drawn = "filter similarity and clusters, exact", "filter similarity, drawn from ≤ 256"
    seconds = interleaved(
        {
            "fwd": lambda: forward(images).numpy(),
            exact: each(FilterSimilarity(), FilterClusters()),
            drawn: each(FilterSimilarity(sample=256)),
            "activation density": each(ActivationDensity()),
            "functional similarity": each(FunctionalSimilarity()),
            "layer similarity": lambda: LayerSimilarity().measure(Snapshot(0, 0, snapshots(), {})),
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
