"""Units that never fire, and filters of which one is as good as several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import initializers, layers, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.third.make import faulty, fit
from benchmarks.faults.third.networks import convnet, mlp
from benchmarks.faults.third.symptoms import as_by_rate, clusters_within, entirely_dead, scale_near_nothing

_DEEP = tuple(f"hidden{i}" for i in range(1, 21))


def _mostly_zero(share: float) -> Callable[..., Any]:
    """Scales of which a share starts at 0, the others at 1."""
    return lambda shape, dtype=None: (np.arange(shape[0]) >= round(share * shape[0])).astype("float32")


def repeated(own: int, noise: float) -> Callable[..., Any]:
    """So many filters of He's deviation, again and again, with a little noise over them."""

    def draw(shape: Any, dtype: Any = None) -> Any:
        rng = np.random.default_rng(51)
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        few = rng.normal(0, deviation, (*shape[:-1], own))
        again = few[..., np.arange(shape[-1]) % own]
        return (again + rng.normal(0, noise * deviation, shape)).astype("float32")

    return draw


CASES: tuple[Case, ...] = (
    faulty(
        "dead: twenty ReLU layers of two units, born dead",
        fit(
            "circles",
            mlp,
            lambda: optimizers.SGD(0.01, momentum=0.9),
            of={"hidden": (2,) * 20, "init": "he_normal"},
            epochs=8,
        ),
        shows.both(entirely_dead(*_DEEP), as_by_rate),
        "dead_units",
        _DEEP,
        ("vanishing_gradient",),
    ),
    faulty(
        "dead: ReLU(0.0), whose first argument is its maximum",
        fit(
            "prints",
            convnet,
            of={"acts": {"act2": lambda name: layers.ReLU(0.0, name=name)}},
            epochs=4,
        ),
        shows.both(entirely_dead("act2"), shows.at_chance),
        "dead_units",
        ("conv2", "act2"),
    ),
    faulty(
        "dead: scales that begin at zero where there is no shortcut",
        fit(
            "views",
            convnet,
            lambda: optimizers.SGD(0.05, momentum=0.9),
            of={
                "blocks": ((16,), (24,), (32,)),
                "dense": (),
                "norm": lambda name: layers.BatchNormalization(
                    momentum=0.9, name=name, gamma_initializer=_mostly_zero(0.7 if name == "norm2" else 0.0)
                ),
            },
            epochs=5,
        ),
        shows.both(shows.dead("act2", 0.65), scale_near_nothing("norm2", 0.65)),
        "dead_units",
        ("conv2", "norm2", "act2"),
    ),
    faulty(
        "dead: biases between -40 and -20 in the second hidden layer of a table",
        fit(
            "cancer",
            mlp,
            lambda: optimizers.Adam(1e-3),
            of=lambda: {
                "hidden": (48, 32, 16),
                "of": {"hidden2": {"bias_initializer": initializers.RandomUniform(-40.0, -20.0)}},
            },
            epochs=12,
        ),
        shows.dead("hidden2", 0.95),
        "dead_units",
        ("hidden2",),
    ),
    faulty(
        "dead: bright pixels under weights drawn below zero",
        fit(
            "mnist",
            convnet,
            lambda: optimizers.RMSprop(1e-3),
            of=lambda: {"of": {"conv1": {"kernel_initializer": initializers.RandomUniform(-0.2, 0.0)}}},
            epochs=4,
        ),
        shows.both(shows.dead("act1", 0.9), shows.at_chance),
        "dead_units",
        ("conv1", "act1"),
        ("bad_init",),
    ),
    faulty(
        "alike: eight first filters, each four times",
        fit(
            "views",
            convnet,
            lambda: optimizers.SGD(0.01, momentum=0.9),
            of={"blocks": ((32,), (24,)), "size": 5, "of": {"conv1": {"kernel_initializer": repeated(8, 0.03)}}},
            epochs=5,
        ),
        shows.both(shows.alike("conv1", 0.8), clusters_within("conv1", 0.4)),
        "redundant_filters",
        ("conv1",),
    ),
    faulty(
        "alike: a dense layer of 96 made of 24",
        fit(
            "mnist",
            mlp,
            lambda: optimizers.SGD(0.02),
            of={"hidden": (96, 48), "of": {"hidden1": {"kernel_initializer": repeated(24, 0.02)}}},
            epochs=5,
        ),
        shows.both(shows.alike("hidden1", 0.8), clusters_within("hidden1", 0.4)),
        "redundant_filters",
        ("hidden1",),
    ),
)
