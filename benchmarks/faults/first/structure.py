"""Nothing non-linear between layers, layers that do not learn, filters alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Trial, trial
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.first.data import first
from benchmarks.faults.first.make import Cases, fitted
from benchmarks.faults.first.networks import chain, shortcut

CASES = Cases()


CASES.faulty(
    "no activation: the second of three Conv1D",
    lambda: fitted(
        "signals", chain, of={"widths": (16, 24, 24), "pools": 0, "of": {"c2": {"activation": None}}}, epochs=4
    ),
    also_shows.linear("c2", "c2"),
    "missing_activation",
    ("c2",),
)

CASES.faulty(
    "no activation: between two dense layers on volumes",
    lambda: fitted(
        "volumes", chain, of={"flat": True, "dense": (48, 32), "of": {"d1": {"activation": None}}}, epochs=4
    ),
    also_shows.linear("d1", "d1"),
    "missing_activation",
    ("d1",),
)


class OnlyHead(keras.Model):
    """A training step that a programmer has limited to the last layer."""

    def train_step(self, data: Any) -> Any:
        """Gradients of the output layer alone."""
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=(told := self(x, training=True)))
        own = self.layers[-1].trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in own]), own, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, told)
        return {m.name: m.result() for m in self.metrics}


class Quantised(layers.Layer):
    """Rounds to eighths, which has no slope."""

    def call(self, inputs: Any) -> Any:
        """Rounded inputs."""
        return ops.round(8 * inputs) / 8


def _only_head() -> Trial:
    data = first("photos")
    model = chain(data, widths=(12, 16, 16))
    return trial(data, OnlyHead(model.inputs, model.outputs), optimizers.SGD(0.1), epochs=6)


def _quantised() -> Trial:
    data = first("signals")
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(16, 5, activation="relu", name="c1")(inputs)
    x = layers.Conv1D(16, 5, strides=2, name="c2")(x)
    x = layers.Conv1D(24, 3, activation="relu", name="c3")(layers.ReLU()(Quantised()(x)))
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="out")(x))
    return trial(data, model, epochs=6)


def _random_features() -> Trial:
    data = first("photos")
    model = shortcut(data, norm="group")
    for name in ("r0a", "r0b", "r1a", "r1b"):
        model.get_layer(name).trainable = False
    return trial(data, model, epochs=6)


CASES.faulty(
    "frozen: rounded in the middle of signals", _quantised, shows.unmoved("c1", "c2"), "frozen_layer", ("c1", "c2")
)

CASES.faulty(
    "frozen: random residual blocks",
    _random_features,
    shows.unmoved("r0a", "r1b"),
    "frozen_layer",
    ("r0a", "r0b", "r1a", "r1b"),
)

CASES.faulty(
    "frozen: a training step for the head alone",
    _only_head,
    shows.unmoved("c1", "c3"),
    "frozen_layer",
    ("c1", "c2", "c3"),
)


def _tiled(repeat: int, noise: float) -> Callable[..., Any]:
    """A few kernels tiled along the filters, as ``np.tile`` does, with a little noise."""

    def draw(shape: Any, dtype: Any = None) -> Any:
        rng = np.random.default_rng(11)
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        few = rng.normal(0, deviation, (*shape[:-1], -(-shape[-1] // repeat)))
        every = np.concatenate([few] * repeat, axis=-1)[..., : shape[-1]]
        return (every + rng.normal(0, noise * deviation, shape)).astype("float32")

    return draw


for _data, _net, _layer, _of, _repeat in (
    ("signals", chain, "c2", {"size": 5}, 3),
    ("volumes", chain, "c2", {}, 2),
    ("photos", chain, "c3", {"widths": (16, 24, 32)}, 4),
):
    CASES.faulty(
        f"alike: {_layer} tiled {_repeat} times, {_data}",
        lambda data=_data, net=_net, layer=_layer, of=_of, repeat=_repeat: fitted(
            data, net, of={**of, "of": {layer: {"kernel_initializer": _tiled(repeat, 0.05)}}}, epochs=4
        ),
        shows.alike(_layer),
        "redundant_filters",
        (_layer,),
    )
