"""What one training measures, as numbers that can be compared between backends.

``python -m tests.backends.numbers`` on the TensorFlow backend writes the reference.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.payloads import LayerColumns
from tb_cnndiag.recording.schedule import every
from tb_cnndiag.summaries.reader import read_run
from tests.models import compiled, images, normalized, plain

REFERENCE = Path(__file__).with_name("reference.json")


def large() -> Any:
    """Maps large enough to be reduced in blocks and to be drawn smaller, two branches and a strided convolution."""
    inputs = keras.Input((52, 52, 1))
    x = layers.Conv2D(6, 3, activation="relu", name="conv_a")(inputs)
    y = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    y = layers.Activation("tanh", name="tanh")(layers.LayerNormalization(name="norm")(y))
    x = layers.Add(name="sum")([x, y])
    x = layers.LeakyReLU(name="leaky")(layers.Conv2D(8, 3, strides=2, padding="same", name="conv_b")(x))
    return keras.Model(inputs, layers.Dense(4, activation="softmax", name="head")(layers.GlobalMaxPooling2D()(x)))


NETWORKS = {"plain": plain, "normalized": normalized, "large": large}


def measured(network: str, log_dir: Path) -> dict[str, list[float]]:
    """All columns of all layers, at the end of three epochs of one step; NaN where there is no number.

    The weights and the data are the same on each backend, and nothing is drawn at random.
    """
    rng = np.random.default_rng(5)
    keras.utils.set_random_seed(1)
    model = NETWORKS[network]()
    x, y = images(rng, samples=80, size=model.inputs[0].shape[1])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    model.set_weights([rng.normal(0, 0.3, w.shape) if w.ndim > 1 else w for w in model.get_weights()])
    compiled(model, keras.optimizers.SGD(0.05))
    callback = CNNDiagnostics(
        log_dir, probe=(x, y), budget=None, schedule=every(1), verbose=0, on_finding=lambda _: None
    )
    model.fit(x, y, batch_size=80, epochs=3, shuffle=False, verbose=0, callbacks=[callback])
    found: dict[str, list[float]] = {}
    for measurement in read_run(log_dir / "cnndiag"):
        if isinstance(measurement.payload, LayerColumns) and measurement.step == 3:
            for column, values in measurement.payload.columns.items():
                found[f"{measurement.diagnostic}/{column}"] = [float(value) for value in values]
    return found


def _rounded(found: dict[str, list[float]]) -> dict[str, list[Any]]:
    return {name: [None if np.isnan(v) else float(f"{v:.6g}") for v in values] for name, values in found.items()}


if __name__ == "__main__":
    assert keras.backend.backend() == "tensorflow"
    with tempfile.TemporaryDirectory() as home:
        made = {network: _rounded(measured(network, Path(home) / network)) for network in NETWORKS}
    REFERENCE.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
    print(f"{sum(map(len, made.values()))} columns", file=sys.stderr)
