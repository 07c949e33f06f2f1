"""Heads, losses and targets that do not belong together."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, losses, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import Data
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.second.data import pictures, scenes, second, spots, turned
from benchmarks.faults.second.make import faulty, fit, one_hot, split
from benchmarks.faults.second.networks import mobilenet, tutorial, vgg, written_as_class
from benchmarks.faults.second.symptoms import always_one, below, no_better_than_mean, rectified_away, shares_as_logits

_MISMATCH = "output_loss_mismatch"


def _averaged_shares() -> Trial:
    """Softmax over channels, then a mean over places: shares, which the loss is told are logits."""
    data = second("glyphs")
    model = keras.Sequential(
        [
            keras.Input(data.shape),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Conv2D(data.classes, 1),
            layers.Softmax(),
            layers.GlobalAveragePooling2D(),
        ]
    )
    return trial(
        data, model, optimizers.Adam(2e-3), loss=losses.SparseCategoricalCrossentropy(from_logits=True), epochs=6
    )


def _places() -> Trial:
    """Two coordinates by a softmax."""
    x, y = spots()
    model = vgg(Data(x, y, x, y, 2), widths=(8, 16), each=1)
    model.compile(optimizers.Adam(2e-3), "mse", metrics=["mae"])
    return split(model, x, y, epochs=6)


def _several_shapes() -> Trial:
    """Which shapes are there, by a softmax and categorical cross-entropy."""
    x, y, _ = scenes()
    model = tutorial(second("glyphs"), units=4)
    model.compile(optimizers.Adam(2e-3), "categorical_crossentropy", metrics=["binary_accuracy"])
    return split(model, x, y, epochs=6)


def _degrees() -> Trial:
    """Directions in degrees by a tanh."""
    x, turn = turned()
    model = tutorial(second("gratings"), units=1, head="tanh")
    model.compile(optimizers.RMSprop(1e-3), losses.Huber(), metrics=["mae"])
    return split(model, x, np.rad2deg(turn), epochs=6)


def _signed_pictures() -> Trial:
    """Pictures scaled to -1 … 1 for a decoder that ends in a sigmoid."""
    x = 2 * pictures() - 1
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            layers.Conv2D(24, 3, strides=2, padding="same", activation="relu", name="encoder"),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="code"),
            layers.UpSampling2D(name="upsample"),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="decoder"),
            layers.Conv2D(3, 3, padding="same", activation="sigmoid", name="reconstruction"),
        ]
    )
    model.compile(optimizers.Adam(2e-3), "mse")
    return split(model, x, x, epochs=6)


def _rectified_logits() -> Trial:
    """The habit of an activation in every layer, the logits included."""
    data = second("gratings")
    model = tutorial(data, head="relu", filters=(12, 16), dense=(24,))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    return trial(data, model, optimizers.Adam(1e-3), loss=loss, epochs=6)


def _own_cross_entropy(y: Any, p: Any) -> Any:
    """The sign forgotten: the likelihood is made small."""
    return ops.mean(ops.sum(y * ops.log(p + 1e-7), axis=-1))


CASES: tuple[Case, ...] = (
    faulty("head: shares given as logits, fully convolutional", _averaged_shares, shares_as_logits, _MISMATCH,
           ("softmax", "global_average_pooling2d", "conv2d_2")),
    faulty(
        "head: one sigmoid for five kinds of sound",
        fit("sounds", tutorial, of={"units": 1, "head": "sigmoid"}, loss="binary_crossentropy", epochs=5),
        shows.worse_than(0.5),
        _MISMATCH,
        ("dense_1",),
    ),
    faulty(
        "head: squares of class numbers against a softmax, letters",
        fit("glyphs", tutorial, loss="mse", y=lambda y: y[:, None], epochs=6),
        below(0.3),
        _MISMATCH,
        ("dense_1",),
    ),
    faulty(
        "head: tanh under binary cross-entropy, heartbeats regular or not",
        fit(
            "heartbeats",
            tutorial,
            lambda: optimizers.SGD(0.05, momentum=0.9),
            of={"units": 1, "head": "tanh"},
            y=lambda y: np.where(y == 0, -1, 1).astype("float32"),
            loss="binary_crossentropy",
            epochs=6,
        ),
        shows.both(shows.worse_than(0.85), shows.swings),
        _MISMATCH,
        ("dense_1",),
    ),
    faulty("head: two coordinates by a softmax", _places, shows.both(always_one, no_better_than_mean(0.4)),
           _MISMATCH, ("predictions",)),
    faulty("head: several shapes at once by a softmax", _several_shapes, always_one, _MISMATCH, ("dense_1",)),
    faulty("head: degrees by a tanh", _degrees, also_shows.out_of_reach, _MISMATCH, ("dense_1",)),
    faulty("head: pictures from -1 to 1 by a sigmoid", _signed_pictures, also_shows.out_of_reach, _MISMATCH,
           ("reconstruction",)),
    faulty("head: rectified logits, gratings", _rectified_logits, rectified_away("dense_1", 0.05), _MISMATCH,
           ("dense_1",)),
    faulty(
        "head: logits of a class, the loss not told of it, letters",
        fit("glyphs", written_as_class, lambda: optimizers.SGD(0.02, momentum=0.9), epochs=5),
        shows.both(also_shows.not_shares, shows.worse_than(0.7)),
        _MISMATCH,
        ("fc",),
    ),
    faulty(
        "head: a cross-entropy without its minus, toys",
        fit("toys", mobilenet, lambda: optimizers.SGD(0.01), loss=_own_cross_entropy, y=one_hot(4), epochs=5),
        below(0.4),
        _MISMATCH,
        ("predictions",),
    ),
)  # fmt: skip
