"""Heads, losses and targets that do not belong together, and answers that are all the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import metrics, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as from_first
from benchmarks.faults.fourth.data import fourth
from benchmarks.faults.fourth.make import faulty, fit, sgd
from benchmarks.faults.fourth.networks import simple, vgg
from benchmarks.faults.fourth.symptoms import loss_for_nothing
from benchmarks.faults.second.symptoms import always_one
from benchmarks.faults.third.healthy_targets import three_traits
from benchmarks.faults.third.networks import mlp
from benchmarks.faults.third.symptoms import tells_less_than

_MISMATCH = "output_loss_mismatch"


def _one_class_counts() -> Trial:
    """A weight of class 2 with three zeros too many."""
    done = fit("prints", vgg, of={"per_block": 1}, epochs=4)()
    done.options = {"class_weight": {0: 1.0, 1: 1.0, 2: 1000.0, 3: 1.0}}
    return done


def _class_after_class() -> Trial:
    """Images folder by folder, and ``shuffle=False``."""
    data = fourth("materials")
    done = trial(data, simple(data, widths=(16, 24)), optimizers.SGD(0.02, momentum=0.9), epochs=5)
    order = np.argsort(data.y, kind="stable")
    done.x, done.y, done.options = data.x[order], data.y[order], {"shuffle": False}
    return done


def _as_rows(y: Any) -> Any:
    """One number a row, as ``categorical_crossentropy`` wants two dimensions."""
    return y.astype("float32")[:, None]


CASES: tuple[Case, ...] = (
    faulty(
        "head: one sigmoid under categorical cross-entropy, faces",
        fit(
            "faces",
            simple,
            of={"units": 1, "head": "sigmoid"},
            y=_as_rows,
            loss="categorical_crossentropy",
            metrics=(metrics.BinaryAccuracy(name="accuracy"),),
            epochs=8,
        ),
        loss_for_nothing,
        _MISMATCH,
        ("predictions",),
    ),
    faulty(
        "head: no activation under a cross-entropy of shares, photos",
        fit("photos", vgg, sgd(0.01), of={"per_block": 1, "head": None}, epochs=5),
        from_first.not_shares,
        _MISMATCH,
        ("predictions",),
    ),
    faulty(
        "head: prices of houses by tanh",
        fit("housing", mlp, of={"head": "tanh"}, epochs=20),
        shows.both(from_first.out_of_reach, tells_less_than(1.0)),
        _MISMATCH,
        ("output",),
    ),
    faulty(
        "head: a softmax over traits that do not exclude each other, views",
        three_traits("softmax", "binary_crossentropy", blocks=((12,), (24,)), dense=(32,)),
        always_one,
        _MISMATCH,
        ("output",),
    ),
    faulty(
        "collapsed: a class of prints that weighs a thousand times as much",
        _one_class_counts,
        shows.both(shows.one_answer, shows.at_chance),
        "collapsed_output",
        ("predictions",),
    ),
    faulty(
        "collapsed: materials one after the other, never shuffled",
        _class_after_class,
        shows.both(shows.one_answer, shows.at_chance),
        "collapsed_output",
        ("predictions",),
    ),
)
