"""Models of keras.applications, trained for two steps with the callback: three of them in CI, all of them nightly.

``python -m tests.capture.test_architectures NAME`` trains one model in a separate process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run

MEMBERS = (
    "ConvNeXtTiny ConvNeXtSmall ConvNeXtBase ConvNeXtLarge ConvNeXtXLarge DenseNet121 DenseNet169 DenseNet201 "
    "EfficientNetB0 EfficientNetB1 EfficientNetB2 EfficientNetB3 EfficientNetB4 EfficientNetB5 EfficientNetB6 "
    "EfficientNetB7 EfficientNetV2B0 EfficientNetV2B1 EfficientNetV2B2 EfficientNetV2B3 EfficientNetV2S "
    "EfficientNetV2M EfficientNetV2L InceptionResNetV2 InceptionV3 MobileNet MobileNetV2 MobileNetV3Small "
    "MobileNetV3Large NASNetMobile NASNetLarge ResNet50 ResNet101 ResNet152 ResNet50V2 ResNet101V2 ResNet152V2 VGG16 "
    "VGG19 Xception"
).split()
# The smallest image side that a model accepts, if it is not 32, and options that make small models even smaller.
SIDES = {"InceptionResNetV2": 75, "InceptionV3": 75, "Xception": 71}
OPTIONS: dict[str, dict[str, Any]] = {"MobileNet": {"alpha": 0.25}, "MobileNetV2": {"alpha": 0.35}}
LIGHT = ("dead_units", "gradient_flow", "update_ratio", "weight_health", "training_curve", "model_output")


def _kernels_of(model: Any) -> dict[str, int]:
    """Layer name → units, in the obvious way: the output channels of every layer with a kernel."""
    units: dict[str, int] = {}
    for layer in model._flatten_layers():
        if any("kernel" in weight.name for weight in layer.weights) and not getattr(layer, "_layers", None):
            units[layer.name] = layer.output.shape[-1]
    return units


def _train_two_steps(name: str, log_dir: Path) -> None:
    side = SIDES.get(name, 32)
    make = getattr(keras.applications, name)
    model = make(weights=None, input_shape=(side, side, 3), classes=5, **OPTIONS.get(name, {}))
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, side, side, 3)).astype(np.float32)
    y = rng.integers(0, 5, 8)
    callback = CNNDiagnostics(log_dir, probe=(x, y), verbose=0, diagnostics=LIGHT)
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[callback])
    history = History.of(read_run(log_dir / "cnndiag"))
    assert {layer.path.rsplit("/")[-1]: layer.units for layer in history.layers} == _kernels_of(model)
    assert all(layer.seen_at for layer in history.layers)
    assert np.isfinite(history.series("dead_units", "dead_ratio").values).all()
    assert np.isfinite(history.series("gradient_flow", "gradient_norm").values).all()
    assert history.layers[-1].output


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV3Small", "VGG16"])
def test_two_steps(name: str, tmp_path: Path) -> None:
    _train_two_steps(name, tmp_path)


def test_every_model_is_listed() -> None:
    models = {name for name in dir(keras.applications) if name[0].isupper()}
    assert models == set(MEMBERS)


@pytest.mark.nightly
@pytest.mark.parametrize("name", MEMBERS)
def test_two_steps_of_every_model(name: str) -> None:
    command = [sys.executable, "-m", "tests.capture.test_architectures", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-2000:]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        _train_two_steps(sys.argv[1], Path(home))
