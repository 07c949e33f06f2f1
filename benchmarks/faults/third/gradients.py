"""Gradients that fade or grow over depth, and units that live at their bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import initializers, layers, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import Data
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import faulty, fit, onto_itself
from benchmarks.faults.third.networks import convnet, dense_autoencoder, mlp
from benchmarks.faults.third.symptoms import first_loss_above, tells_less_than


def _deep_code() -> Trial:
    """An autoencoder of eight layers of sigmoids."""
    data = third("digits")
    model = dense_autoencoder(data, widths=(48, 32, 24, 12, 24, 32, 48), activation="sigmoid")
    return onto_itself("digits", model, optimizers.SGD(0.5, momentum=0.9), epochs=6)


def _weights_of_cars() -> Trial:
    """What cars weigh, in pounds and by squares, at the rate of the tutorial."""
    raw, scaled = third("cars_raw"), third("cars")
    x, xv = (np.delete(table, 3, axis=1) for table in (scaled.x, scaled.xv))
    data = Data(x, raw.x[:, 3], xv, raw.xv[:, 3], 1)
    return trial(data, mlp(data, hidden=(64, 64)), optimizers.SGD(0.01), loss="mse", metrics=("mae",), epochs=8)


def _weighed_by_ten_thousand() -> Trial:
    """A loss weight that was meant for another output."""
    data = third("prints")
    model = convnet(data, blocks=((12,), (24,)), dense=(32,))
    return trial(data, model, optimizers.SGD(0.01, momentum=0.9), compile_options={"loss_weights": [1e4]}, epochs=4)


def _steep(name: str) -> Any:
    return layers.BatchNormalization(
        momentum=0.9, name=name, gamma_initializer=initializers.Constant(60.0 if name == "norm2" else 1.0)
    )


CASES: tuple[Case, ...] = (
    faulty(
        "vanishing: eight dense sigmoids, mnist by SGD",
        fit(
            "mnist",
            mlp,
            lambda: optimizers.SGD(0.1),
            of={"hidden": (40,) * 8, "activation": "sigmoid"},
            epochs=5,
        ),
        shows.both(shows.fades, shows.at_chance),
        "vanishing_gradient",
        tuple(f"hidden{i}" for i in range(1, 9)),
    ),
    faulty(
        "vanishing: a deep code of sigmoids, digits",
        _deep_code,
        shows.both(shows.fades, tells_less_than(0.6)),
        "vanishing_gradient",
        tuple(f"layer{i}" for i in range(1, 8)),
    ),
    faulty(
        "vanishing: seven sigmoid convolutions under averages, prints",
        fit(
            "prints",
            convnet,
            lambda: optimizers.RMSprop(1e-3),
            of={"blocks": ((12, 12, 12), (16, 16, 16, 16)), "activation": "sigmoid", "pooling": "Average"},
            epochs=4,
        ),
        shows.both(shows.fades, shows.at_chance),
        "vanishing_gradient",
        (*(f"conv{i}" for i in range(1, 8)), *(f"act{i}" for i in range(1, 8)), "fc1"),
    ),
    faulty(
        "exploding: exponentials for activations, views",
        fit(
            "views",
            convnet,
            lambda: optimizers.Adam(1e-3),
            of={"blocks": ((12, 12), (16, 16)), "activation": "exponential"},
            epochs=3,
        ),
        shows.broken,
        "exploding_gradient",
        (*(f"conv{i}" for i in range(1, 5)), *(f"act{i}" for i in range(1, 5)), "fc1", "output"),
        ("nan_or_inf",),
    ),
    faulty(
        "exploding: a loss weighed by ten thousand, prints",
        _weighed_by_ten_thousand,
        shows.both(first_loss_above(1e5), shows.either(shows.broken, shows.at_chance)),
        "exploding_gradient",
        ("conv1", "conv2", "fc1", "output"),
        ("learning_rate_too_high", "nan_or_inf"),
    ),
    faulty(
        "exploding: pounds that cars weigh, by squares",
        _weights_of_cars,
        shows.both(first_loss_above(1e7), shows.either(shows.broken, tells_less_than(1.0))),
        "exploding_gradient",
        ("hidden1", "hidden2", "output"),
        ("learning_rate_too_high", "nan_or_inf"),
    ),
    faulty(
        "saturated: scales of 60 before tanh, views",
        fit(
            "views",
            convnet,
            lambda: optimizers.SGD(0.01, momentum=0.9),
            of={"activation": "tanh", "norm": _steep},
            epochs=4,
        ),
        shows.pinned("act2", 0.95),
        "saturated_activation",
        ("conv2", "norm2", "act2"),
    ),
    faulty(
        "saturated: sigmoids over weights of deviation 30, a table",
        fit(
            "cancer",
            mlp,
            lambda: optimizers.Adam(1e-3),
            of=lambda: {
                "activation": "sigmoid",
                "of": {"hidden1": {"kernel_initializer": initializers.RandomNormal(stddev=30.0)}},
            },
            epochs=10,
        ),
        shows.pinned("hidden1", 0.95, (0, 1)),
        "saturated_activation",
        ("hidden1",),
        ("bad_init",),
    ),
    faulty(
        "saturated: ReLU6 above six throughout, digits",
        fit(
            "digits",
            convnet,
            lambda: optimizers.SGD(2e-3),
            of={
                "activation": "relu6",
                "of": {"fc1": {"bias_initializer": initializers.Constant(25.0)}},
            },
            epochs=5,
        ),
        shows.pinned("fc1", 0.99, (0, 6)),
        "saturated_activation",
        ("fc1",),
    ),
)
