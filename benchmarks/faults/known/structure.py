"""Layers cut off, frozen, or without anything non-linear between them."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.networks import plain


class Stop(layers.Layer):
    """Lets nothing back."""

    def call(self, inputs: Any) -> Any:
        """The inputs, as a constant."""
        return keras.ops.stop_gradient(inputs)


class Threshold(layers.Layer):
    """A hard step, which has no slope."""

    def call(self, inputs: Any) -> Any:
        """0 or 1."""
        return keras.ops.cast(inputs > 0, "float32")


def _cut(name: str, cut: Any) -> Trial:
    data = load(name)
    model = keras.Sequential(
        [
            keras.Input(data.shape),
            layers.Conv2D(16, 3, activation="relu", name="conv1"),
            layers.Conv2D(16, 3, activation="relu", name="conv2"),
            cut,
            layers.MaxPooling2D(),
            layers.Conv2D(24, 2, activation="relu", name="conv3"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(data.classes, activation="softmax", name="head"),
        ]
    )
    return trial(data, model, epochs=6)


def _frozen(name: str, *names: str) -> Trial:
    model = plain(load(name), filters=(16, 24, 24))
    for layer in names:
        model.get_layer(layer).trainable = False
    return trial(load(name), model, epochs=6)


FROZEN = [
    Case(
        "no gradient: stop on digits",
        lambda: _cut("digits", Stop()),
        shows.unmoved("conv1"),
        "frozen_layer",
        ("conv1", "conv2"),
    ),
    Case(
        "no gradient: stop on shapes",
        lambda: _cut("shapes", Stop()),
        shows.unmoved("conv1"),
        "frozen_layer",
        ("conv1", "conv2"),
    ),
    Case(
        "no gradient: threshold on mnist",
        lambda: _cut("mnist", Threshold()),
        shows.unmoved("conv2"),
        "frozen_layer",
        ("conv1", "conv2"),
    ),
    Case(
        "random and frozen: conv1 conv2 conv3 on shapes",
        lambda: _frozen("shapes", "conv1", "conv2", "conv3"),
        shows.unmoved("conv1", "conv2"),
        "frozen_layer",
        ("conv1", "conv2", "conv3"),
    ),
    Case(
        "random and frozen: conv2 conv3 fc1 on mnist",
        lambda: _frozen("mnist", "conv2", "conv3", "fc1"),
        shows.unmoved("conv2", "fc1"),
        "frozen_layer",
        ("conv2", "conv3", "fc1"),
    ),
]


LINEAR = [
    Case(
        f"no activation: {' '.join(names)} on {name}",
        lambda name=name, names=names, pool=pool, norm=norm: trial(
            load(name),
            plain(
                load(name),
                filters=(16, 24, 24, 24),
                dense=(48, 48),
                pool=pool,
                of={layer: {"activation": None} for layer in names},
            ),
            epochs=4,
        ),
        shows.always,
        "missing_activation",
        names,
    )
    for name, names, pool, norm in [
        ("digits", ("conv3",), True, None),
        ("shapes", ("fc1",), True, None),
        ("mnist", ("fc1", "fc2"), True, None),
        ("digits", ("conv1", "conv2", "conv3", "conv4", "fc1", "fc2"), False, None),
        ("shapes", ("conv1",), False, None),
    ]
]
