"""Data, width, time and batches that do not fit each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import constraints, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as from_first
from benchmarks.faults.first.data import first
from benchmarks.faults.second.symptoms import told_apart
from benchmarks.faults.third.make import faulty, fit
from benchmarks.faults.third.networks import convnet, mlp
from benchmarks.faults.third.symptoms import falls_short


def _faces_before_all() -> Trial:
    """Class weights from a set where faces are seldom, on one where they are not."""
    data = first("faces")
    done = trial(data, convnet(data, blocks=((12,), (16,)), dense=(24,)), optimizers.Adam(1e-3), epochs=12)
    done.options = {"class_weight": {0: 1.0, 1: 5000.0}}
    return done


def _shuffled(y: Any) -> Any:
    return np.random.default_rng(len(y) + 1).permutation(y)


CASES: tuple[Case, ...] = (
    faulty("collapsed: faces that weigh 5000 times as much", _faces_before_all, shows.one_answer, "collapsed_output",
           ("output",)),
    faulty(
        "collapsed: weights of the head held to a length of 0.0001, views",
        fit(
            "views",
            convnet,
            lambda: optimizers.SGD(0.05, momentum=0.9),
            of=lambda: {"of": {"output": {"kernel_constraint": constraints.MaxNorm(1e-4)}}},
            epochs=5,
        ),
        shows.both(shows.one_answer, shows.at_chance),
        "collapsed_output",
        ("output",),
        ("underfitting",),
    ),
    faulty(
        "overfitting: thirty patches of four pictures",
        fit(
            "prints",
            convnet,
            lambda: optimizers.Adam(3e-3),
            of={"blocks": ((16,), (24,)), "dense": (192,)},
            samples=30,
            batch=10,
            epochs=36,
        ),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "overfitting: progression of a disease by two wide layers",
        fit(
            "diabetes",
            mlp,
            lambda: optimizers.Adam(2e-3),
            of={"hidden": (256, 256)},
            y=lambda y: y / 100,
            epochs=60,
        ),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "overfitting: diagnoses given to the wrong patients",
        fit(
            "cancer",
            mlp,
            lambda: optimizers.Adam(2e-3),
            of={"hidden": (256, 128)},
            y=_shuffled,
            epochs=40,
        ),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "underfitting: a straight line between two circles",
        fit("circles", mlp, lambda: optimizers.Adam(0.01), of={"hidden": ()}, epochs=20),
        falls_short(0.65),
        "underfitting",
        (),
    ),
    faulty(
        "underfitting: mnist through two tanh units",
        fit(
            "mnist",
            mlp,
            lambda: optimizers.Adam(3e-3),
            of={"hidden": (2,), "activation": "tanh"},
            epochs=14,
        ),
        falls_short(0.75),
        "underfitting",
        ("hidden1",),
    ),
    faulty(
        "underfitting: four fifths dropped behind every layer, digits",
        fit(
            "digits",
            mlp,
            lambda: optimizers.Adam(2e-3),
            of={"hidden": (32, 32, 32), "dropout": 0.8, "activation": "elu"},
            epochs=25,
        ),
        falls_short(0.6),
        "underfitting",
    ),
    faulty(
        "batches of 2, a normalised table",
        fit(
            "cancer",
            mlp,
            lambda: optimizers.Adam(2e-3),
            of={"norm": True, "hidden": (48, 24)},
            batch=2,
            epochs=5,
        ),
        shows.both(from_first.noisy_statistics("bn1", 2), told_apart),
        "batch_too_small_for_bn",
    ),
    faulty(
        "batches of 1, of which nothing is left but the shift, digits",
        fit("digits", mlp, lambda: optimizers.Adam(1e-3), of={"norm": True}, batch=1, samples=400, epochs=3),
        falls_short(0.25),
        "batch_too_small_for_bn",
    ),
)  # fmt: skip
