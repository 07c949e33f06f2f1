"""Gradients that fade or grow over depth, and units that live at their bounds."""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers, layers, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.second.data import pictures, second
from benchmarks.faults.second.make import faulty, fit, split
from benchmarks.faults.second.networks import resnet, tutorial, vgg

_BLOCKS = tuple(f"block{b}_conv{i}" for b in (1, 2) for i in range(1, 5))


def _square_sums() -> Trial:
    """An autoencoder whose loss adds all pixels up instead of taking their mean."""
    x = pictures()
    options: dict[str, Any] = {"padding": "same", "activation": "relu"}
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            layers.Conv2D(16, 3, strides=2, name="encode1", **options),
            layers.Conv2D(24, 3, strides=2, name="encode2", **options),
            layers.Conv2DTranspose(16, 3, strides=2, name="decode1", **options),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="image"),
        ]
    )
    model.compile(optimizers.SGD(0.01, momentum=0.9), lambda y, p: ops.sum((y - p) ** 2))
    return split(model, x, x, epochs=5)


def _summed() -> Trial:
    """Features added up over time, not averaged, before a layer of sigmoids."""
    data = second("heartbeats")
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(16, 5, activation="relu", name="conv_a")(inputs)
    x = layers.Conv1D(24, 5, activation="relu", name="conv_b")(x)
    x = layers.Lambda(lambda v: 4 * ops.sum(v, axis=1), name="pool")(x)
    x = layers.Dense(32, activation="tanh", name="hidden")(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="output")(x))
    return trial(data, model, optimizers.SGD(0.01), epochs=5)


def _sharpened() -> Trial:
    """A temperature that multiplies where it should divide."""
    data = second("gratings")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 5, strides=2, activation="relu", name="conv2d")(inputs)
    x = layers.Conv2D(24, 3, name="conv2d_1")(x)
    x = layers.Activation("tanh", name="squash")(layers.Rescaling(500.0, name="temperature")(x))
    x = layers.Dense(data.classes, activation="softmax", name="probs")(layers.Flatten()(x))
    return trial(data, keras.Model(inputs, x), optimizers.Adam(1e-3), epochs=5)


CASES: tuple[Case, ...] = (
    faulty(
        "vanishing: sigmoids in eight convolutions, letters",
        fit(
            "glyphs",
            vgg,
            lambda: optimizers.SGD(0.1, momentum=0.9),
            of={"widths": (8, 12), "each": 4, "activation": "sigmoid", "init": "glorot_uniform"},
            epochs=4,
        ),
        shows.both(shows.fades, shows.at_chance),
        "vanishing_gradient",
        (*_BLOCKS, "fc1"),
    ),
    faulty(
        "vanishing: seven dense layers of sigmoids behind one convolution",
        fit(
            "sounds",
            tutorial,
            lambda: optimizers.Adagrad(0.01),
            of={"filters": (12,), "dense": (32,) * 7, "activation": "sigmoid"},
            epochs=6,
        ),
        shows.both(shows.fades, shows.at_chance),
        "vanishing_gradient",
        ("conv2d", "dense", *(f"dense_{i}" for i in range(1, 5))),
    ),
    faulty(
        "vanishing: nine tanh layers of weights too small, spectra",
        fit(
            "spectra",
            vgg,
            lambda: optimizers.SGD(0.05),
            of=lambda: {"widths": (12, 12, 12), "each": 3, "activation": "tanh",
                        "init": initializers.RandomUniform(-0.06, 0.06)},
            epochs=5,
        ),
        shows.at_chance,
        "vanishing_gradient",
        (*(f"block{b}_conv{i}" for b in (1, 2, 3) for i in (1, 2, 3)), "fc1"),
        ("bad_init",),
    ),
    faulty(
        "exploding: squares added up over all pixels of an autoencoder",
        _square_sums,
        shows.either(shows.broken, shows.swings),
        "exploding_gradient",
        ("encode1", "encode2", "decode1", "image"),
        ("learning_rate_too_high", "nan_or_inf"),
    ),
    faulty(
        "exploding: each shortcut added twice, no normalisation",
        fit(
            "toys",
            resnet,
            lambda: optimizers.SGD(1e-4),
            of={"blocks": 4, "widths": (12, 16), "norm": False, "doubled": True},
            epochs=4,
        ),
        shows.either(shows.broken, also_shows.starts_badly),
        "exploding_gradient",
        ("conv1_conv", *(f"conv{s}_block{b}_{i}_conv" for s in (2, 3) for b in range(1, 5) for i in (1, 2)),
         "conv2_block1_0_conv", "conv3_block1_0_conv", *(f"conv{s}_block{b}_add" for s in (2, 3) for b in range(1, 5))),
        ("bad_init", "learning_rate_too_high", "nan_or_inf"),
    ),
    faulty(
        "exploding: squares for an activation, clips",
        fit(
            "clips",
            vgg,
            lambda: optimizers.SGD(0.01),
            of={"widths": (8, 12), "each": 2, "activation": lambda x: x * x},
            epochs=4,
        ),
        shows.either(shows.broken, also_shows.starts_badly),
        "exploding_gradient",
        ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "fc1", "predictions"),
        ("nan_or_inf",),
    ),
    faulty(
        "saturated: features of heartbeats added up before tanh",
        _summed,
        shows.pinned("hidden", 0.97),
        "saturated_activation",
        ("hidden",),
    ),
    faulty(
        "saturated: a temperature that multiplies, gratings",
        _sharpened,
        shows.pinned("squash", 0.95),
        "saturated_activation",
        ("squash", "conv2d_1"),
    ),
    faulty(
        "saturated: sigmoids over weights of deviation 40, letters",
        fit(
            "glyphs",
            tutorial,
            lambda: optimizers.Adam(1e-3),
            of=lambda: {"of": {"dense": {"activation": "sigmoid",
                                         "kernel_initializer": initializers.RandomNormal(stddev=40.0)}}},
            epochs=5,
        ),
        shows.pinned("dense", 0.9, (0, 1)),
        "saturated_activation",
        ("dense",),
        ("bad_init",),
    ),
)  # fmt: skip
