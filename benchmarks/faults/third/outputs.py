"""Heads, losses and targets that do not belong together."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, losses, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as from_first
from benchmarks.faults.second.make import one_hot
from benchmarks.faults.second.symptoms import shares_as_logits
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import faulty, fit, onto_itself
from benchmarks.faults.third.networks import conv_autoencoder, dense_autoencoder, lenet, mlp
from benchmarks.faults.third.symptoms import as_by_rate, no_chances, out_of_unit, tells_less_than

_MISMATCH = "output_loss_mismatch"


def _own_softmax(scores: Any) -> Any:
    """Written out, so that Keras does not find the scores behind it."""
    risen = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return risen / ops.sum(risen, axis=-1, keepdims=True)


def _twice() -> Trial:
    """Shares by a softmax of one's own, for a loss that is told they are logits."""
    data = third("prints")
    inputs = keras.Input(data.shape)
    x = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu", name="conv1")(inputs))
    x = layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu", name="conv2")(x))
    x = layers.Dense(data.classes, name="scores")(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Lambda(_own_softmax, name="shares")(x))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    return trial(data, model, optimizers.Adam(1e-3), loss=loss, epochs=6)


def _pixels_that_sum_to_one() -> Trial:
    """A softmax over the pixels of an image."""
    model = dense_autoencoder(third("digits"), head="softmax")
    return onto_itself("digits", model, optimizers.Adam(2e-3), epochs=8)


def _pixels_below_zero() -> Trial:
    """Pixels by tanh under the cross-entropy that goes with a sigmoid."""
    model = conv_autoencoder(third("mnist"), head="tanh")
    return onto_itself("mnist", model, optimizers.Adam(2e-3), "binary_crossentropy", epochs=3)


CASES: tuple[Case, ...] = (
    faulty(
        "head: a softmax of one unit for a table",
        fit(
            "cancer",
            mlp,
            lambda: optimizers.RMSprop(1e-3),
            of={"head": "softmax", "dropout": 0.2},
            epochs=10,
        ),
        shows.both(from_first.constant_answer(), shows.worse_than(0.75)),
        _MISMATCH,
        ("output",),
    ),
    faulty(
        "head: ten rectified units under categorical cross-entropy, LeNet",
        fit(
            "mnist",
            lenet,
            lambda: optimizers.SGD(0.01),
            of={"head": "relu"},
            loss="categorical_crossentropy",
            y=one_hot(10),
            epochs=5,
        ),
        from_first.not_shares,
        _MISMATCH,
        ("output",),
    ),
    faulty(
        "head: a rectified unit under binary cross-entropy, a table",
        fit(
            "cancer",
            mlp,
            lambda: optimizers.Adam(1e-3),
            of={"head": "relu", "hidden": (12, 12)},
            epochs=15,
        ),
        shows.either(out_of_unit(0.2), as_by_rate),
        _MISMATCH,
        ("output",),
    ),
    faulty(
        "head: miles per gallon by a sigmoid",
        fit(
            "cars",
            mlp,
            lambda: optimizers.Adam(3e-3),
            of={"head": "sigmoid"},
            epochs=20,
        ),
        shows.both(from_first.out_of_reach, tells_less_than(1.0)),
        _MISMATCH,
        ("output",),
    ),
    faulty(
        "head: labels of 1 and 2 for a sigmoid",
        fit(
            "cancer",
            mlp,
            lambda: optimizers.Adam(1e-3),
            y=lambda y: y + 1,
            epochs=10,
        ),
        shows.both(no_chances, shows.worse_than(0.5)),
        _MISMATCH,
        ("output",),
    ),
    faulty("head: a softmax over the pixels of an autoencoder", _pixels_that_sum_to_one,
           tells_less_than(0.9), _MISMATCH, ("pixels",)),
    faulty("head: a softmax in the model and one in the loss, prints", _twice, shares_as_logits, _MISMATCH,
           ("shares", "scores")),
    faulty("head: pixels by tanh under binary cross-entropy", _pixels_below_zero, out_of_unit(0.02), _MISMATCH,
           ("decoded",)),
)  # fmt: skip
