"""Healthy trainings on signals, sequences and volumes."""

from typing import Any

import keras
import numpy as np
from keras import callbacks, layers, losses, optimizers, regularizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import Training, Trial, fit, healthy, itself, shows
from benchmarks.corpus.data import load
from benchmarks.corpus.lazy import layer


def _seldom(share: Any) -> Any:
    """Regular heartbeats many times as often as the others."""
    return lambda y: (y == 0) | (np.arange(len(y)) % share == 0)


_DENOISER = net.sequential(
    layer.Conv1D(16, 5, strides=2, name="down1", padding="same", activation="relu"),
    layer.Conv1D(24, 5, strides=2, name="down2", padding="same", activation="relu"),
    layer.Conv1DTranspose(16, 5, strides=2, name="up1", padding="same", activation="relu"),
    layer.Conv1DTranspose(16, 5, strides=2, name="up2", padding="same", activation="relu"),
    layer.Conv1D(1, 5, padding="same", name="out"),
    head=None,
)


def _in_noise(x: Any) -> Any:
    """The same noise for training and validation samples as if they were one set."""
    noise = np.random.default_rng(1).normal(0, 0.5, (1000, 64, 1))
    return x + (noise[:800] if len(x) == 800 else noise[800:]).astype("float32")


def _class_and_strength() -> Any:
    data = load("signals")
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(24, 5, activation="relu", name="c1")(inputs)
    x = layers.MaxPooling1D()(layers.Conv1D(32, 5, activation="relu", name="c2")(x))
    x = layers.GlobalAveragePooling1D()(layers.Conv1D(32, 3, activation="relu", name="c3")(x))
    kind = layers.Dense(data.classes, activation="softmax", name="kind")(x)
    model = keras.Model(inputs, {"kind": kind, "strength": layers.Dense(1, name="strength")(x)})
    each = {"kind": "sparse_categorical_crossentropy", "strength": "mse"}
    model.compile(optimizers.Adam(3e-3), each, metrics={"kind": ["accuracy"]})
    y = [{"kind": k, "strength": v.std(axis=(1, 2))} for k, v in ((data.y, data.x), (data.yv, data.xv))]
    return Trial(model, data.x, y[0], (data.xv, y[1]), epochs=12)


CASES = healthy(
    first={
        "Conv1D": fit("signals", net.chain(), epochs=14),
        "Conv1D, GroupNorm, GELU, AdamW":
            fit("signals", net.chain(norm="group", activation="gelu"), by.adamw(3e-3), epochs=10),
        "Conv1D, LayerNorm, SiLU, Nadam":
            fit("signals", net.chain(norm="layer", activation="silu"), by.nadam(2e-3), epochs=10),
        "Conv1D, BN, SGD 0.3 with Nesterov momentum":
            fit("signals", net.chain(norm="batch"), by.sgd(0.3, 0.9, nesterov=True), epochs=10),
        "gates of tanh and sigmoid, dilated": fit("signals", net.wavenet(), by.adam(4e-3), epochs=12),
        "self-attention over signals": fit("signals", net.attentive(), epochs=12),
        "squeezed Conv1D, RMSprop": fit("signals", net.squeezed(), by.rmsprop(1e-3), epochs=10),
        "residual Conv1D from a zero scale": fit("signals", net.shortcut(zero_scale=True), by.adam(3e-3), epochs=10),
        "Conv1D by Lion": fit("signals", net.chain(norm="batch"), by.lion(5e-4), epochs=12),
        "Conv1D, batches of 200, Adam 0.01":
            fit("signals", net.chain(widths=(24, 32, 32)), by.adam(0.01), batch=200, epochs=24),
        "Conv1D, maxima flat, L2, long":
            fit("signals", net.chain(flat=True, penalty=regularizers.L2(2e-3), norm="batch", dropout=0.3), epochs=30),
        "Conv1D, rate lowered on plateaus": fit("signals", net.chain(norm="batch"), by.adam(0.01), epochs=20,
            callbacks=(callbacks.ReduceLROnPlateau(patience=2),)),
        "Conv1D, mean of weights (EMA)":
            fit("signals", net.chain(norm="batch"), by.adam(4e-3, use_ema=True, ema_momentum=0.9), epochs=10),
        "one epoch of Conv1D": shows(sym.learns()).of(fit("signals", net.chain(), epochs=1)),
        "turns by Huber loss": shows(sym.learns(loss_share=0.5)).of(
            fit("pitches", net.chain(units=1, head=None, norm="batch", flat=True), by.adam(3e-3), loss=losses.Huber(),
                metrics=(), epochs=12)),
        "turns by squares, answers all positive (softplus)": shows(sym.learns(loss_share=0.5)).of(
            fit("pitches", net.chain(units=1, head="softplus", norm="batch", flat=True), by.adam(3e-3), metrics=(),
                epochs=12)),
        "signals cleaned by a Conv1D autoencoder": shows(sym.learns(loss_share=0.6)).of(
            fit("pitches", _DENOISER, by.adam(3e-3), loss="mse", x=_in_noise, target=itself, epochs=10)),
        "convolution, then a GRU": shows(sym.learns(0.6)).of(
            fit("signals", net.sequential(layer.Conv1D(16, 5, strides=2, activation="relu", name="c1"), layer.GRU(24),
                name="out"), by.adam(5e-3), epochs=14)),
        "two answers by name from a Conv1D": shows(sym.learns(loss_share=0.6)).of(Training(_class_and_strength)),
        "Conv3D": fit("volumes", net.chain(widths=(12, 24)), by.adam(5e-3), epochs=16),
        "Conv3D, BN, SGD with momentum": fit("volumes", net.chain(norm="batch"), by.sgd(0.05, 0.9), epochs=10),
        "residual Conv3D": fit("volumes", net.shortcut(), by.adam(4e-3), epochs=12),
        "Conv3D, ELU, flat, dropout": fit("volumes", net.chain(activation="elu", flat=True, dropout=0.4), epochs=10),
        "squeezed Conv3D": fit("volumes", net.squeezed(), by.adam(3e-3), epochs=10),
        "Conv3D, batches of 8 with GroupNorm": fit("volumes", net.chain(norm="group"), batch=8, epochs=6),
        "Conv3D, Adafactor": fit("volumes", net.chain(norm="batch"), by.adafactor(0.02), epochs=12),
        "one epoch of Conv3D": shows(sym.learns()).of(fit("volumes", net.chain(), epochs=1)),
    },
)  # fmt: skip
