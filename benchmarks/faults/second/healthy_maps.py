"""Images, sequences or maps out, and well: the answers are not classes, and whole layers end in all kinds of ways."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops, optimizers

from benchmarks.faults.case import Case, Trial
from benchmarks.faults.second.data import pictures, scenes, second, spots
from benchmarks.faults.second.make import healthy, split
from benchmarks.faults.second.networks import segmenter
from benchmarks.faults.second.symptoms import good

_SAME: dict[str, Any] = {"padding": "same"}


def _clean() -> Trial:
    """Noise is told, and taken away from the image (DnCNN): linear at the end, normalised within."""
    x = pictures()
    noisy = (x + np.random.default_rng(14).normal(0, 0.15, x.shape)).astype("float32")
    inputs = keras.Input(x.shape[1:])
    y = layers.Conv2D(20, 3, activation="relu", name="conv_first", **_SAME)(inputs)
    for i in range(2):
        y = layers.Conv2D(20, 3, use_bias=False, name=f"conv_mid{i}", **_SAME)(y)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    noise = layers.Conv2D(x.shape[-1], 3, name="noise", **_SAME)(y)
    model = keras.Model(inputs, layers.Subtract(name="clean")([inputs, noise]))
    model.compile(optimizers.Adam(2e-3), "mse")
    return split(model, noisy, x, epochs=10)


def _sharper() -> Trial:
    """Twice the size by moving channels to places (super-resolution), by absolute differences."""
    x = pictures()
    small = x.reshape(len(x), 8, 2, 8, 2, 3).mean(axis=(2, 4))
    inputs = keras.Input(small.shape[1:])
    y = layers.Conv2D(24, 5, activation="tanh", name="conv1", **_SAME)(inputs)
    y = layers.Conv2D(24, 3, activation="tanh", name="conv2", **_SAME)(y)
    y = layers.Conv2D(12, 3, name="subpixels", **_SAME)(y)
    y = layers.Reshape((8, 8, 2, 2, 3))(y)
    y = layers.Reshape((16, 16, 3), name="shuffle")(layers.Permute((1, 3, 2, 4, 5))(y))
    model = keras.Model(inputs, y)
    model.compile(optimizers.Adam(3e-3), "mae")
    return split(model, small, x, epochs=14)


def _coloured_in() -> Trial:
    """Grey pictures to colours, -1 … 1 by a tanh."""
    x = pictures()
    grey = x.mean(axis=-1, keepdims=True)
    model = segmenter(grey.shape[1:], classes=3, head="tanh", norm=True)
    model.compile(optimizers.Adam(2e-3), "mse")
    return split(model, 2 * grey - 1, 2 * x - 1, epochs=10)


def _classes_of_pixels() -> Trial:
    """Five classes of pixels, four of them rare."""
    x, _, pixels = scenes()
    model = segmenter(x.shape[1:], classes=5, head="softmax", norm=True)
    model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return split(model, x[:700], pixels[:700], epochs=8)


def _rare_pixels() -> Trial:
    """Only the crosses: few pixels, many empty masks; cross-entropy and overlap together."""
    x, _, pixels = scenes()
    y = (pixels == 4).astype("float32")[..., None]

    def loss(y: Any, p: Any) -> Any:
        overlap = (2 * ops.sum(y * p) + 1) / (ops.sum(y) + ops.sum(p) + 1)
        return ops.mean(keras.losses.binary_crossentropy(y, p)) + 1 - overlap

    model = segmenter(x.shape[1:], norm=True)
    model.compile(optimizers.Adam(2e-3), loss)
    return split(model, x[:700], y[:700], epochs=8)


def _heat() -> Trial:
    """Where is the spot? One map that is almost zero everywhere, linear head."""
    x, y = spots()
    row, column = np.mgrid[:16, :16]
    away = (row - 16 * y[:, :1, None]) ** 2 + (column - 16 * y[:, 1:, None]) ** 2
    model = segmenter(x.shape[1:], head=None, norm=True)
    model.compile(optimizers.Adam(2e-3), "mse")
    return split(model, x, 10 * np.exp(-away / 4)[..., None].astype("float32"), epochs=8)


def _hidden_patches() -> Trial:
    """A quarter of each picture is blacked out and to be filled in."""
    x = pictures()
    shown = x.copy()
    for image, (r, c) in zip(shown, np.random.default_rng(15).integers(0, 8, (len(x), 2)), strict=True):
        image[r : r + 8, c : c + 8] = 0
    model = segmenter(x.shape[1:], classes=3, norm=True)
    model.compile(optimizers.Adam(2e-3), "mae")
    return split(model, shown, x, epochs=10)


class Sampling(layers.Layer):
    """Draws a code and adds its distance from a standard normal to the loss (VAE)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(5)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The mean, in training with noise."""
        mean, log_variance = inputs
        self.add_loss(-1e-4 * ops.mean(ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=-1)))
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * log_variance) * noise if training else mean


def _variational() -> Trial:
    x, _ = spots()
    inputs = keras.Input(x.shape[1:])
    y = layers.Conv2D(16, 3, strides=2, activation="relu", name="encoder_conv1", **_SAME)(inputs)
    y = layers.Conv2D(24, 3, strides=2, activation="relu", name="encoder_conv2", **_SAME)(y)
    y = layers.Flatten()(y)
    z = Sampling(name="z")([layers.Dense(8, name="z_mean")(y), layers.Dense(8, name="z_log_var")(y)])
    y = layers.Reshape((4, 4, 24))(layers.Dense(384, activation="relu", name="decoder_dense")(z))
    y = layers.Conv2DTranspose(24, 3, strides=2, activation="relu", name="decoder_conv1", **_SAME)(y)
    y = layers.Conv2DTranspose(1, 3, strides=2, name="decoder_out", **_SAME)(y)
    model = keras.Model(inputs, y)
    model.compile(optimizers.Adam(3e-3), "mse")
    return split(model, x, x, epochs=14)


def _narrow_code() -> Trial:
    """An autoencoder of spectra through a code of six numbers without an activation."""
    x = second("spectra").x[..., 0]
    model = keras.Sequential(
        [
            keras.Input((x.shape[1], 1)),
            layers.Conv1D(12, 7, strides=4, activation="elu", name="conv_down", **_SAME),
            layers.Flatten(),
            layers.Dense(6, name="code"),
            layers.Dense(64, activation="elu", name="dense_up"),
            layers.Dense(x.shape[1], name="spectrum"),
        ]
    )
    model.compile(optimizers.Adam(3e-3), "mse")
    return split(model, x[..., None], x, epochs=14)


CASES: tuple[Case, ...] = (
    healthy("noise taken away from pictures", _clean, good(loss_share=0.4)),
    healthy("pictures of twice the size", _sharper, good(loss_share=0.6)),
    healthy("grey pictures coloured in", _coloured_in, good(loss_share=0.6)),
    healthy("pixels of five classes", _classes_of_pixels, good(val_accuracy=0.9)),
    healthy("pixels of crosses alone", _rare_pixels, good(loss_share=0.6)),
    healthy("a heat map of one spot", _heat, good(loss_share=0.5)),
    healthy("patches filled in", _hidden_patches, good(loss_share=0.6)),
    healthy("spots through a random code (VAE)", _variational, good(loss_share=0.6)),
    healthy("spectra through six numbers", _narrow_code, good(loss_share=0.5)),
)
