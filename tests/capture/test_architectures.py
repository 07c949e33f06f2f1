"""Every family of keras.applications, its smallest member, trained for two steps with the callback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.history import History
from tb_cnndiag.summaries.reader import read_run

# Family → (smallest member, side of its images, arguments).
FAMILIES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "convnext": ("ConvNeXtTiny", 32, {}),
    "densenet": ("DenseNet121", 32, {}),
    "efficientnet": ("EfficientNetB0", 32, {}),
    "efficientnet_v2": ("EfficientNetV2B0", 32, {}),
    "inception_resnet_v2": ("InceptionResNetV2", 75, {}),
    "inception_v3": ("InceptionV3", 75, {}),
    "mobilenet": ("MobileNet", 32, {"alpha": 0.25}),
    "mobilenet_v2": ("MobileNetV2", 32, {"alpha": 0.35}),
    "mobilenet_v3": ("MobileNetV3Small", 32, {}),
    "nasnet": ("NASNetMobile", 32, {}),
    "resnet": ("ResNet50", 32, {}),
    "resnet_v2": ("ResNet50V2", 32, {}),
    "vgg": ("VGG16", 32, {}),
    "xception": ("Xception", 71, {}),
}
IN_CI = ("mobilenet", "mobilenet_v3", "vgg")


def _kernels_of(model: Any) -> dict[str, int]:
    """Layer name → units, by the plain way: output channels of whatever has a kernel."""
    found: dict[str, int] = {}
    for layer in model._flatten_layers():
        if any("kernel" in weight.name for weight in layer.weights) and not getattr(layer, "_layers", None):
            found[layer.name] = layer.output.shape[-1]
    return found


@pytest.mark.parametrize("family", [f if f in IN_CI else pytest.param(f, marks=pytest.mark.nightly) for f in FAMILIES])
def test_two_steps_of_each_family(family: str, tmp_path: Path, rng: np.random.Generator) -> None:
    name, side, options = FAMILIES[family]
    make = getattr(keras.applications, name)
    model = make(weights=None, input_shape=(side, side, 3), classes=5, **options)
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = rng.normal(size=(8, side, side, 3)).astype(np.float32)
    y = rng.integers(0, 5, 8)
    callback = CNNDiagnostics(tmp_path, probe=(x, y), verbose=0, diagnostics=LIGHT)
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[callback])
    history = History.of(read_run(tmp_path / "cnndiag"))
    expected = _kernels_of(model)
    assert {layer.path.rsplit("/")[-1]: layer.units for layer in history.layers} == expected
    assert all(layer.seen_at for layer in history.layers)
    assert np.isfinite(history.series("dead_units", "dead_ratio").values).all()
    assert np.isfinite(history.series("gradient_flow", "gradient_norm").values).all()
    assert history.layers[-1].output


LIGHT = ("dead_units", "gradient_flow", "update_ratio", "weight_health", "training_curve", "model_output")
