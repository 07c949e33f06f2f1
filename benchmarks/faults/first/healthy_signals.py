"""Healthy trainings on signals (Conv1D)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, losses, optimizers, regularizers

from benchmarks.faults.case import Trial, trial
from benchmarks.faults.data import Data
from benchmarks.faults.first.data import first, pitches
from benchmarks.faults.first.make import Cases, fit
from benchmarks.faults.first.networks import (
    attentive,
    chain,
    shortcut,
    squeezed,
    wavenet,
)
from benchmarks.faults.first.symptoms import well, well_falls

CASES = Cases()


CASES.healthy("Conv1D", fit("signals", chain, epochs=14))

CASES.healthy(
    "Conv1D, GroupNorm, GELU, AdamW",
    fit("signals", chain, lambda: optimizers.AdamW(3e-3), of={"norm": "group", "activation": "gelu"}, epochs=10),
)

CASES.healthy(
    "Conv1D, LayerNorm, SiLU, Nadam",
    fit("signals", chain, lambda: optimizers.Nadam(2e-3), of={"norm": "layer", "activation": "silu"}, epochs=10),
)

CASES.healthy(
    "Conv1D, BN, SGD 0.3 with Nesterov momentum",
    fit("signals", chain, lambda: optimizers.SGD(0.3, 0.9, nesterov=True), of={"norm": "batch"}, epochs=10),
)

CASES.healthy("gates of tanh and sigmoid, dilated", fit("signals", wavenet, lambda: optimizers.Adam(4e-3), epochs=12))

CASES.healthy("self-attention over signals", fit("signals", attentive, epochs=12))

CASES.healthy("squeezed Conv1D, RMSprop", fit("signals", squeezed, lambda: optimizers.RMSprop(1e-3), epochs=10))

CASES.healthy(
    "residual Conv1D from a zero scale",
    fit("signals", shortcut, lambda: optimizers.Adam(3e-3), of={"zero_scale": True}, epochs=10),
)

CASES.healthy("Conv1D by Lion", fit("signals", chain, lambda: optimizers.Lion(5e-4), of={"norm": "batch"}, epochs=12))

CASES.healthy(
    "Conv1D, batches of 200, Adam 0.01",
    fit("signals", chain, lambda: optimizers.Adam(0.01), of={"widths": (24, 32, 32)}, batch=200, epochs=24),
)

CASES.healthy(
    "Conv1D, maxima flat, L2, long",
    fit(
        "signals",
        chain,
        of={"flat": True, "penalty": regularizers.L2(2e-3), "norm": "batch", "dropout": 0.3},
        epochs=30,
    ),
)

CASES.healthy(
    "Conv1D, rate lowered on plateaus",
    fit(
        "signals",
        chain,
        lambda: optimizers.Adam(0.01),
        of={"norm": "batch"},
        epochs=20,
        callbacks=(keras.callbacks.ReduceLROnPlateau(patience=2),),
    ),
)

CASES.healthy(
    "Conv1D, mean of weights (EMA)",
    fit(
        "signals", chain, lambda: optimizers.Adam(4e-3, use_ema=True, ema_momentum=0.9), of={"norm": "batch"}, epochs=10
    ),
)

CASES.healthy("one epoch of Conv1D", fit("signals", chain, epochs=1), well(0.0))


def _pitch(loss: Any, **of: Any) -> Callable[[], Trial]:
    def make() -> Trial:
        x, turns = pitches()
        model = chain(Data(x, turns, x, turns, 1), units=1, head=of.pop("head", None), norm="batch", flat=True, **of)
        model.compile(optimizers.Adam(3e-3), loss)
        return Trial(model, x[:800], turns[:800], (x[800:], turns[800:]), epochs=12)

    return make


CASES.healthy("turns by Huber loss", _pitch(losses.Huber()), well_falls(0.5))

CASES.healthy("turns by squares, answers all positive (softplus)", _pitch("mse", head="softplus"), well_falls(0.5))


def _denoise() -> Trial:
    x, _ = pitches()
    noisy = x + np.random.default_rng(1).normal(0, 0.5, x.shape).astype("float32")
    options: dict[str, Any] = {"padding": "same", "activation": "relu"}
    model = keras.Sequential(
        [
            keras.Input((64, 1)),
            layers.Conv1D(16, 5, strides=2, name="down1", **options),
            layers.Conv1D(24, 5, strides=2, name="down2", **options),
            layers.Conv1DTranspose(16, 5, strides=2, name="up1", **options),
            layers.Conv1DTranspose(16, 5, strides=2, name="up2", **options),
            layers.Conv1D(1, 5, padding="same", name="out"),
        ]
    )
    model.compile(optimizers.Adam(3e-3), "mse")
    return Trial(model, noisy[:800], x[:800], (noisy[800:], x[800:]), epochs=10)


def _recurrent() -> Trial:
    data = first("signals")
    stack = [keras.Input(data.shape), layers.Conv1D(16, 5, strides=2, activation="relu", name="c1")]
    stack += [layers.GRU(24), layers.Dense(data.classes, activation="softmax", name="out")]
    return trial(data, keras.Sequential(stack), optimizers.Adam(5e-3), epochs=14)


def _class_and_strength() -> Trial:
    data = first("signals")
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(24, 5, activation="relu", name="c1")(inputs)
    x = layers.MaxPooling1D()(layers.Conv1D(32, 5, activation="relu", name="c2")(x))
    x = layers.GlobalAveragePooling1D()(layers.Conv1D(32, 3, activation="relu", name="c3")(x))
    kind = layers.Dense(data.classes, activation="softmax", name="kind")(x)
    model = keras.Model(inputs, {"kind": kind, "strength": layers.Dense(1, name="strength")(x)})
    model.compile(
        optimizers.Adam(3e-3), {"kind": "sparse_categorical_crossentropy", "strength": "mse"},
        metrics={"kind": ["accuracy"]},
    )  # fmt: skip
    y = [{"kind": k, "strength": v.std(axis=(1, 2))} for k, v in ((data.y, data.x), (data.yv, data.xv))]
    return Trial(model, data.x, y[0], (data.xv, y[1]), epochs=12)


CASES.healthy("signals cleaned by a Conv1D autoencoder", _denoise, well_falls(0.6))

CASES.healthy("convolution, then a GRU", _recurrent, well(0.6))

CASES.healthy("two answers by name from a Conv1D", _class_and_strength, well_falls(0.6))
