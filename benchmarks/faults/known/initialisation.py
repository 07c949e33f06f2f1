"""Weights that start alike, too large or too small."""

from __future__ import annotations

from keras import initializers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, trial
from benchmarks.faults.data import load
from benchmarks.faults.known.make import ADAM, LOW, SGD
from benchmarks.faults.networks import plain

INIT = [
    Case(
        f"init {label} of {where} on {name}",
        lambda name=name, where=where, init=init, optimizer=optimizer, activation=activation: trial(
            load(name),
            plain(
                load(name),
                filters=(16, 24, 24),
                activation=activation,
                **({"init": init} if where == "all" else {"of": {where: {"kernel_initializer": init}}}),
            ),
            optimizer(),
            epochs=6,
        ),
        symptom,
        "bad_init",
        ("conv1", "conv2", "conv3", "fc1", "head") if where == "all" else (where,),
        also,
    )
    for name, label, where, init, optimizer, activation, symptom, also in [
        ("digits", "zeros", "all", "zeros", ADAM, "relu", shows.alike("conv2"), ()),
        ("mnist", "zeros", "conv2", "zeros", ADAM, "relu", shows.alike("conv2"), ()),
        ("shapes", "zeros", "fc1", "zeros", ADAM, "relu", shows.alike("fc1"), ()),
        ("digits", "ones", "all", "ones", ADAM, "relu", shows.always, ()),
        ("mnist", "0.05", "all", initializers.Constant(0.05), ADAM, "relu", shows.alike("conv2"), ()),
        ("shapes", "0.1", "all", initializers.Constant(0.1), ADAM, "tanh", shows.alike("conv2"), ()),
        (
            "digits",
            "std 3",
            "all",
            initializers.RandomNormal(stddev=3.0),
            ADAM,
            "relu",
            shows.always,
            ("exploding_gradient",),
        ),
        (
            "mnist",
            "std 1",
            "all",
            initializers.RandomNormal(stddev=1.0),
            ADAM,
            "relu",
            shows.always,
            ("exploding_gradient",),
        ),
        (
            "shapes",
            "std 2",
            "all",
            initializers.RandomNormal(stddev=2.0),
            ADAM,
            "relu",
            shows.always,
            ("exploding_gradient",),
        ),
        (
            "digits",
            "std 1e-4",
            "all",
            initializers.RandomNormal(stddev=1e-4),
            SGD,
            "relu",
            LOW,
            ("vanishing_gradient",),
        ),
        (
            "shapes",
            "std 1e-3",
            "all",
            initializers.RandomNormal(stddev=1e-3),
            SGD,
            "tanh",
            LOW,
            ("vanishing_gradient",),
        ),
        ("mnist", "std 1e-4", "all", initializers.RandomNormal(stddev=1e-4), SGD, "relu", LOW, ("vanishing_gradient",)),
    ]
]
