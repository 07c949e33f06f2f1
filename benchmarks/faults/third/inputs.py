"""What is fed in: raw columns, pixels of another range, gaps; and arithmetic that ends in NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.second.make import one_hot
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import faulty, fit
from benchmarks.faults.third.networks import convnet, lenet, mlp
from benchmarks.faults.third.symptoms import not_a_number_within, same_everywhere, tells_less_than

_INPUT, _NAN = "unnormalised_input", "nan_or_inf"


def _bytes(x: Any) -> Any:
    return np.round(255 * x).astype("float32")


def _never_adapted() -> Trial:
    """A Normalization that was never shown the data, and passes on what it is given."""
    data = third("views")
    model = convnet(data, before=(layers.Normalization(name="normalization"),), activation="tanh")
    return trial(data, model, optimizers.SGD(0.01, momentum=0.9), x=_bytes, epochs=5)


def _by_deviation_of_each_pixel() -> Trial:
    """Pixels at the rim are 0 in all images, and so is their deviation."""
    data = third("digits")
    mean, deviation = data.x.mean(axis=0), data.x.std(axis=0)

    def standardised(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return (x - mean) / deviation

    return trial(data, mlp(data), optimizers.Adam(1e-3), x=standardised, epochs=4)


def _own_divergence(y: Any, p: Any) -> Any:
    """Of labels that are 0 but for one, with the logarithm of each."""
    return ops.sum(y * ops.log(y / p), axis=-1)


CASES: tuple[Case, ...] = (
    faulty(
        "input: the wine table in its own units",
        fit("wine_raw", mlp, lambda: optimizers.SGD(0.01), of={"hidden": (32, 16)}, epochs=20),
        shows.both(shows.wide_input, shows.worse_than(0.8)),
        _INPUT,
        ("hidden1",),
    ),
    faulty(
        "input: the breast cancer table in its own units under sigmoids",
        fit("cancer_raw", mlp, lambda: optimizers.Adam(1e-3), of={"activation": "sigmoid"}, epochs=10),
        shows.both(shows.wide_input, shows.worse_than(0.93)),
        _INPUT,
        ("hidden1",),
    ),
    faulty(
        "input: a Normalization never adapted",
        _never_adapted,
        shows.both(shows.wide_input, shows.worse_than(0.9)),
        _INPUT,
        ("normalization", "conv1"),
    ),
    faulty(
        "input: cars in pounds and cubic inches, tanh",
        fit(
            "cars_raw",
            mlp,
            lambda: optimizers.SGD(0.01),
            of={"activation": "tanh"},
            epochs=20,
        ),
        shows.both(shows.wide_input, tells_less_than(0.5)),
        _INPUT,
        ("hidden1",),
    ),
    faulty(
        "input: bytes divided by 256 without a remainder",
        fit("views", lenet, x=lambda x: _bytes(x) // 256, epochs=4),
        shows.both(same_everywhere, shows.at_chance),
        _INPUT,
        ("C1",),
        ("collapsed_output",),
    ),
    faulty(
        "NaN: the names of cars among their numbers",
        fit("cars_named", mlp, of={"hidden": (32, 16)}, epochs=5),
        shows.both(not_a_number_within, shows.broken),
        _NAN,
    ),
    faulty("NaN: each pixel by its own deviation, which may be 0", _by_deviation_of_each_pixel,
           shows.both(not_a_number_within, shows.broken), _NAN),
    faulty(
        "NaN: a square root for an activation, prints",
        fit("prints", convnet, of={"activation": lambda x: ops.sqrt(ops.relu(x))}, epochs=3),
        shows.broken,
        _NAN,
    ),
    faulty(
        "NaN: a divergence of one's own from one-hot labels, mnist",
        fit("mnist", lenet, loss=_own_divergence, y=one_hot(10), epochs=3),
        shows.broken,
        _NAN,
    ),
)  # fmt: skip
