"""One answer to everything, too good or too bad a fit, small batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import optimizers, regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Trial, trial
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.first.data import first
from benchmarks.faults.first.make import Cases, fitted
from benchmarks.faults.first.networks import chain, mobile, shortcut

CASES = Cases()


def _weighted(name: str, net: Callable[..., Any], kind: int, **options: Any) -> Trial:
    data = first(name)
    done = trial(data, net(data), optimizers.Adam(2e-3), epochs=6)
    done.options = {"sample_weight": np.where(data.y == kind, 50.0, 0.01).astype("float32")}
    return done


CASES.faulty(
    "collapsed: sample weights of one class, signals",
    lambda: _weighted("signals", chain, 3),
    shows.one_answer,
    "collapsed_output",
    ("out",),
)

CASES.faulty(
    "collapsed: decay of 30 by AdamW, volumes",
    lambda: fitted("volumes", chain, optimizers.AdamW(5e-3, weight_decay=30.0), epochs=7),
    shows.one_answer,
    "collapsed_output",
    ("out",),
    ("dead_units", "underfitting"),
)

CASES.faulty(
    "overfitting: 36 photographs, wide and long",
    lambda: fitted(
        "photos", chain, of={"widths": (32, 64), "flat": True, "dense": (256,)}, samples=36, batch=12, epochs=40
    ),
    shows.overfits,
    "overfitting",
)

CASES.faulty(
    "overfitting: labels of materials shuffled",
    lambda: fitted(
        "materials", chain, of={"widths": (32, 64), "flat": True, "dense": (256,)},
        y=lambda y: np.random.default_rng(9).permutation(y), samples=200, epochs=30,
    ),
    shows.overfits,
    "overfitting",
)  # fmt: skip

CASES.faulty(
    "overfitting: 40 signals, Conv1D with GELU",
    lambda: fitted(
        "signals", chain, of={"widths": (48, 64), "activation": "gelu", "flat": True}, samples=40, batch=10, epochs=40
    ),
    shows.overfits,
    "overfitting",
)

CASES.faulty(
    "underfitting: one filter for five kinds of signal",
    lambda: fitted("signals", chain, optimizers.Adam(5e-3), of={"widths": (1, 1)}, epochs=24),
    shows.worse_than(0.7),
    "underfitting",
    ("c1", "c2"),
    ("dead_units",),
)

CASES.faulty(
    "underfitting: dropout of 0.97 before the head",
    lambda: fitted("photos", chain, of={"dropout": 0.97, "activation": "leaky_relu"}, epochs=24),
    also_shows.loses_to(0.5),
    "underfitting",
)

CASES.faulty(
    "underfitting: strong L2 on a Conv3D net",
    lambda: fitted("volumes", chain, optimizers.Adam(3e-3), of={"penalty": regularizers.L2(0.4)}, epochs=24),
    shows.worse_than(0.75),
    "underfitting",
    (),
    ("collapsed_output",),
)

for _data, _make_net, _norm, _batch in (
    ("photos", lambda data: chain(data, norm="batch"), "c2_norm", 2),
    ("materials", mobile, "pw2_norm", 1),
    ("volumes", shortcut, "r1b_norm", 2),
):
    CASES.faulty(
        f"batch of {_batch} with batch normalisation, {_data}",
        lambda data=_data, net=_make_net, batch=_batch: trial(
            first(data), net(first(data)), batch=batch, samples=min(240 * batch, 600), epochs=5
        ),
        also_shows.noisy_statistics(_norm, _batch),
        "batch_too_small_for_bn",
    )
