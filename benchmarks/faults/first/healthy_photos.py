"""Healthy trainings on materials and photographs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, losses, ops, optimizers

from benchmarks.faults.case import Trial, trial
from benchmarks.faults.first.data import first, masks
from benchmarks.faults.first.make import SCHEDULES, Cases, centred, fit, one_hot
from benchmarks.faults.first.networks import (
    chain,
    convnext,
    dense_links,
    inception,
    mobile,
    shortcut,
    squeezed,
    unet,
)
from benchmarks.faults.first.symptoms import well, well_falls

CASES = Cases()


class Residue(keras.Model):
    """Subclassed: blocks as attributes, activations as functions."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = layers.Conv2D(16, 3, strides=2, name="first")
        self.inner = [layers.Conv2D(16, 3, padding="same", name=f"inner{i}") for i in range(2)]
        self.out = layers.Dense(classes, activation="softmax", name="out")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Shares of classes."""
        x = ops.relu(self.first(inputs))
        for layer in self.inner:
            x = x + ops.relu(layer(x))
        return self.out(ops.mean(x, axis=(1, 2)))


class Mixed(keras.Model):
    """A training step of its own: mixup of each batch with itself reversed."""

    def train_step(self, data: Any) -> Any:
        """One step on mixed pairs."""
        import tensorflow as tf

        x, y = data
        x, y = 0.8 * x + 0.2 * x[::-1], 0.8 * y + 0.2 * y[::-1]
        with tf.GradientTape() as tape:
            told = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=told)
        own = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in own]), own, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, told)
        return {m.name: m.result() for m in self.metrics}


class DropPath(layers.Layer):
    """Stochastic depth: leaves a branch out for whole samples."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(3)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The branch, or nothing."""
        if not training:
            return inputs
        shape = (ops.shape(inputs)[0], *(1 for _ in inputs.shape[1:]))
        return inputs * ops.floor(0.8 + keras.random.uniform(shape, seed=self.seeds)) / 0.8


def _residue() -> Trial:
    data = first("photos")
    model = Residue(data.classes)
    model(data.x[:2])
    return trial(data, model, optimizers.Adam(4e-3), epochs=12)


def _mixed_pairs() -> Trial:
    data = first("materials")
    built = chain(data, norm="batch")
    model = Mixed(built.inputs, built.outputs)
    return trial(data, model, optimizers.Adam(3e-3), loss="categorical_crossentropy", y=one_hot(3), epochs=10)


def _dropped_paths() -> Trial:
    data = first("materials")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, name="stem")(inputs)
    for i in range(3):
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.Add()([x, DropPath()(layers.Conv2D(16, 3, padding="same", name=f"r{i}")(y))])
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="out")(x))
    return trial(data, model, optimizers.Adam(3e-3), epochs=14)


def _rotations_first() -> Trial:
    """Convolutions that have learned to tell rotations of photographs, frozen below a new head."""
    data = first("photos")
    turned = np.concatenate([np.rot90(data.x, k, axes=(1, 2)) for k in range(4)])
    model = chain(data, widths=(24, 32, 48), norm="batch", units=4)
    model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(turned, np.repeat(np.arange(4), len(data.x)), batch_size=64, epochs=3, verbose=0)
    for layer in model.layers:
        layer.trainable = False
    out = layers.Dense(6, activation="softmax", name="kinds")(model.layers[-2].output)
    return trial(data, keras.Model(model.inputs, out), optimizers.Adam(0.01), epochs=10)


def _half_precision() -> Trial:
    keras.config.set_dtype_policy("mixed_float16")
    model = chain(first("faces"), norm="batch", of={"out": {"dtype": "float32"}})
    return trial(first("faces"), model, optimizers.Adam(3e-3), epochs=8)


def _traits() -> Trial:
    """Three yes-or-no questions of each photograph."""

    def ask(y: Any) -> Any:
        return np.stack([y < 3, y % 2 == 0, np.isin(y, (1, 2, 5))], axis=1).astype("float32")

    model = chain(first("photos"), units=3, head="sigmoid", norm="batch")
    return trial(first("photos"), model, optimizers.Adam(3e-3), loss="binary_crossentropy", y=ask, epochs=10,
                 metrics=("binary_accuracy",))  # fmt: skip


def _scarce() -> Trial:
    """One class has a tenth of the others' samples, and ten times their weight."""
    data = first("photos")
    done = trial(data, shortcut(data), optimizers.Adam(3e-3), epochs=12)
    keep = (data.y != 2) | (np.arange(len(data.y)) % 10 == 0)
    done.x, done.y = data.x[keep], data.y[keep]
    done.options = {"class_weight": {i: 10.0 if i == 2 else 1.0 for i in range(6)}}
    return done


def _spectral() -> Trial:
    data = first("materials")
    inputs = x = keras.Input(data.shape)
    for i, width in enumerate((16, 24), 1):
        x = layers.SpectralNormalization(layers.Conv2D(width, 3, strides=2, activation="relu"), name=f"c{i}")(x)
    x = layers.Flatten()(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax", name="out")(x))
    return trial(data, model, optimizers.Adam(2e-3), epochs=8)


def _fully_convolutional() -> Trial:
    data = first("photos")
    stack: list[Any] = [keras.Input(data.shape)]
    for i, width in enumerate((16, 24, 6), 1):
        stack += [layers.Conv2D(width, 3, strides=2, activation="relu" if i < 3 else None, name=f"c{i}")]
    stack += [layers.GlobalAveragePooling2D(), layers.Softmax()]
    return trial(data, keras.Sequential(stack), optimizers.Adam(5e-3), epochs=14)


def _segmented(loss: Any) -> Callable[[], Trial]:
    def make() -> Trial:
        x, y = masks()
        model = unet(x.shape[1:])
        model.compile(optimizers.Adam(2e-3), loss, metrics=[keras.metrics.BinaryAccuracy("accuracy")])
        return Trial(model, x[:256], y[:256], (x[256:], y[256:]), epochs=8)

    return make


def _dice(y: Any, p: Any) -> Any:
    both = ops.sum(y * p, axis=(1, 2, 3))
    return 1 - (2 * both + 1) / (ops.sum(y, axis=(1, 2, 3)) + ops.sum(p, axis=(1, 2, 3)) + 1)


def _adapted() -> Any:
    layer = layers.Normalization()
    layer.adapt(1000 * first("volumes").x)
    return layer


def _each_standardised(x: Any) -> Any:
    axes = tuple(range(1, x.ndim))
    return (x - x.mean(axis=axes, keepdims=True)) / (x.std(axis=axes, keepdims=True) + 1e-3)


_flips = (layers.RandomFlip("horizontal_and_vertical", seed=1),)

CASES.healthy("inception on materials", fit("materials", inception, x=centred, epochs=10))

CASES.healthy(
    "inception with BN on photographs",
    fit("photos", inception, lambda: optimizers.Adam(3e-3), of={"norm": "batch"}, x=centred, epochs=8),
)

CASES.healthy("mobile net on materials", fit("materials", mobile, lambda: optimizers.Adam(4e-3), epochs=14))

CASES.healthy(
    "residual GroupNorm on materials",
    fit("materials", shortcut, lambda: optimizers.Adam(3e-3), of={"norm": "group"}, epochs=10),
)

CASES.healthy(
    "labels smoothed on photographs",
    fit(
        "photos",
        chain,
        lambda: optimizers.Adam(5e-3),
        loss=losses.CategoricalCrossentropy(label_smoothing=0.15),
        y=one_hot(6),
        epochs=14,
    ),
)

CASES.healthy(
    "each material standardised",
    fit("materials", chain, lambda: optimizers.Adam(4e-3), x=_each_standardised, epochs=14),
)

CASES.healthy(
    "cosine from a warm start, ConvNeXt",
    fit(
        "photos",
        convnext,
        lambda: optimizers.AdamW(
            SCHEDULES.CosineDecay(1e-5, 360, warmup_target=4e-3, warmup_steps=60), weight_decay=0.02
        ),
        epochs=12,
    ),
    well(0.6),
)

CASES.healthy("ConvNeXt on materials", fit("materials", convnext, lambda: optimizers.AdamW(2e-3), epochs=12))

CASES.healthy("dense links on photographs", fit("photos", dense_links, epochs=8))

CASES.healthy(
    "bytes with Rescaling inside",
    fit(
        "photos",
        chain,
        lambda: optimizers.Adam(5e-3),
        x=lambda x: 255 * x,
        of={"before": (layers.Rescaling(1 / 127.5, -1),)},
        epochs=12,
    ),
)

CASES.healthy(
    "volumes of a thousand with Normalization inside",
    lambda: fit(
        "volumes",
        chain,
        lambda: optimizers.Adam(5e-3),
        x=lambda x: 1000 * x,
        of={"before": (_adapted(),), "norm": "batch"},
        epochs=10,
    )(),
)

CASES.healthy("residual on photographs", fit("photos", shortcut, lambda: optimizers.Adam(1e-3), epochs=7), well(0.6))

CASES.healthy(
    "flipped materials, flips in the model",
    fit("materials", chain, lambda: optimizers.Adam(4e-3), of={"before": _flips, "norm": "group"}, epochs=12),
)

CASES.healthy(
    "steps of exponential decay",
    fit(
        "photos",
        chain,
        lambda: optimizers.Adam(SCHEDULES.ExponentialDecay(0.01, 100, 0.7)),
        of={"norm": "layer"},
        epochs=12,
    ),
)

CASES.healthy(
    "clipped values, Adamax", fit("photos", squeezed, lambda: optimizers.Adamax(4e-3, clipvalue=0.1), epochs=10)
)

CASES.healthy(
    "Adagrad 0.1 with BN", fit("photos", chain, lambda: optimizers.Adagrad(0.1), of={"norm": "batch"}, epochs=12)
)

CASES.healthy(
    "SGD 0.1, LayerNorm, hard swish",
    fit("photos", chain, lambda: optimizers.SGD(0.1), of={"norm": "layer", "activation": "hard_swish"}, epochs=12),
    well(0.6),
)

CASES.healthy("subclassed with shortcuts", _residue, well(0.7))

CASES.healthy("a training step of its own, mixed pairs", _mixed_pairs)

CASES.healthy("branches left out at random", _dropped_paths)

CASES.healthy("frozen after telling rotations", _rotations_first, well(0.5))

CASES.healthy("mixed precision on faces", _half_precision, well(0.7))

CASES.healthy("three traits of photographs", _traits, well_falls(0.6))

CASES.healthy("a scarce class, weighted", _scarce)

CASES.healthy("spectral norm", _spectral)

CASES.healthy("fully convolutional", _fully_convolutional, well(0.6))

CASES.healthy("segmentation", _segmented("binary_crossentropy"), well(0.8))

CASES.healthy("segmentation by overlap (Dice)", _segmented(_dice), well(0.8))

CASES.healthy(
    "a third of the labels wrong, BN",
    fit(
        "photos",
        chain,
        lambda: optimizers.Adam(3e-3),
        of={"norm": "batch"},
        epochs=8,
        y=lambda y: np.where(
            np.random.default_rng(len(y)).random(len(y)) < 0.3, np.random.default_rng(1).integers(0, 6, len(y)), y
        ),
    ),
    well(0.5),
)
