"""Layers with nothing non-linear between them, and layers that no gradient reaches or moves."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as from_first
from benchmarks.faults.fourth.data import fourth
from benchmarks.faults.fourth.make import faulty, fit, sgd
from benchmarks.faults.fourth.networks import simple, vgg
from benchmarks.faults.third.networks import mlp


def _base_without_weights() -> Trial:
    """A base frozen for transfer, whose weights were never loaded."""
    data = fourth("snaps")
    model = vgg(data, widths=(8, 8, 8), per_block=2, dense=())
    for layer in model.layers:
        if layer.name.startswith("block"):
            layer.trainable = False
    return trial(data, model, optimizers.SGD(0.01), epochs=5)


def _rounded() -> Trial:
    """Maps rounded to whole numbers, as for a network of integers."""
    data = fourth("glyphs")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, activation="relu", name="conv1")(inputs)
    x = layers.Lambda(lambda v: ops.round(4 * v), name="quantise")(layers.MaxPooling2D()(x))
    x = layers.MaxPooling2D()(layers.Conv2D(24, 3, activation="relu", name="conv2")(x))
    x = layers.Dense(data.classes, activation="softmax", name="output")(layers.Flatten()(x))
    return trial(data, keras.Model(inputs, x), optimizers.Adam(1e-3), epochs=5)


_NONE: dict[str, Any] = {"activation": None}
_LINEAR = "missing_activation"

CASES: tuple[Case, ...] = (
    faulty(
        "no activation: the first of two convolutions in the second block, snaps",
        fit("snaps", vgg, of={"of": {"block2_conv1": _NONE}}, epochs=4),
        from_first.linear("block2_conv1", "block2_conv1"),
        _LINEAR,
        ("block2_conv1",),
    ),
    faulty(
        "no activation: the dense layer before the head, mnist",
        fit("mnist", simple, sgd(0.01), of={"of": {"fc1": _NONE}}, epochs=4),
        from_first.linear("fc1", "fc1"),
        _LINEAR,
        ("fc1",),
    ),
    faulty(
        "no activation: in no hidden layer for houses (DeepLocalize)",
        fit("housing", mlp, of={"hidden": (64, 64), "activation": None}, epochs=12),
        from_first.linear("hidden1", "hidden2"),
        _LINEAR,
        ("hidden1", "hidden2"),
    ),
    faulty(
        "frozen: a base that was to be trained elsewhere and never was, snaps",
        _base_without_weights,
        shows.both(shows.unmoved("block1_conv1", "block2_conv2", "block3_conv2"), shows.worse_than(0.75)),
        "frozen_layer",
        tuple(f"block{b}_conv{i}" for b in (1, 2, 3) for i in (1, 2)),
    ),
    faulty(
        "frozen: maps rounded to whole numbers behind the first convolution, glyphs",
        _rounded,
        shows.unmoved("conv1"),
        "frozen_layer",
        ("conv1", "quantise"),
    ),
)
