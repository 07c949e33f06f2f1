"""Units that never fire, and filters of which one is as good as several."""

from __future__ import annotations

from typing import Any

from keras import initializers, layers, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.fourth.make import faulty, fit, sgd
from benchmarks.faults.fourth.networks import simple, vgg
from benchmarks.faults.third.networks import mlp
from benchmarks.faults.third.symptoms import clusters_within, entirely_dead
from benchmarks.faults.third.units import repeated


def _shifted_down(name: str) -> Any:
    """Normalisation whose shift begins at -9 in the first block."""
    low = initializers.Constant(-9.0 if name.startswith("block1") else 0.0)
    return layers.BatchNormalization(momentum=0.9, name=name, beta_initializer=low)


def _steps_down() -> Any:
    """Half an epoch at a rate far too high, then the usual one."""
    return optimizers.Adam(optimizers.schedules.PiecewiseConstantDecay([20], [0.5, 1e-3]))


CASES: tuple[Case, ...] = (
    faulty(
        "dead: biases of -8 in the last convolution, snaps",
        fit(
            "snaps",
            vgg,
            of=lambda: {"of": {"block2_conv2": {"bias_initializer": initializers.Constant(-8.0)}}},
            epochs=4,
        ),
        shows.both(shows.dead("block2_conv2", 0.9), shows.at_chance),
        "dead_units",
        ("block2_conv2",),
        ("bad_init",),
    ),
    faulty(
        "dead: twenty steps of Adam at 0.5 before 0.001, dense layers on digits",
        fit("digits", mlp, _steps_down, of={"hidden": (64, 48)}, epochs=6),
        shows.dead("hidden2", 0.6),
        "dead_units",
        ("hidden1", "hidden2"),
        ("learning_rate_too_high",),
    ),
    faulty(
        "dead: a shift of -9 behind the normalisation of the first block, grounds",
        fit("grounds", vgg, sgd(0.01), of={"norm": _shifted_down, "per_block": 1}, epochs=4),
        shows.both(entirely_dead("block1_conv1_act"), shows.at_chance),
        "dead_units",
        ("block1_conv1", "block1_conv1_bn", "block1_conv1_act"),
        ("bad_init",),
    ),
    faulty(
        "alike: eight filters of the second block, each four times, snaps",
        fit(
            "snaps",
            vgg,
            of={"per_block": 1, "of": {"block2_conv1": {"kernel_initializer": repeated(8, 0.02)}}},
            epochs=4,
        ),
        shows.both(shows.alike("block2_conv1", 0.8), clusters_within("block2_conv1", 0.4)),
        "redundant_filters",
        ("block2_conv1",),
    ),
    faulty(
        "alike: 48 first filters of 7 by 7 copied from six, photos",
        fit(
            "photos",
            simple,
            sgd(5e-3),
            of={
                "widths": (48, 24),
                "of": {"block1_conv1": {"kernel_size": 7, "kernel_initializer": repeated(6, 0.02)}},
            },
            epochs=4,
        ),
        shows.both(shows.alike("block1_conv1", 0.8), clusters_within("block1_conv1", 0.3)),
        "redundant_filters",
        ("block1_conv1",),
    ),
)
