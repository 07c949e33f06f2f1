"""Tables, regressions, autoencoders and several answers at once, all of which learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers, losses, optimizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.fourth.data import fourth
from benchmarks.faults.fourth.make import Make, adam, fit, healthy
from benchmarks.faults.fourth.networks import simple, vgg
from benchmarks.faults.networks import autoencoder
from benchmarks.faults.second.symptoms import good
from benchmarks.faults.third.networks import conv_autoencoder, mlp


def _onto_itself(name: str, net: Any, rate: float, loss: str, noise: float = 0.0, **options: Any) -> Make:
    """Images to the same images, with noise over those that go in."""

    def spoilt(x: Any) -> Any:
        return (x + np.random.default_rng(81).normal(0, noise, x.shape)).clip(0, 1).astype("float32") if noise else x

    def make() -> Trial:
        data = fourth(name)
        model = net(data)
        model.compile(optimizers.Adam(rate), loss)
        return Trial(model, spoilt(data.x), data.x, (spoilt(data.xv), data.xv), **options)

    return make


def _in_their_units() -> Trial:
    """Columns as they are, with a Normalization that has seen them."""
    data = fourth("housing_raw")
    scaled = layers.Normalization(name="scaled")
    scaled.adapt(data.x)
    return trial(
        data, mlp(data, before=(scaled,), dropout=0.1), optimizers.Adam(5e-3), loss="mse", metrics=("mae",), epochs=25
    )


def _two_digits() -> Trial:
    """Two digits side by side, each of which may be there or not: ten answers that do not exclude each other."""
    data = fourth("digits")

    def pairs(x: Any, y: Any, seed: int) -> tuple[Any, Any]:
        other = np.random.default_rng(seed).permutation(len(x))
        there = np.zeros((len(x), data.classes), "float32")
        there[np.arange(len(x)), y] = there[np.arange(len(x)), y[other]] = 1
        return np.concatenate([x, x[other]], axis=2), there

    (x, y), held_out = pairs(data.x, data.y, 82), pairs(data.xv, data.yv, 83)
    shown = type(data)(x, data.y, held_out[0], data.yv, data.classes)
    model = simple(shown, head="sigmoid", padding="same", dense=(96,))
    model.compile(optimizers.Adam(3e-3), "binary_crossentropy", metrics=["binary_accuracy"])
    return Trial(model, x, y, held_out, epochs=10)


def _bytes(x: Any) -> Any:
    return np.round(255 * x).astype("float32")


CASES: tuple[Case, ...] = (
    healthy("prices of houses in thousands", fit("housing", mlp, adam(5e-3), epochs=25), good(loss_share=0.1)),
    healthy("houses in their own units behind a Normalization", _in_their_units, good(loss_share=0.15)),
    healthy("irises by one hidden layer, no validation", fit(
        "iris", mlp, adam(0.01), of={"hidden": (16,)}, batch=8, epochs=20, validate=False), good(accuracy=0.9)),
    healthy("breast cancer, normalised layers, one sigmoid", fit(
        "cancer", mlp, adam(2e-3), of={"norm": True, "hidden": (32, 16)}, epochs=10), good(val_accuracy=0.92)),
    healthy("faces by one sigmoid", fit("faces", simple, of={"units": 1, "head": "sigmoid", "dropout": 0.4},
            batch=16, epochs=12), good(val_accuracy=0.85)),
    healthy("logits that the loss knows of, snaps", fit("snaps", vgg, of={"per_block": 1, "head": None},
            loss=losses.SparseCategoricalCrossentropy(from_logits=True), epochs=6), good(val_accuracy=0.8)),
    healthy("bytes behind a Rescaling, snaps", fit("snaps", vgg, x=_bytes, of=lambda: {
            "per_block": 1, "before": (layers.Rescaling(1 / 255, name="rescaling"),)}, epochs=6),
            good(val_accuracy=0.8)),
    healthy("letters to themselves by strides", _onto_itself(
        "glyphs", autoencoder, 3e-3, "binary_crossentropy", epochs=6), good(loss_share=0.75)),
    healthy("noise taken from mnist", _onto_itself(
        "mnist", conv_autoencoder, 1e-3, "binary_crossentropy", 0.3, epochs=4), good(loss_share=0.6)),
    healthy("two digits at once, ten sigmoids", _two_digits, good(val_binary_accuracy=0.87)),
)  # fmt: skip
