"""Healthy trainings on volumes (Conv3D) and faces."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops, optimizers

from benchmarks.faults.case import Trial
from benchmarks.faults.first.data import first
from benchmarks.faults.first.make import Cases, centred, fit
from benchmarks.faults.first.networks import (
    chain,
    inception,
    mobile,
    shortcut,
    squeezed,
    twin,
    unet,
)
from benchmarks.faults.first.symptoms import well, well_falls

CASES = Cases()


CASES.healthy("Conv3D", fit("volumes", chain, lambda: optimizers.Adam(5e-3), of={"widths": (12, 24)}, epochs=16))

CASES.healthy(
    "Conv3D, BN, SGD with momentum",
    fit("volumes", chain, lambda: optimizers.SGD(0.05, 0.9), of={"norm": "batch"}, epochs=10),
)

CASES.healthy("residual Conv3D", fit("volumes", shortcut, lambda: optimizers.Adam(4e-3), epochs=12))

CASES.healthy(
    "Conv3D, ELU, flat, dropout",
    fit("volumes", chain, of={"activation": "elu", "flat": True, "dropout": 0.4}, epochs=10),
)

CASES.healthy("squeezed Conv3D", fit("volumes", squeezed, lambda: optimizers.Adam(3e-3), epochs=10))

CASES.healthy("Conv3D, batches of 8 with GroupNorm", fit("volumes", chain, of={"norm": "group"}, batch=8, epochs=6))

CASES.healthy(
    "Conv3D, Adafactor", fit("volumes", chain, lambda: optimizers.Adafactor(0.02), of={"norm": "batch"}, epochs=12)
)

CASES.healthy("one epoch of Conv3D", fit("volumes", chain, epochs=1), well(0.0))


_two: dict[str, Any] = {"loss": "binary_crossentropy", "y": lambda y: y.astype("float32")}

CASES.healthy(
    "faces, one sigmoid, squeezed", fit("faces", squeezed, of={"units": 1, "head": "sigmoid"}, epochs=8, **_two)
)

CASES.healthy(
    "faces, leaky, RMSprop",
    fit("faces", chain, lambda: optimizers.RMSprop(1e-3), of={"activation": "leaky_relu"}, epochs=14),
)

CASES.healthy("faces, mobile net", fit("faces", mobile, lambda: optimizers.Adam(4e-3), epochs=20))

CASES.healthy("faces, two epochs", fit("faces", inception, x=centred, epochs=2), well(0.0))

CASES.healthy("faces, GroupNorm, batches of 4", fit("faces", chain, of={"norm": "group"}, batch=4, epochs=8))

CASES.healthy(
    "faces, residual with BN, batches of 16",
    fit("faces", shortcut, lambda: optimizers.SGD(0.05, 0.9), batch=16, epochs=14),
)


def _face_images() -> Trial:
    data = first("faces")
    x, xv = data.x[:, :24, :24], data.xv[:, :24, :24]
    model = unet(x.shape[1:])
    model.compile(optimizers.Adam(2e-3), "mse")
    return Trial(model, x, x, (xv, xv), epochs=10)


def _alike_faces() -> Trial:
    data = first("faces")
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, len(data.x), (2, 800))
    model = twin(data, epsilon=1e-6)

    def contrastive(y: Any, distance: Any) -> Any:
        return y * distance**2 + (1 - y) * ops.maximum(1.0 - distance, 0.0) ** 2

    model.compile(optimizers.Adam(1e-3), contrastive)
    same = (data.y[a] == data.y[b]).astype("float32")[:, None]
    return Trial(model, [data.x[a], data.x[b]], same, epochs=8)


def _picture_and_numbers() -> Trial:
    data = first("photos")

    def numbers(x: Any) -> Any:
        return np.concatenate([x.mean(axis=(1, 2)), x.std(axis=(1, 2))], axis=1)

    image, facts = keras.Input(data.shape, name="image"), keras.Input((6,), name="facts")
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(image)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x))
    x = layers.Concatenate()([x, layers.Dense(12, activation="relu", name="d1")(facts)])
    model = keras.Model({"image": image, "facts": facts}, layers.Dense(6, activation="softmax", name="out")(x))
    model.compile(optimizers.Adam(4e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    parts = [{"image": v, "facts": numbers(v)} for v in (data.x, data.xv)]
    return Trial(model, parts[0], data.y, (parts[1], data.yv), epochs=12)


CASES.healthy("faces to faces, U-Net", _face_images, well_falls(0.5))

CASES.healthy("siamese faces", _alike_faces, well_falls(0.8))

CASES.healthy("a picture and numbers, both by name", _picture_and_numbers, well_falls(0.6))
