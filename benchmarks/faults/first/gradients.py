"""Gradients that vanish or explode."""

from __future__ import annotations

from keras import initializers, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.first.make import LOW, Cases, fitted
from benchmarks.faults.first.networks import chain, shortcut

CASES = Cases()


CASES.faulty(
    "sixteen residual blocks of twice the weights, no norm",
    lambda: fitted(
        "volumes",
        shortcut,
        optimizers.SGD(0.01),
        of={"blocks": 16, "width": 8, "norm": None, "init": initializers.VarianceScaling(8.0)},
        epochs=4,
    ),
    shows.either(shows.broken, also_shows.starts_badly),
    "exploding_gradient",
    ("stem", *(f"r{i}{side}" for i in range(16) for side in "ab")),
    ("bad_init", "learning_rate_too_high", "nan_or_inf"),
)

CASES.faulty(
    "seven Conv1D of four times the weights",
    lambda: fitted(
        "signals",
        chain,
        optimizers.SGD(1e-3, momentum=0.9),
        of={"widths": (16,) * 7, "init": initializers.VarianceScaling(32.0)},
        epochs=4,
    ),
    shows.either(shows.broken, shows.at_chance),
    "exploding_gradient",
    tuple(f"c{i}" for i in range(1, 8)),
    ("bad_init", "learning_rate_too_high", "nan_or_inf"),
)

for _name, _make, _depth in (
    (
        "eight sigmoid Conv1D, RMSprop",
        lambda: fitted(
            "signals",
            chain,
            optimizers.RMSprop(1e-3),
            of={"widths": (12,) * 8, "activation": "sigmoid", "init": "glorot_uniform"},
            epochs=6,
        ),
        8,
    ),
    (
        "six sigmoid Conv3D, SGD",
        lambda: fitted(
            "volumes",
            chain,
            optimizers.SGD(0.05),
            of={"widths": (8,) * 6, "activation": "sigmoid", "init": "glorot_normal"},
            epochs=5,
        ),
        6,
    ),
    (
        "nine hard sigmoids on photos",
        lambda: fitted(
            "photos",
            chain,
            optimizers.Adam(1e-3),
            of={"widths": (12,) * 9, "activation": "hard_sigmoid", "init": "glorot_uniform"},
            epochs=5,
        ),
        9,
    ),
):
    CASES.faulty(
        f"vanishing: {_name}",
        _make,
        shows.both(shows.fades, LOW),
        "vanishing_gradient",
        tuple(f"c{i}" for i in range(1, _depth + 1)),
    )
