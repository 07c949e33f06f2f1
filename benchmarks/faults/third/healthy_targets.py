"""Tables, regressions, autoencoders and several answers at once, all of which learn."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, losses, optimizers, regularizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import Data
from benchmarks.faults.second.make import split
from benchmarks.faults.second.networks import segmenter
from benchmarks.faults.second.symptoms import good
from benchmarks.faults.third.data import coins, third
from benchmarks.faults.third.make import Make, fit, healthy, onto_itself
from benchmarks.faults.third.networks import conv_autoencoder, convnet, dense_autoencoder, mlp


def _table(*before: Any, name: str, adapted: bool = False, **options: Any) -> Trial:
    """A table in its own units, with what sees to them inside the model."""
    data = third(name)
    if adapted:
        before[0].adapt(data.x)
    return trial(data, mlp(data, before=before), optimizers.Adam(3e-3), **options)


def _mean_colour() -> Trial:
    """How red, green and blue a patch is on the whole."""
    data = third("views")
    model = convnet(data, units=3, head=None, blocks=((12,), (16,)), dense=(32,))
    model.compile(optimizers.Adam(1e-3), "mse", metrics=["mae"])
    return Trial(model, data.x, data.x.mean(axis=(1, 2)), (data.xv, data.xv.mean(axis=(1, 2))), epochs=8)


def _traits(data: Data) -> Any:
    """Whether patches are bright, warm, and full of edges: three answers that do not exclude each other."""

    def of(x: Any) -> Any:
        edges = np.abs(np.diff(x, axis=1)).mean(axis=(1, 2, 3))
        return np.stack([x.mean(axis=(1, 2, 3)), (x[..., 0] - x[..., 2]).mean(axis=(1, 2)), edges], axis=1)

    levels = np.median(of(data.x), axis=0)
    return lambda x: (of(x) > levels).astype("float32")


def three_traits(head: Any, loss: Any, **of: Any) -> Make:
    def make() -> Trial:
        data = third("views")
        told = _traits(data)
        model = convnet(data, units=3, head=head, **of)
        level = 0.5 if head else 0.0
        right = keras.metrics.BinaryAccuracy(name="right", threshold=level)
        model.compile(optimizers.Adam(2e-3), loss, metrics=[right])
        return Trial(model, data.x, told(data.x), (data.xv, told(data.xv)), epochs=8)

    return make


def _wet(x: Any) -> Any:
    return x + np.random.default_rng(61).normal(0, 0.2, x.shape).astype("float32")


def _sparse_code() -> Trial:
    """A code wider than the image, most of which is to stay silent."""
    code = {"activity_regularizer": regularizers.L1(1e-5)}
    model = dense_autoencoder(third("digits"), widths=(128,), of={"layer1": code})
    return onto_itself("digits", model, optimizers.Adam(3e-3), epochs=12)


def _linear_code() -> Trial:
    """ReLU on either side of a code that is any number."""
    code: dict[str, Any] = {"activation": None}
    model = dense_autoencoder(third("mnist"), widths=(96, 12, 96), of={"layer2": code})
    return onto_itself("mnist", model, optimizers.Adam(2e-3), "binary_crossentropy", epochs=8)


def _where_coins_are() -> Trial:
    x, y = coins()
    model = segmenter(x.shape[1:], norm=True)
    model.compile(optimizers.Adam(5e-3), "binary_crossentropy", metrics=["accuracy"])
    return split(model, x, y, epochs=8, batch=16)


CASES: tuple[Case, ...] = (
    healthy("breast cancer, one sigmoid", fit("cancer", mlp, epochs=10), good(val_accuracy=0.92)),
    healthy(
        "breast cancer by one layer: logistic regression",
        fit("cancer", mlp, lambda: optimizers.Adam(0.02), of={"hidden": ()}, epochs=15),
        good(val_accuracy=0.92),
    ),
    healthy(
        "breast cancer in its own units behind a Normalization",
        lambda: _table(layers.Normalization(name="scaled"), name="cancer_raw", adapted=True,
                       loss="binary_crossentropy", epochs=10),
        good(val_accuracy=0.92),
    ),
    healthy(
        "wine in its own units behind a batch normalisation",
        lambda: _table(layers.BatchNormalization(momentum=0.9, name="scaled"), name="wine_raw", epochs=25),
        good(val_accuracy=0.85),
    ),
    healthy(
        "two circles by eight tanh units",
        fit("circles", mlp, lambda: optimizers.Adam(0.02), of={"hidden": (8,), "activation": "tanh"},
            epochs=20),
        good(val_accuracy=0.9),
    ),
    healthy(
        "miles per gallon as they are",
        fit("cars", mlp, lambda: optimizers.Adam(3e-3), epochs=30),
        good(loss_share=0.1),
    ),
    healthy(
        "miles per gallon by one layer: linear regression",
        fit("cars", mlp, lambda: optimizers.Adam(0.3), of={"hidden": ()}, epochs=20),
        good(loss_share=0.2),
    ),
    healthy(
        "progression of a disease, absolute errors in the hundreds",
        fit("diabetes", mlp, lambda: optimizers.RMSprop(5e-3), of={"hidden": (32,), "dropout": 0.1}, loss="mae",
            metrics=(), epochs=32),
        good(loss_share=0.45),
    ),
    healthy("how red, green and blue a patch is", _mean_colour, good(loss_share=0.3)),
    healthy("bright, warm, full of edges: three sigmoids", three_traits(
        "sigmoid", "binary_crossentropy", blocks=((16,), (24,)), dense=(48,)), good(val_right=0.85)),
    healthy("bright, warm, full of edges: three logits", three_traits(
        None, losses.BinaryCrossentropy(from_logits=True), activation="gelu", average=True, dense=()),
        good(val_right=0.85)),
    healthy("a code of 16 numbers, digits", lambda: onto_itself(
        "digits", dense_autoencoder(third("digits")), optimizers.Adam(3e-3), epochs=12), good(loss_share=0.5)),
    healthy("a code wider than the image, kept sparse", _sparse_code, good(loss_share=0.4)),
    healthy("a code without an activation, mnist", _linear_code, good(loss_share=0.7)),
    healthy("noise taken away from views", lambda: onto_itself(
        "views", conv_autoencoder(third("views"), head=None), optimizers.Adam(2e-3), noise=_wet, epochs=5),
        good(loss_share=0.6)),
    healthy("where coins are", _where_coins_are, good(val_accuracy=0.85)),
)  # fmt: skip
