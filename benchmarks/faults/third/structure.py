"""Layers with nothing non-linear between them, and layers that no gradient reaches or moves."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as from_first
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import faulty, fit, onto_itself
from benchmarks.faults.third.networks import conv_autoencoder, convnet, mlp


def _all_but_the_head() -> Trial:
    """The loop of a lesson on transfer learning, over a net that nothing has been learned by."""
    data = third("views")
    model = convnet(data, blocks=((8,), (12,), (12,)), dense=(16,))
    for layer in model.layers[:-1]:
        layer.trainable = False
    return trial(data, model, optimizers.SGD(0.05), epochs=6)


def _signs() -> Trial:
    """A binary network without the straight-through estimate."""
    data = third("digits")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, padding="same", name="conv1")(inputs)
    x = layers.Lambda(lambda v: ops.sign(v), name="binarise")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(24, 3, padding="same", activation="relu", name="conv2")(x)
    x = layers.Dense(data.classes, activation="softmax", name="output")(layers.Flatten()(x))
    return trial(data, keras.Model(inputs, x), optimizers.Adam(1e-3), epochs=5)


def _stopped_code() -> Trial:
    """An autoencoder whose code has been taken out of the graph."""
    stop = layers.Lambda(lambda code: ops.stop_gradient(code), name="code")
    model = conv_autoencoder(third("mnist"), between=(stop,))
    return onto_itself("mnist", model, optimizers.Adam(2e-3), epochs=3)


_NONE: dict[str, Any] = {"activation": None}
_LINEAR = "missing_activation"

CASES: tuple[Case, ...] = (
    faulty(
        "no activation: three dense layers in a row, digits",
        fit("digits", mlp, of={"hidden": (64, 48, 32), "activation": None}, epochs=5),
        from_first.linear("hidden1", "hidden3"),
        _LINEAR,
        ("hidden1", "hidden2", "hidden3"),
    ),
    faulty(
        "no activation: convolutions and dense layers alike, prints (UMLAUT)",
        fit(
            "prints",
            convnet,
            lambda: optimizers.Adam(1e-3),
            of={"blocks": ((16, 16), (24,)), "activation": "linear", "pooling": "Average"},
            epochs=4,
        ),
        from_first.linear("conv1", "fc1"),
        _LINEAR,
        ("conv1", "act1", "conv2", "act2", "conv3", "act3", "fc1"),
    ),
    faulty(
        "no activation: the second dense layer for miles per gallon",
        fit(
            "cars",
            mlp,
            lambda: optimizers.Adam(5e-3),
            of={"hidden": (64, 64, 32), "of": {"hidden2": _NONE}},
            y=lambda y: y / 10,
            epochs=15,
        ),
        from_first.linear("hidden2", "hidden2"),
        _LINEAR,
        ("hidden2",),
    ),
    faulty(
        "frozen: all but the head of a net that knows nothing, views",
        _all_but_the_head,
        shows.both(shows.unmoved("conv1", "conv2", "conv3", "fc1"), shows.worse_than(0.75)),
        "frozen_layer",
        ("conv1", "conv2", "conv3", "fc1"),
    ),
    faulty("frozen: signs behind the first convolution, digits", _signs, shows.unmoved("conv1"), "frozen_layer",
           ("conv1", "binarise")),
    faulty(
        "frozen: the encoder behind a stopped gradient",
        _stopped_code,
        shows.unmoved("encoder1", "encoder2"),
        "frozen_layer",
        ("encoder1", "encoder2", "code"),
    ),
)  # fmt: skip
