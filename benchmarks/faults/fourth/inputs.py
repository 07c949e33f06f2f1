"""What is fed in: pixels and columns in their own units, gaps, and logarithms of nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.fourth.make import adam, faulty, fit, sgd
from benchmarks.faults.fourth.networks import simple, vgg
from benchmarks.faults.third.networks import mlp
from benchmarks.faults.third.symptoms import not_a_number_within, tells_less_than

_INPUT, _NAN = "unnormalised_input", "nan_or_inf"


def _bytes(x: Any) -> Any:
    return np.round(255 * x).astype("float32")


def _sixteen_bits(x: Any) -> Any:
    return np.round(65535 * x).astype("float32")


def _with_gaps(x: Any) -> Any:
    """Three images have lost a row of pixels, as a damaged file has."""
    x = x.copy()
    x[5::100, 3] = np.nan
    return x


def _logarithms(x: Any) -> Any:
    """Of every column, though there are zeros in two."""
    with np.errstate(divide="ignore"):
        return np.log(x)


CASES: tuple[Case, ...] = (
    faulty(
        "input: pixels of 0 to 255 into a VGG by SGD, materials",
        fit("materials", vgg, sgd(5e-3), x=_bytes, epochs=4),
        shows.both(shows.wide_input, shows.worse_than(0.6)),
        _INPUT,
        ("block1_conv1",),
        ("exploding_gradient", "nan_or_inf"),
    ),
    faulty(
        "input: images of sixteen bits as they are, tanh, glyphs",
        fit("glyphs", simple, x=_sixteen_bits, of={"activation": "tanh"}, epochs=5),
        shows.both(shows.wide_input, shows.worse_than(0.8)),
        _INPUT,
        ("block1_conv1",),
        ("saturated_activation",),
    ),
    faulty(
        "input: houses with their columns in their own units",
        fit("housing_raw", mlp, adam(0.02), of={"activation": "tanh", "hidden": (32, 16)}, epochs=30),
        shows.both(shows.wide_input, tells_less_than(0.6)),
        _INPUT,
        ("hidden1",),
        ("saturated_activation",),
    ),
    faulty(
        "NaN: rows of pixels missing in a few images, materials",
        fit("materials", vgg, x=_with_gaps, of={"per_block": 1}, epochs=3),
        shows.both(not_a_number_within, shows.broken),
        _NAN,
    ),
    faulty(
        "NaN: logarithms of columns with zeros, houses",
        fit("housing_raw", mlp, x=_logarithms, epochs=8),
        shows.both(not_a_number_within, shows.broken),
        _NAN,
    ),
)
