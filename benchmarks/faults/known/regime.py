"""Too good or too bad a fit, and batches too small for their normalisation."""

from __future__ import annotations

import numpy as np
from keras import regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, trial
from benchmarks.faults.data import load
from benchmarks.faults.networks import plain, residual

OVERFIT = [
    Case(
        f"overfitting: {samples} samples of {name}, {epochs} epochs",
        lambda name=name, samples=samples, epochs=epochs: trial(
            load(name), plain(load(name), filters=(32, 64), dense=(256,)), samples=samples, epochs=epochs, batch=16
        ),
        shows.overfits,
        "overfitting",
    )
    for name, samples, epochs in [("mnist", 40, 40), ("digits", 30, 40), ("shapes", 24, 40)]
] + [
    Case(
        f"overfitting: random labels on {name}",
        lambda name=name: trial(
            load(name),
            plain(load(name), filters=(32, 64), dense=(256,)),
            y=lambda y: np.random.default_rng(5).permutation(y),
            samples=400,
            epochs=25,
        ),
        shows.overfits,
        "overfitting",
    )
    for name in ("digits", "shapes")
]


UNDERFIT = [
    Case(
        f"underfitting: {label} on {name}",
        lambda name=name, options=options: trial(load(name), plain(load(name), **options), epochs=24),
        shows.worse_than(0.75),
        "underfitting",
        layers_,
        also,
    )
    for name, label, options, layers_, also in [
        ("mnist", "one unit in fc1", {"dense": (1,)}, ("fc1",), ()),
        ("digits", "a tanh unit in fc1", {"dense": (1,), "activation": "tanh"}, ("fc1",), ()),
        ("digits", "dropout 0.95", {"dropout": 0.95}, (), ()),
        ("mnist", "L2 of 0.3", {"regularizer": regularizers.L2(0.3)}, (), ("collapsed_output",)),
        ("shapes", "one filter in conv1", {"filters": (1, 1), "dense": (1,)}, (), ("dead_units",)),
    ]
]


BATCH = [
    Case(
        f"batch of {batch} with batch normalisation on {name}",
        lambda name=name, batch=batch, net=net: trial(
            load(name), net(load(name)), batch=batch, samples=samples_of(batch), epochs=6
        ),
        shows.always,
        "batch_too_small_for_bn",
        (),
    )
    for name, batch, net in [
        ("digits", 1, lambda data: plain(data, norm="batch")),
        ("shapes", 2, lambda data: plain(data, norm="batch")),
        ("mnist", 2, lambda data: plain(data, norm="batch")),
        ("digits", 2, residual),
    ]
]


def samples_of(batch: int) -> int:
    """So many samples that an epoch has at most 300 steps."""
    return min(300 * batch, 1280)
