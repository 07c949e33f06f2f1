"""Gradients that vanish or explode."""

from __future__ import annotations

from keras import initializers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, trial
from benchmarks.faults.data import load
from benchmarks.faults.known.make import ADAM, LOW, SGD
from benchmarks.faults.networks import plain

VANISHING = [
    Case(
        f"vanishing: {depth} layers of {activation} with {kind.__name__} on {name}",
        lambda name=name, depth=depth, activation=activation, kind=kind, rate=rate: trial(
            load(name),
            plain(
                load(name),
                filters=(12,) * depth,
                activation=activation,
                init="glorot_uniform",
            ),
            kind(rate),
            epochs=6,
        ),
        shows.both(shows.fades, LOW),
        "vanishing_gradient",
        tuple(f"conv{i}" for i in range(1, depth + 1)),
    )
    for name, depth, activation, kind, rate in [
        ("digits", 6, "sigmoid", SGD, 0.05),
        ("mnist", 8, "sigmoid", SGD, 0.1),
        ("shapes", 7, "sigmoid", SGD, 0.05),
        ("digits", 8, "sigmoid", ADAM, 1e-3),
        ("mnist", 6, "sigmoid", ADAM, 1e-3),
        ("shapes", 10, "sigmoid", ADAM, 1e-3),
    ]
]


EXPLODING = [
    Case(
        f"exploding: {depth} layers, weights × {factor}, SGD {rate} on {name}",
        lambda name=name, depth=depth, factor=factor, rate=rate: trial(
            load(name),
            plain(load(name), filters=(16,) * depth, init=initializers.VarianceScaling(2 * factor**2, "fan_in")),
            SGD(rate),
            epochs=5,
        ),
        shows.either(shows.broken, shows.at_chance),
        "exploding_gradient",
        tuple(f"conv{i}" for i in range(1, depth + 1)),
        ("bad_init", "learning_rate_too_high", "nan_or_inf"),
    )
    for name, depth, factor, rate in [
        ("digits", 8, 3.0, 1e-3),
        ("mnist", 6, 5.0, 1e-3),
        ("shapes", 10, 2.5, 1e-3),
        ("digits", 5, 8.0, 1e-4),
    ]
]
