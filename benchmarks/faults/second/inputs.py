"""What is fed in: raw units, units scaled twice, gaps; and arithmetic that ends in NaN."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.second.data import crowds, second
from benchmarks.faults.second.make import faulty, fit, split
from benchmarks.faults.second.networks import branches, resnet, tutorial, vgg
from benchmarks.faults.second.symptoms import narrow, wide


class ByItsMaximum(layers.Layer):
    """Divides each sample's maps by their largest value, which may be 0."""

    def call(self, x: Any) -> Any:
        """The scaled maps."""
        return x / ops.max(x, axis=(1, 2, 3), keepdims=True)


def _bytes() -> Trial:
    """The first tutorial of all, without its ``/ 255``."""
    data = load("mnist")
    return trial(data, tutorial(data), optimizers.SGD(0.01), x=lambda x: np.round(255 * x), epochs=5, samples=900)


def _pixels_and_year(data: Any) -> Trial:
    """Images in 0 … 1 beside a year and a distance in metres as they are."""
    rng = np.random.default_rng(6)

    def facts(y: Any) -> Any:
        year, metres = 1990 + 5 * (y % 2) + rng.normal(0, 4, len(y)), 4000 + 300 * rng.normal(size=len(y))
        return np.stack([year, metres], axis=1).astype("float32")

    image, numbers = keras.Input(data.shape, name="image"), keras.Input((2,), name="facts")
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="conv2d")(image)
    x = layers.Flatten()(layers.Conv2D(24, 3, strides=2, activation="relu", name="conv2d_1")(x))
    x = layers.Concatenate()([x, layers.Dense(8, activation="relu", name="facts_dense")(numbers)])
    model = keras.Model({"image": image, "facts": numbers}, layers.Dense(4, activation="softmax", name="kind")(x))
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    parts = [{"image": x, "facts": facts(y)} for x, y in ((data.x, data.y), (data.xv, data.yv))]
    return Trial(model, parts[0], data.y, (parts[1], data.yv), epochs=6)


def _gaps(x: Any) -> Any:
    """A detector that fell silent: a dozen points of some spectra are missing."""
    x = x.copy()
    x[::97, 40:52] = np.nan
    return x


def _empty_maps() -> Trial:
    """Some images are empty, and their maps zero everywhere."""
    data = second("sounds")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(12, 3, strides=2, activation="relu", use_bias=False, name="conv2d")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="conv2d_1")(ByItsMaximum(name="by_maximum")(x))
    x = layers.Dense(data.classes, activation="softmax", name="dense")(layers.Flatten()(x))

    def silenced(x: Any) -> Any:
        return np.where(np.arange(len(x))[:, None, None, None] % 50 == 7, 0, x)

    return trial(data, keras.Model(inputs, x), optimizers.Adam(1e-3), x=silenced, epochs=4)


def _own_poisson() -> Trial:
    """Counts by a rectified head under a Poisson loss of one's own: the logarithm of 0."""
    x, y = crowds()
    model = tutorial(second("gratings"), units=1, head="relu")
    model.compile(optimizers.Adam(2e-3), lambda y, rate: ops.mean(rate - y * ops.log(rate)), metrics=["mae"])
    return split(model, x, y, epochs=4)


def _half_throughout() -> Trial:
    """float16 for everything, Adam's moments and its epsilon included, where mixed precision was meant."""
    keras.config.set_dtype_policy("float16")
    data = second("heartbeats")
    model = tutorial(data, filters=(12, 16), dense=(24,))
    return trial(data, model, optimizers.Adam(1e-3, epsilon=1e-8), epochs=3)


CASES: tuple[Case, ...] = (
    faulty("input: bytes in the first tutorial", _bytes, shows.wide_input, "unnormalised_input", ("conv2d",)),
    faulty(
        "input: detector counts up to 60,000 and tanh, spectra",
        fit("spectra", tutorial, lambda: optimizers.SGD(0.05), of={"activation": "tanh"}, x=lambda x: 60_000 * x,
            epochs=5),
        shows.wide_input,
        "unnormalised_input",
        ("conv1d",),
    ),
    faulty(
        "input: a year and metres beside an image",
        lambda: _pixels_and_year(second("toys")),
        wide("facts"),
        "unnormalised_input",
        ("facts_dense",),
    ),
    faulty(
        "input: divided by 255 twice, letters",
        fit("glyphs", vgg, lambda: optimizers.SGD(0.02, momentum=0.9), x=lambda x: x / 255, epochs=5),
        shows.both(narrow, shows.at_chance),
        "unnormalised_input",
        ("block1_conv1",),
    ),
    faulty(
        "input: pixels shifted by hundreds before a residual net without norm",
        fit("gratings", resnet, lambda: optimizers.Adam(1e-3), of={"norm": False}, x=lambda x: 20 * x + 280, epochs=5),
        shows.both(shows.wide_input, shows.worse_than(0.7)),
        "unnormalised_input",
        ("conv1_conv",),
    ),
    faulty("NaN: gaps in some spectra", fit("spectra", branches, x=_gaps, epochs=3), shows.broken, "nan_or_inf"),
    faulty("NaN: empty maps divided by their maximum", _empty_maps, shows.broken, "nan_or_inf", ("by_maximum",)),
    faulty("NaN: a Poisson loss of one's own over a rectified count", _own_poisson, shows.broken, "nan_or_inf"),
    faulty("NaN: float16 throughout, heartbeats", _half_throughout, shows.broken, "nan_or_inf"),
)  # fmt: skip
