"""Gradients recorded during training, checked against a gradient tape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.history import History
from tb_cnndiag.payloads import UnitStates
from tb_cnndiag.summaries.reader import read_run
from tests.models import compiled, images, plain


class Quartic(keras.regularizers.Regularizer):
    def __call__(self, x: Any) -> Any:
        return 0.1 * keras.ops.sum(x**4)


def _data_gradients(model: Any, x: Any, y: Any) -> list[float]:
    loss = keras.losses.SparseCategoricalCrossentropy()
    kernels = [layer.kernel.value for layer in model.layers if hasattr(layer, "kernel")]
    with tf.GradientTape() as tape:
        value = loss(y, model(x, training=True))
    return [float(tf.norm(gradient)) for gradient in tape.gradient(value, kernels)]


@pytest.mark.parametrize(
    ("options", "regularizer"),
    [
        ({}, None),
        ({}, keras.regularizers.L2(0.5)),
        ({}, Quartic()),
        ({"optimizer": keras.optimizers.SGD(0.1, clipnorm=1e-3)}, None),
        ({"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))}, None),
        ({"jit_compile": True}, keras.regularizers.L2(0.5)),
    ],
    ids=["plain", "L2", "any regularizer", "clipped", "scaled", "XLA"],
)
def test_gradient_norms_are_those_of_the_data_loss(
    options: dict[str, Any], regularizer: Any, tmp_path: Path, rng: np.random.Generator
) -> None:
    x, y = images(rng, 16)
    model = compiled(plain(regularizer=regularizer), **{"optimizer": "sgd", **options})
    expected = _data_gradients(model, x, y)
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    history = History.of(read_run(tmp_path / "cnndiag"))
    np.testing.assert_allclose(history.series("gradient_flow", "gradient_norm").values[-1], expected, rtol=2e-3)


def test_update_ratios_measure_the_real_change_of_the_kernels(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng, 16)
    model = compiled(plain(), keras.optimizers.Adam(0.01))
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    before = [np.array(k) for k in kernels]
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    expected = [
        np.linalg.norm(np.array(k) - b) / np.linalg.norm(np.array(k)) for k, b in zip(kernels, before, strict=True)
    ]
    history = History.of(read_run(tmp_path / "cnndiag"))
    np.testing.assert_allclose(history.series("update_ratio", "update_ratio").values[-1], expected, rtol=1e-4)


def test_a_frozen_layer_has_no_gradient(tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng, 16)
    model = plain()
    model.get_layer("conv_a").trainable = False
    compiled(model).fit(x, y, batch_size=16, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    history = History.of(read_run(tmp_path / "cnndiag"))
    norms = history.series("gradient_flow", "gradient_norm").values[-1]
    assert np.isnan(norms[0])
    assert (norms[1:] > 0).all()
    assert [layer.trainable for layer in history.layers] == [False, True, True]


@pytest.mark.parametrize("samples", [40, 640])
def test_a_probe_is_collected_from_the_whole_epoch(samples: int, tmp_path: Path, rng: np.random.Generator) -> None:
    x, y = images(rng, samples)
    order = np.argsort(y, kind="stable")
    compiled(model := plain())
    data = tf.data.Dataset.from_tensor_slices((x[order], y[order])).batch(8)
    model.fit(data, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path, verbose=0)])
    info = History.of(read_run(tmp_path / "cnndiag")).info
    assert info is not None
    assert info.probe.source == "collected"
    assert min(40, samples) <= info.probe.samples <= 256
    counts = np.array(info.probe.class_counts)
    assert counts.min() >= 0.6 * counts.max()


def test_units_that_fire_rarely_are_found_on_more_samples(tmp_path: Path, rng: np.random.Generator) -> None:
    """Eight of ten units fire on only one sample in fifty, and the 256 samples of the probe include none of these."""
    x = rng.uniform(0, 1, (1000, 4, 4, 1)).astype(np.float32)
    x[np.arange(1000) % 50 == 7] += 10
    x[np.arange(1000) % 4 == 0] %= 1  # the probe is every fourth sample
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(10, 4, activation="relu", name="conv", trainable=False),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    kernel = np.full((4, 4, 1, 10), 1 / 16, np.float32)
    model.get_layer("conv").set_weights([kernel, np.array([0.0] * 2 + [-5.0] * 8)])
    model.compile("sgd", "mse")
    callback = CNNDiagnostics(tmp_path, verbose=0)
    model.fit(x, np.zeros(1000), batch_size=20, shuffle=False, verbose=0, callbacks=[callback])
    history = History.of(read_run(tmp_path / "cnndiag"))
    assert history.info
    assert history.info.probe.samples <= 256
    states = history.latest("dead_units", "conv")
    assert isinstance(states, UnitStates)
    assert states.samples == 1000
    assert history.series("dead_units", "dead_ratio").values[-1, 0] == 0
