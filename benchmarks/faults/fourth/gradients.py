"""Gradients that fade or grow over depth, and units that live at their bounds."""

from __future__ import annotations

from keras import initializers, losses, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.fourth.make import faulty, fit, sgd
from benchmarks.faults.fourth.networks import simple, vgg
from benchmarks.faults.third.networks import mlp
from benchmarks.faults.third.symptoms import first_loss_above

_CONVS = tuple(f"block{b}_conv{i}" for b in (1, 2, 3) for i in (1, 2))


CASES: tuple[Case, ...] = (
    faulty(
        "vanishing: sigmoids in all six convolutions, snaps",
        fit(
            "snaps",
            vgg,
            sgd(0.01),
            of={"widths": (12, 16, 24), "activation": "sigmoid", "init": "glorot_uniform"},
            epochs=4,
        ),
        shows.both(shows.fades, shows.at_chance),
        "vanishing_gradient",
        (*_CONVS, "fc1"),
    ),
    faulty(
        "vanishing: ten dense sigmoids by Adam, digits",
        fit("digits", mlp, of={"hidden": (32,) * 10, "activation": "sigmoid"}, epochs=6),
        shows.both(shows.fades, shows.at_chance),
        "vanishing_gradient",
        tuple(f"hidden{i}" for i in range(1, 11)),
    ),
    faulty(
        "exploding: eight dense layers of weights three times He's, mnist",
        fit(
            "mnist",
            mlp,
            sgd(0.01),
            of=lambda: {"hidden": (64,) * 8, "init": initializers.RandomNormal(stddev=0.5)},
            epochs=4,
        ),
        shows.both(first_loss_above(50.0), shows.either(shows.broken, shows.at_chance)),
        "exploding_gradient",
        (*(f"hidden{i}" for i in range(1, 9)), "output"),
        ("bad_init", "nan_or_inf", "learning_rate_too_high"),
    ),
    faulty(
        "exploding: the loss a sum over the batch, materials",
        fit(
            "materials",
            vgg,
            lambda: optimizers.SGD(0.1, momentum=0.9),
            of={"per_block": 1},
            loss=losses.SparseCategoricalCrossentropy(reduction="sum"),
            batch=64,
            epochs=4,
        ),
        shows.either(shows.broken, shows.at_chance),
        "exploding_gradient",
        ("block1_conv1", "block2_conv1", "fc1", "predictions"),
        ("learning_rate_too_high", "nan_or_inf"),
    ),
    faulty(
        "saturated: tanh over weights of deviation 5, mnist",
        fit(
            "mnist",
            mlp,
            of=lambda: {
                "activation": "tanh",
                "of": {"hidden1": {"kernel_initializer": initializers.RandomNormal(stddev=5.0)}},
            },
            epochs=6,
        ),
        shows.pinned("hidden1", 0.95),
        "saturated_activation",
        ("hidden1",),
        ("bad_init",),
    ),
    faulty(
        "saturated: sigmoids over weights from -8 to 8 in the second convolution, glyphs",
        fit(
            "glyphs",
            simple,
            of=lambda: {
                "activation": "sigmoid",
                "of": {"block2_conv1": {"kernel_initializer": initializers.RandomUniform(-8.0, 8.0)}},
            },
            epochs=5,
        ),
        shows.pinned("block2_conv1", 0.95, (0, 1)),
        "saturated_activation",
        ("block2_conv1",),
        ("bad_init",),
    ),
)
