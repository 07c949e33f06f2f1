"""Data that are not finite, or not scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Trial
from benchmarks.faults.first.data import first
from benchmarks.faults.first.make import Cases, fitted
from benchmarks.faults.first.networks import chain, inception, mobile, twin

CASES = Cases()


def _log_power(x: Any) -> Any:
    x = x.copy()
    x[5:12] = 0
    with np.errstate(divide="ignore"):
        return np.log10(x**2)


def _standardised_each(x: Any) -> Any:
    x = x.copy()
    x[3] = 0.5
    axes = tuple(range(1, x.ndim))
    with np.errstate(invalid="ignore"):
        return (x - x.mean(axis=axes, keepdims=True)) / x.std(axis=axes, keepdims=True)


def _pairs(epsilon: float) -> Trial:
    data = first("faces")
    rng = np.random.default_rng(8)
    a, b = rng.integers(0, len(data.x), (2, 600))
    b[:30] = a[:30]
    model = twin(data, epsilon=epsilon)

    def contrastive(y: Any, distance: Any) -> Any:
        return y * distance + (1 - y) * ops.maximum(1.0 - distance, 0.0)

    model.compile(optimizers.Adam(1e-3), contrastive)
    same = (data.y[a] == data.y[b]).astype("float32")[:, None]
    return Trial(model, [data.x[a], data.x[b]], same, epochs=6)


CASES.faulty(
    "log of silence in signals, Conv1D",
    lambda: fitted("signals", chain, x=_log_power, epochs=4),
    shows.broken,
    "nan_or_inf",
)

CASES.faulty(
    "a flat patch divided by its deviation, mobile net",
    lambda: fitted("materials", mobile, optimizers.SGD(0.02, momentum=0.9), x=_standardised_each, epochs=4),
    shows.broken,
    "nan_or_inf",
)

CASES.faulty("siamese root of zero, faces", lambda: _pairs(0.0), shows.broken, "nan_or_inf")


CASES.faulty(
    "pixels to 255 in an inception net",
    lambda: fitted("photos", inception, optimizers.SGD(0.01), x=lambda x: 255 * x, epochs=5),
    shows.wide_input,
    "unnormalised_input",
    ("b0_k1", "b0_k3", "b0_k5", "b0_pool"),
)

CASES.faulty(
    "signals in millivolts on an offset, RMSprop",
    lambda: fitted("signals", chain, optimizers.RMSprop(1e-3), x=lambda x: 400 * x + 1200, epochs=6),
    shows.wide_input,
    "unnormalised_input",
    ("c1",),
)

CASES.faulty(
    "volumes in Hounsfield units, ELU",
    lambda: fitted("volumes", chain, of={"activation": "elu"}, x=lambda x: 2000 * x - 1000, epochs=5),
    shows.wide_input,
    "unnormalised_input",
    ("c1",),
)
