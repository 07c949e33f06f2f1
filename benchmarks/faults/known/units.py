"""Units that are saturated, dead or twins."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import initializers, regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, trial
from benchmarks.faults.data import load
from benchmarks.faults.networks import plain


def _bias(value: float) -> dict[str, Any]:
    return {"bias_initializer": initializers.Constant(value)}


def _half_dead(share: float) -> dict[str, Any]:
    def draw(shape: Any, dtype: Any = None) -> Any:
        return np.where(np.arange(shape[0]) < share * shape[0], -5.0, 0.0).astype("float32")

    return {"bias_initializer": draw}


def _twins(repeat: int, noise: float = 0.0) -> dict[str, Any]:
    """Every filter ``repeat`` times, give or take some noise."""

    def draw(shape: Any, dtype: Any = None) -> Any:
        rng = np.random.default_rng(3)
        fan_in = int(np.prod(shape[:-1]))
        one = rng.normal(0, np.sqrt(2 / fan_in), (*shape[:-1], -(-shape[-1] // repeat)))
        twins = np.repeat(one, repeat, axis=-1)[..., : shape[-1]]
        return (twins + rng.normal(0, noise * np.sqrt(2 / fan_in), shape)).astype("float32")

    return {"kernel_initializer": draw}


DEAD = (
    [
        Case(
            f"dead {layer} by bias {value} on {name}",
            lambda name=name, layer=layer, value=value: trial(
                load(name), plain(load(name), filters=(16, 24, 24), of={layer: _bias(value)}), epochs=6
            ),
            shows.dead(layer),
            "dead_units",
            (layer,),
        )
        for name, layer, value in [
            ("mnist", "conv2", -4.0),
            ("digits", "conv2", -5.0),
            ("shapes", "conv3", -4.0),
            ("digits", "fc1", -12.0),
            ("mnist", "conv1", -3.0),
            ("shapes", "fc1", -15.0),
        ]
    ]
    + [
        Case(
            f"dead: {share:.0%} of {layer} on {name}",
            lambda name=name, layer=layer, share=share: trial(
                load(name), plain(load(name), of={layer: _half_dead(share)}), epochs=6
            ),
            shows.dead(layer),
            "dead_units",
            (layer,),
        )
        for name, layer, share in [("digits", "conv2", 0.6), ("mnist", "conv1", 0.75), ("shapes", "conv2", 0.7)]
    ]
    + [
        Case(
            "dead conv2 by an L1 penalty on digits",
            lambda: trial(
                load("digits"),
                plain(load("digits"), filters=(16, 32, 32), of={"conv2": {"kernel_regularizer": regularizers.L1(0.3)}}),
                epochs=10,
            ),
            shows.dead("conv2"),
            "dead_units",
            ("conv2",),
            ("collapsed_output", "redundant_filters"),
        ),
    ]
)


SATURATED = [
    Case(
        f"saturated: {layer} of tanh, weights × {factor} on {name}",
        lambda name=name, layer=layer, factor=factor: trial(
            load(name),
            plain(
                load(name),
                activation="tanh",
                init="glorot_uniform",
                filters=(16, 24, 24),
                of={layer: {"kernel_initializer": initializers.VarianceScaling(factor**2, "fan_in")}},
            ),
            epochs=6,
        ),
        shows.pinned(layer, 0.95),
        "saturated_activation",
        (layer,),
        ("bad_init",),
    )
    for name, layer, factor in [("digits", "conv2", 150), ("mnist", "fc1", 100), ("shapes", "conv3", 200)]
] + [
    Case(
        f"saturated: bias {value} under {activation} in {layer} on {name}",
        lambda name=name, layer=layer, activation=activation, value=value: trial(
            load(name),
            plain(load(name), filters=(16, 24, 24), of={layer: {"activation": activation, **_bias(value)}}),
            epochs=6,
        ),
        shows.pinned(layer, bounds=(0, 1) if activation == "sigmoid" else (-1, 1)),
        "saturated_activation",
        (layer,),
    )
    for name, layer, activation, value in [("digits", "conv2", "tanh", 20.0), ("mnist", "fc1", "sigmoid", -30.0)]
]


REDUNDANT = [
    Case(
        f"redundant: {layer}, each filter {repeat} times, noise {noise}, on {name}",
        lambda name=name, layer=layer, repeat=repeat, noise=noise: trial(
            load(name), plain(load(name), filters=(16, 32, 32), of={layer: _twins(repeat, noise)}), epochs=5
        ),
        shows.alike(layer),
        "redundant_filters",
        (layer,),
    )
    for name, layer, repeat, noise in [
        ("digits", "conv2", 2, 0.05),
        ("mnist", "conv3", 4, 0.05),
        ("shapes", "conv2", 3, 0.1),
        ("mnist", "fc1", 2, 0.02),
    ]
]
