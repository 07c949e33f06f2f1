"""Trainings that are well and answer with something else than one class: numbers, vectors, several answers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, losses, ops, optimizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import Data
from benchmarks.faults.second.data import coloured, crowds, scenes, second, spots, turned
from benchmarks.faults.second.make import Make, fit, healthy, split
from benchmarks.faults.second.networks import encoder, encoding, tutorial, vgg
from benchmarks.faults.second.symptoms import good

_IMAGE = "gratings"


def _regress(targets: Any, loss: Any, *, units: int = 1, head: Any = None, rate: float = 2e-3, **of: Any) -> Make:
    """Images to numbers; ``targets`` gives both."""

    def make() -> Trial:
        x, y = targets()
        model = tutorial(Data(x, y, x, y, units), head=head, **of)
        model.compile(optimizers.Adam(rate), loss)
        return split(model, x, y, epochs=12)

    return make


def _rent() -> Any:
    """Numbers of tens of thousands."""
    x, y = crowds()
    return x, 20_000 + 5_000 * y


def _rescaled() -> Trial:
    """Large targets, and a fixed scale behind the head that makes up for them."""
    x, y = _rent()
    inner = tutorial(second(_IMAGE), units=1, head=None)
    scaled = layers.Rescaling(10_000, offset=40_000, name="unit")(inner.outputs[0])
    model = keras.Model(inner.inputs, scaled)
    model.compile(optimizers.Adam(2e-3), "mse", metrics=["mae"])
    return split(model, x, y, epochs=12)


def _round() -> Any:
    """The direction as a point on the circle."""
    x, turn = turned()
    return x, np.stack([np.sin(2 * turn), np.cos(2 * turn)], axis=1).astype("float32")


def _above() -> Any:
    """Whether there are more than 0, 1, … 7 spots (ordinal regression)."""
    x, y = crowds()
    return x, (y > np.arange(8)).astype("float32")


def _pinball(y: Any, p: Any) -> Any:
    return ops.mean(ops.maximum(0.9 * (y - p), -0.1 * (y - p)))


def _own_deviation(y: Any, p: Any) -> Any:
    """Gaussian likelihood with a deviation of its own for each answer; the loss falls below zero."""
    mean, log_variance = p[:, :2], ops.clip(p[:, 2:], -7.0, 4.0)
    return ops.mean(0.5 * log_variance + 0.5 * (y - mean) ** 2 * ops.exp(-log_variance))


def _shape_and_colour() -> Trial:
    x, kind, colour = coloured()
    inputs = keras.Input(x.shape[1:])
    stem = layers.Conv2D(24, 3, strides=2, activation="relu", name="stem")(inputs)
    y = layers.Flatten()(layers.Conv2D(24, 3, strides=2, activation="relu", name="deep")(stem))
    heads = {
        "kind": layers.Dense(4, activation="softmax", name="kind")(y),
        "colour": layers.Dense(3, activation="softmax", name="colour")(layers.GlobalAveragePooling2D()(stem)),
    }
    model = keras.Model(inputs, heads)
    model.compile(optimizers.Adam(3e-3), dict.fromkeys(heads, "sparse_categorical_crossentropy"),
                  loss_weights={"kind": 1.0, "colour": 0.2}, metrics={"kind": ["accuracy"]})  # fmt: skip
    parts = [{"kind": kind[s], "colour": colour[s]} for s in (slice(900), slice(900, None))]
    return Trial(model, x[:900], parts[0], (x[900:], parts[1]), epochs=14)


def _which_shapes(loss: Any, head: Any) -> Make:
    def make() -> Trial:
        x, y, _ = scenes()
        model = vgg(second("glyphs"), units=4, head=head, norm=layers.BatchNormalization)
        threshold = 0.0 if head is None else 0.5
        model.compile(optimizers.Adam(2e-3), loss, metrics=[keras.metrics.BinaryAccuracy("right", threshold=threshold)])
        return split(model, x, y, epochs=8)

    return make


def _rare() -> Trial:
    """Is it the letter Z? One in eight is; focal loss."""
    loss = losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.75)
    return fit("glyphs", tutorial, loss=loss, y=lambda y: (y == 7).astype("float32"),
               of={"units": 1, "head": "sigmoid"}, epochs=10)()  # fmt: skip


def _taught() -> Trial:
    """A small net learns the soft answers of a larger one, at a temperature (distillation)."""
    data = second("toys")
    teacher = vgg(data, norm=layers.BatchNormalization)
    teacher.compile(optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    teacher.fit(data.x, data.y, epochs=4, verbose=0)

    def soft(x: Any) -> Any:
        shares = teacher.predict(x, verbose=0) ** 0.5
        return shares / shares.sum(axis=1, keepdims=True)

    pupil = tutorial(data, filters=(12, 16), dense=(24,))
    pupil.compile(optimizers.Adam(3e-3), "kl_divergence", metrics=["accuracy"])
    return Trial(pupil, data.x, soft(data.x), (data.xv, soft(data.xv)), epochs=12)


def _twins() -> Trial:
    """Are two letters the same? Distances under a contrastive loss."""
    data = second("glyphs")
    rng = np.random.default_rng(13)
    a = rng.integers(0, len(data.x), 3600)
    b = np.where(rng.random(3600) < 0.5, rng.integers(0, len(data.x), 3600), 0)
    alike = [rng.choice(np.flatnonzero(data.y == k)) for k in data.y[a]]
    b = np.where(np.arange(3600) % 2 == 0, alike, b)
    same = (data.y[a] == data.y[b]).astype("float32")[:, None]
    shared = encoder(data.shape, 8)
    left, right = keras.Input(data.shape, name="left"), keras.Input(data.shape, name="right")
    gap = layers.Subtract(name="gap")([shared(left), shared(right)])
    chance = layers.Dense(1, activation="sigmoid", name="same")(layers.Lambda(ops.square, name="squares")(gap))
    model = keras.Model([left, right], chance)
    model.compile(optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy"])
    parts = [[data.x[a[s]], data.x[b[s]]] for s in (slice(3000), slice(3000, None))]
    return Trial(model, parts[0], same[:3000], (parts[1], same[3000:]), epochs=6)


def _supervised_contrast(y: Any, z: Any) -> Any:
    """Vectors of one class together, all others apart, within a batch (Khosla et al. 2020)."""
    y = ops.reshape(y, (-1,))
    own = ops.eye(ops.shape(y)[0])
    alike = ops.cast(y[:, None] == y[None, :], z.dtype) - own
    close = ops.matmul(z, ops.transpose(z)) / 0.2 - 1e9 * own
    log_share = close - ops.logsumexp(close, axis=1, keepdims=True)
    return -ops.mean(ops.sum(alike * log_share, axis=1) / ops.maximum(ops.sum(alike, axis=1), 1.0))


def _embedded() -> Trial:
    data = second("sounds")
    stack = [*encoding(), layers.UnitNormalization(name="unit")]
    model = keras.Sequential([keras.Input(data.shape), *stack])
    return trial(data, model, optimizers.Adam(2e-3), loss=_supervised_contrast, metrics=(), batch=64, epochs=10)


def _angular() -> Trial:
    """Cosines with learned directions, sharpened, as logits (NormFace)."""
    data = second("glyphs")
    length = keras.constraints.UnitNorm(axis=0)
    stack = [*encoding(24), layers.UnitNormalization(name="unit")]
    stack.append(layers.Dense(data.classes, use_bias=False, kernel_constraint=length, name="cosines"))
    model = keras.Sequential([keras.Input(data.shape), *stack, layers.Rescaling(12.0, name="sharpness")])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    return trial(data, model, optimizers.Adam(2e-3), loss=loss, epochs=10)


CASES: tuple[Case, ...] = (
    healthy("spots counted by squares", _regress(crowds, "mse"), good(loss_share=0.35)),
    healthy("spots counted by a Poisson loss and an exponential head", _regress(crowds, "poisson", head="exponential"),
            good(loss_at_most=-2.4)),
    healthy("rents of tens of thousands in relative errors", _regress(
        _rent, "mean_absolute_percentage_error", rate=1e-2), good(loss_share=0.5)),
    healthy("rents with their scale inside the model", _rescaled, good(loss_share=0.35)),
    healthy("places by two sigmoids", _regress(spots, "mse", units=2, head="sigmoid"), good(loss_share=0.3)),
    healthy("directions by cosine similarity and tanh", _regress(_round, "cosine_similarity", units=2, head="tanh"),
            good(loss_at_most=-0.95)),
    healthy("a quantile of counts", _regress(crowds, _pinball, activation="silu"), good(loss_share=0.6)),
    healthy("places with a deviation of their own: a loss below zero", _regress(spots, _own_deviation, units=4),
            good(loss_at_most=-1.5)),
    healthy("counts by log-cosh", _regress(crowds, "log_cosh", norm=True), good(loss_share=0.35)),
    healthy("more than so many: ordinal regression", _regress(_above, "binary_crossentropy", units=8, head="sigmoid"),
            good(loss_share=0.6)),
    healthy("shape and colour", _shape_and_colour, good(val_kind_accuracy=0.8)),
    healthy("which shapes are there, sigmoids", _which_shapes("binary_crossentropy", "sigmoid"), good(val_right=0.8)),
    healthy("which shapes are there, logits", _which_shapes(losses.BinaryCrossentropy(from_logits=True), None),
            good(val_right=0.8)),
    healthy("a rare letter by focal loss", _rare, good(val_accuracy=0.92)),
    healthy("soft answers of a teacher", _taught, good(val_accuracy=0.8)),
    healthy("the same letter or not", _twins, good(val_accuracy=0.72)),
    healthy("vectors by supervised contrast", _embedded, good(loss_share=0.9)),
    healthy("cosines with learned directions", _angular, good(val_accuracy=0.8)),
)  # fmt: skip
