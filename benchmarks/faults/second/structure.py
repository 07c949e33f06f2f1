"""Layers with nothing non-linear between them, and layers that no gradient reaches or moves."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.second.data import coloured, second
from benchmarks.faults.second.make import faulty, fit
from benchmarks.faults.second.networks import encoder, tutorial, vgg
from benchmarks.faults.second.symptoms import sign_only, stays


def _norm_only() -> Trial:
    """Convolution and normalisation, and the activation forgotten once."""
    data = second("glyphs")
    stack: list[Any] = [keras.Input(data.shape)]
    for i, width in enumerate((16, 24, 24)):
        stack += [layers.Conv2D(width, 3, padding="same", use_bias=False), layers.BatchNormalization(momentum=0.9)]
        stack += [layers.ReLU()] if i != 1 else []
        stack += [layers.MaxPooling2D()] if i == 0 else []
    stack += [layers.GlobalAveragePooling2D(), layers.Dense(data.classes, activation="softmax")]
    return trial(data, keras.Sequential(stack), optimizers.SGD(0.1, momentum=0.9), epochs=5)


def _unlearned_base() -> Trial:
    """Transfer learning with ``weights=None``: the frozen base knows nothing."""
    data = second("glyphs")
    base = encoder(data.shape, 4)
    base.trainable = False
    model = keras.Sequential([keras.Input(data.shape), base, layers.ReLU(), layers.Dense(data.classes, "softmax")])
    return trial(data, model, optimizers.Adam(3e-3), epochs=8)


def _hard_choice() -> Trial:
    """Attention that picks the one best place, which has no slope."""
    data = second("spectra")
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(16, 7, strides=4, activation="relu", name="features")(inputs)
    score = layers.Conv1D(1, 3, padding="same", name="score")(x)
    places = x.shape[1]
    best = layers.Lambda(lambda s: ops.one_hot(ops.argmax(s[..., 0], axis=1), places), name="choose")(score)
    x = layers.Lambda(lambda ab: ops.einsum("btc,bt->bc", *ab), name="look")([x, best])
    x = layers.Dense(data.classes, activation="softmax", name="output")(x)
    return trial(data, keras.Model(inputs, x), optimizers.Adam(3e-3), epochs=6)


def _weightless_branch() -> Trial:
    """Two questions, of which one counts for nothing: its branch stays as it was made."""
    x, kind, colour = coloured()
    inputs = keras.Input(x.shape[1:])
    stem = layers.Conv2D(16, 3, strides=2, activation="relu", name="stem")(inputs)
    heads = {}
    for name, units in (("kind", 4), ("colour", 3)):
        y = layers.Conv2D(16, 3, strides=2, activation="relu", name=f"{name}_conv")(stem)
        heads[name] = layers.Dense(units, activation="softmax", name=name)(layers.Flatten()(y))
    model = keras.Model(inputs, heads)
    model.compile(
        optimizers.RMSprop(2e-3),
        dict.fromkeys(heads, "sparse_categorical_crossentropy"),
        loss_weights={"kind": 1.0, "colour": 0.0},
        metrics={"kind": ["accuracy"], "colour": ["accuracy"]},
    )
    return Trial(model, x[:900], {"kind": kind[:900], "colour": colour[:900]}, epochs=9)


_LINEAR = {"activation": None}

CASES: tuple[Case, ...] = (
    faulty(
        "no activation: the first convolution of the second block, toys",
        fit("toys", vgg, of={"of": {"block2_conv1": _LINEAR}}, epochs=4),
        also_shows.linear("block2_conv1", "block2_conv1"),
        "missing_activation",
        ("block2_conv1",),
    ),
    faulty(
        "no activation: in no layer of a clip classifier",
        fit("clips", tutorial, of={"filters": (8, 12), "activation": None, "pooling": "Average"}, epochs=4),
        also_shows.linear("conv3d", "dense"),
        "missing_activation",
        ("conv3d", "conv3d_1", "dense"),
    ),
    faulty(
        "no activation: behind the second normalisation, letters",
        _norm_only,
        also_shows.linear("conv2d_1", "conv2d_1"),
        "missing_activation",
        ("conv2d_1", "batch_normalization_1"),
    ),
    faulty(
        "no activation: leaky ReLU with a slope of 1, sounds",
        fit(
            "sounds",
            vgg,
            lambda: optimizers.AdamW(1e-3),
            of={"act": lambda name: layers.LeakyReLU(negative_slope=1.0, name=name)},
            epochs=4,
        ),
        also_shows.linear("block2_conv1", "block2_conv2_act"),
        "missing_activation",
        tuple(f"block{b}_conv{i}{what}" for b in (1, 2) for i in (1, 2) for what in ("", "_act")),
    ),
    faulty(
        "frozen: a base without learned weights, letters",
        _unlearned_base,
        shows.both(stays("conv1", "conv2", "embedding"), shows.worse_than(0.75)),
        "frozen_layer",
        ("encoder/conv1", "encoder/conv2", "encoder/embedding"),
    ),
    faulty(
        "frozen: attention by argmax, spectra",
        _hard_choice,
        shows.both(shows.unmoved("score"), sign_only("score")),
        "frozen_layer",
        ("score",),
    ),
    faulty(
        "frozen: a question with loss weight 0",
        _weightless_branch,
        shows.unmoved("colour_conv"),
        "frozen_layer",
        ("colour_conv", "colour"),
    ),
)
