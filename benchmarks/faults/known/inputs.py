"""Data that are not finite, or not scaled."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.known.make import ADAM, SGD
from benchmarks.faults.networks import plain

INPUT = [
    Case(
        f"input × {factor} + {offset} with {kind.__name__} on {name}",
        lambda name=name, factor=factor, offset=offset, kind=kind, rate=rate: trial(
            load(name), plain(load(name)), kind(rate), x=lambda x: factor * x + offset, epochs=6
        ),
        shows.wide_input,
        "unnormalised_input",
        ("conv1",),
    )
    for name, factor, offset, kind, rate in [
        ("mnist", 255, 0, SGD, 0.05),
        ("shapes", 255, 0, ADAM, 2e-3),
        ("digits", 1000, 0, SGD, 0.01),
        ("mnist", 1, 300, ADAM, 2e-3),
        ("digits", 255, 0, ADAM, 0.01),
        ("shapes", 65535, 0, SGD, 0.01),
    ]
]


def _nan_data(name: str, samples: int) -> Trial:
    def spoiled(x: Any) -> Any:
        x = x.copy()
        x[-samples:, 0, 0] = np.nan
        return x

    data = load(name)
    return trial(data, plain(data), x=spoiled, epochs=4)


def _log_loss(y: Any, p: Any) -> Any:
    p = keras.ops.take_along_axis(p, keras.ops.cast(keras.ops.reshape(y, (-1, 1)), "int32"), axis=-1)
    return -keras.ops.log(keras.ops.relu(p - 0.05))


def _nan_weight(name: str, layer: str) -> Trial:
    done = trial(load(name), plain(load(name), filters=(16, 24, 24)), epochs=4)

    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                kernel = self.model.get_layer(layer).kernel
                value = np.array(kernel)
                value.reshape(-1)[0] = np.nan
                kernel.assign(value)

    done.callbacks = [Spoil()]
    return done


NAN = [
    Case("nan: in the data of mnist", lambda: _nan_data("mnist", 4), shows.broken, "nan_or_inf"),
    Case("nan: in the data of shapes", lambda: _nan_data("shapes", 40), shows.broken, "nan_or_inf"),
    Case(
        "nan: a loss with log 0 on digits",
        lambda: trial(load("digits"), plain(load("digits")), loss=_log_loss, epochs=4),
        shows.broken,
        "nan_or_inf",
    ),
    Case(
        "nan: a weight of conv2 on digits",
        lambda: _nan_weight("digits", "conv2"),
        shows.broken,
        "nan_or_inf",
        ("conv2",),
    ),
    Case("nan: a weight of fc1 on shapes", lambda: _nan_weight("shapes", "fc1"), shows.broken, "nan_or_inf", ("fc1",)),
]
