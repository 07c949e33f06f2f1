"""Short trainings: the first finding is the cause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import initializers, layers, optimizers
from sklearn.datasets import load_digits

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.finding import Finding


def _judged(
    log: Path, *, optimizer: Any = None, scale: float = 1 / 16, **of_conv2: Any
) -> tuple[list[Finding], dict[str, list[float]]]:
    keras.utils.set_random_seed(3)
    digits = load_digits()
    x, y = (digits.images[..., None] * scale).astype("float32"), digits.target
    usual = {"activation": "relu", "kernel_initializer": "he_normal", "padding": "same"}
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(12, 3, name="conv1", **usual),
            layers.Conv2D(16, 3, name="conv2", **(usual | of_conv2)),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax", name="head"),
        ]
    )
    model.compile(optimizer or optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    callback = CNNDiagnostics(log, probe=(x[-256:], y[-256:]), verbose=0)
    fitted = model.fit(
        x[:800], y[:800], validation_data=(x[-256:], y[-256:]), epochs=5, verbose=0, callbacks=[callback]
    )
    return [finding for finding in callback.findings if finding.severity != "info"], fitted.history


def test_a_healthy_training_has_no_findings(tmp_path: Path) -> None:
    found, curves = _judged(tmp_path)
    assert curves["val_accuracy"][-1] > 0.8
    assert not found


@pytest.mark.parametrize(
    ("fault", "layer", "options"),
    [
        ("dead_units", "conv2", {"bias_initializer": initializers.Constant(-9.0)}),
        ("bad_init", "conv2", {"kernel_initializer": "zeros"}),
        ("learning_rate_too_high", None, {"optimizer": "adam 0.3"}),
        ("unnormalised_input", "conv1", {"scale": 4000.0, "optimizer": "sgd 0.01"}),
    ],
)
def test_the_cause_comes_first(tmp_path: Path, fault: str, layer: str | None, options: dict[str, Any]) -> None:
    kind, _, rate = options.get("optimizer", "adam 0.002").partition(" ")
    optimizer = {"adam": optimizers.Adam, "sgd": optimizers.SGD}[kind](float(rate))
    found, curves = _judged(tmp_path, **(options | {"optimizer": optimizer}))
    assert np.nanmax(curves["val_accuracy"]) < 0.5
    assert (found[0].fault, found[0].layer) == (fault, layer)
