"""Heads that do not fit their loss or targets."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, optimizers

from benchmarks.faults.case import Trial
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.first.data import first, masks, pitches
from benchmarks.faults.first.make import Cases, fitted
from benchmarks.faults.first.networks import chain, shortcut, squeezed, unet

CASES = Cases()


def _ratings(head: str, shift: float) -> Trial:
    x, turns = pitches()
    data = first("signals")
    model = chain(type(data)(x, turns, x, turns, 1), units=1, head=head, norm="batch")
    model.compile(optimizers.Adam(3e-3), "mse")
    y = turns + shift
    return Trial(model, x[:800], y[:800], (x[800:], y[800:]), epochs=8)


def _two_heads() -> Trial:
    data = first("faces")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x)
    x = layers.Flatten()(x)
    face = layers.Dense(1, activation="softmax", name="face")(x)
    bright = layers.Dense(1, name="bright")(x)
    model = keras.Model(inputs, [bright, face])
    model.compile(optimizers.Adam(2e-3), ["mse", "binary_crossentropy"], metrics=[[], ["accuracy"]])
    light, held = data.x.mean(axis=(1, 2, 3)), data.xv.mean(axis=(1, 2, 3))
    y, yv = data.y.astype("float32"), data.yv.astype("float32")
    return Trial(model, data.x, [light, y], (data.xv, [held, yv]), epochs=6)


def _segment(scale: float, head: Any = "sigmoid") -> Trial:
    x, y = masks()
    model = unet(x.shape[1:], head=head)
    model.compile(optimizers.Adam(2e-3), "binary_crossentropy")
    return Trial(model, x[:256], scale * y[:256], (x[256:], scale * y[256:]), epochs=5)


CASES.faulty(
    "softmax of one unit over squeezed features, faces",
    lambda: fitted(
        "faces", squeezed, of={"units": 1}, loss="binary_crossentropy", y=lambda y: y.astype("float32"), epochs=6
    ),
    also_shows.constant_answer(),
    "output_loss_mismatch",
    ("out",),
)

CASES.faulty(
    "scores without softmax, residual net on photos",
    lambda: fitted("photos", shortcut, optimizers.SGD(0.05), of={"last": {"activation": None}}, epochs=6),
    also_shows.not_shares,
    "output_loss_mismatch",
    ("out",),
)

CASES.faulty(
    "a sigmoid for turns from 2 to 10",
    lambda: _ratings("sigmoid", 0.0),
    also_shows.out_of_reach,
    "output_loss_mismatch",
    ("out",),
)

CASES.faulty(
    "a rectified answer for targets mostly below zero",
    lambda: _ratings("relu", -9.0),
    also_shows.out_of_reach,
    "output_loss_mismatch",
    ("out",),
)

CASES.faulty(
    "second head a softmax of one unit",
    _two_heads,
    also_shows.constant_answer(1),
    "output_loss_mismatch",
    ("face",),
)

CASES.faulty(
    "masks of 0 and 255 under cross-entropy, U-Net",
    lambda: _segment(255.0),
    also_shows.out_of_reach,
    "output_loss_mismatch",
    ("out",),
)
