"""Inputs in raw units, of another range, or scaled twice."""

from typing import Any

import keras
import numpy as np
from keras import layers, optimizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import Training, Trial, faulty, fit, shows
from benchmarks.corpus.data import load
from benchmarks.corpus.lazy import layer


def _scaled(factor: Any, offset: Any = 0) -> Any:
    return lambda x: factor * x + offset


def _levels(most: Any) -> Any:
    """Pixels as whole numbers up to ``most``."""
    return lambda x: np.round(most * x).astype("float32")


def _pixels_and_year() -> Any:
    """Images in 0 … 1 next to a year and a distance in meters as they are."""
    data = load("toys")
    rng = np.random.default_rng(6)

    def facts(y: Any) -> Any:
        year, meters = 1990 + 5 * (y % 2) + rng.normal(0, 4, len(y)), 4000 + 300 * rng.normal(size=len(y))
        return np.stack([year, meters], axis=1).astype("float32")

    image, numbers = keras.Input(data.shape, name="image"), keras.Input((2,), name="facts")
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="conv2d")(image)
    x = layers.Flatten()(layers.Conv2D(24, 3, strides=2, activation="relu", name="conv2d_1")(x))
    x = layers.Concatenate()([x, layers.Dense(8, activation="relu", name="facts_dense")(numbers)])
    model = keras.Model({"image": image, "facts": numbers}, layers.Dense(4, activation="softmax", name="kind")(x))
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    parts = [{"image": x, "facts": facts(y)} for x, y in ((data.x, data.y), (data.xv, data.yv))]
    return Trial(model, parts[0], data.y, (parts[1], data.yv), epochs=6)


CASES = faulty(
    "unnormalised_input",
    known={
        f"input × {factor} + {offset} with {kind} on {data}": shows(sym.wide_input(), "conv1").of(
            fit(data, net.plain(), by.BY_NAME[kind](rate), x=_scaled(factor, offset), epochs=6))
        for data, factor, offset, kind, rate in (
            ("mnist", 255, 0, "SGD", 0.05), ("shapes", 255, 0, "Adam", 2e-3), ("digits", 1000, 0, "SGD", 0.01),
            ("mnist", 1, 300, "Adam", 2e-3), ("digits", 255, 0, "Adam", 0.01), ("shapes", 65535, 0, "SGD", 0.01),
        )
    },
    first={
        "pixels to 255 in an inception net": shows(sym.wide_input(), "b0_k1 b0_k3 b0_k5 b0_pool").of(
            fit("photos", net.inception(), by.sgd(0.01), x=lambda x: 255 * x, epochs=5)),
        "signals in millivolts on an offset, RMSprop": shows(sym.wide_input(), "c1").of(
            fit("signals", net.chain(), by.rmsprop(1e-3), x=lambda x: 400 * x + 1200, epochs=6)),
        "volumes in Hounsfield units, ELU": shows(sym.wide_input(), "c1").of(
            fit("volumes", net.chain(activation="elu"), x=lambda x: 2000 * x - 1000, epochs=5)),
    },
    second={
        "input: bytes in the first tutorial": shows(sym.wide_input(), "conv2d").of(
            fit("mnist", net.tutorial(), by.sgd(0.01), x=lambda x: np.round(255 * x), epochs=5, samples=900)),
        "input: detector counts up to 60,000 and tanh, spectra": shows(sym.wide_input(), "conv1d").of(
            fit("spectra", net.tutorial(activation="tanh"), by.sgd(0.05), x=lambda x: 60_000 * x, epochs=5)),
        "input: a year and metres beside an image": shows(sym.wide_input("facts"), "facts_dense").of(
            Training(_pixels_and_year)),
        "input: divided by 255 twice, letters": shows(sym.narrow_input & sym.at_chance, "block1_conv1").of(
            fit("glyphs", net.blocks(), by.sgd(0.02, 0.9), x=lambda x: x / 255, epochs=5)),
        "input: pixels shifted by hundreds before a residual net without norm":
            shows(sym.wide_input() & sym.worse_than(0.7), "conv1_conv").of(
                fit("gratings", net.resnet(norm=False), by.adam(1e-3), x=lambda x: 20 * x + 280, epochs=5)),
    },
    third={
        "input: the wine table in its own units": shows(sym.wide_input() & sym.worse_than(0.8), "hidden1").of(
            fit("wine_raw", net.mlp(hidden=(32, 16)), by.sgd(0.01), epochs=20)),
        "input: the breast cancer table in its own units under sigmoids":
            shows(sym.wide_input() & sym.worse_than(0.93), "hidden1").of(
                fit("cancer_raw", net.mlp(activation="sigmoid"), by.adam(1e-3), epochs=10)),
        "input: a Normalization never adapted": shows(sym.wide_input() & sym.worse_than(0.9), "normalization conv1").of(
            fit("views", net.convnet(before=(layer.Normalization(name="normalization"),), activation="tanh"),
                by.sgd(0.01, 0.9), x=_levels(255), epochs=5)),
        "input: cars in pounds and cubic inches, tanh":
            shows(sym.wide_input() & sym.explains_less_than(0.5), "hidden1").of(
                fit("cars_raw", net.mlp(activation="tanh"), by.sgd(0.01), epochs=20)),
        "input: bytes divided by 256 without a remainder":
            shows(sym.constant_input & sym.at_chance, "C1", also="collapsed_output").of(
                fit("views", net.lenet(), x=lambda x: _levels(255)(x) // 256, epochs=4)),
    },
    fourth={
        "input: pixels of 0 to 255 into a VGG by SGD, materials":
            shows(sym.wide_input() & sym.worse_than(0.6), "block1_conv1", also="exploding_gradient nan_or_inf").of(
                fit("materials", net.vgg(), by.sgd(5e-3, 0.9), x=_levels(255), epochs=4)),
        "input: images of sixteen bits as they are, tanh, glyphs":
            shows(sym.wide_input() & sym.worse_than(0.8), "block1_conv1", also="saturated_activation").of(
                fit("glyphs", net.simple(activation="tanh"), by.adam(1e-3), x=_levels(65535), epochs=5)),
        "input: houses with their columns in their own units":
            shows(sym.wide_input() & sym.explains_less_than(0.6), "hidden1", also="saturated_activation").of(
                fit("housing_raw", net.mlp(activation="tanh", hidden=(32, 16)), by.adam(0.02), epochs=30)),
    },
)  # fmt: skip
