"""Data, width, time and batches that do not fit each other."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops, optimizers, regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.second.data import scenes, second, turned
from benchmarks.faults.second.make import faulty, fit
from benchmarks.faults.second.networks import encoder, mobilenet, segmenter, tutorial, vgg
from benchmarks.faults.second.symptoms import below, one_answer_balanced, same_vector, told_apart


def _sorted() -> Trial:
    """Letters in the order of the alphabet, and ``shuffle=False``: each epoch ends with the last one alone."""
    data = second("glyphs")
    done = trial(data, vgg(data), optimizers.SGD(0.02, momentum=0.9), epochs=5)
    order = np.argsort(data.y, kind="stable")
    done.x, done.y, done.options = data.x[order], data.y[order], {"shuffle": False}
    return done


def _weighted_the_wrong_way() -> Trial:
    """Seldom kinds of heartbeat, and class weights that are counts instead of their inverse."""
    data = second("heartbeats")
    keep = (data.y == 0) | (np.arange(len(data.y)) % 5 == 0)
    done = trial(data, tutorial(data, filters=(12, 16)), optimizers.Adam(1e-3), epochs=5)
    done.x, done.y = data.x[keep], data.y[keep]
    counts = np.bincount(done.y)
    done.options = {"class_weight": {k: float((counts[k] / counts.max()) ** 2) for k in range(3)}}
    return done


def _only_alike() -> Trial:
    """Pairs of the same letter only: the best answer is one vector for everything."""
    data = second("glyphs")
    rng = np.random.default_rng(12)
    a = rng.integers(0, len(data.x), 800)
    b = np.array([rng.choice(np.flatnonzero(data.y == k)) for k in data.y[a]])
    shared = encoder(data.shape)
    left, right = keras.Input(data.shape, name="left"), keras.Input(data.shape, name="right")
    apart = layers.Lambda(lambda ab: ops.sum((ab[0] - ab[1]) ** 2, axis=-1, keepdims=True), name="distance")
    model = keras.Model([left, right], apart([shared(left), shared(right)]))
    model.compile(optimizers.Adam(2e-3), lambda same, far: same * far + (1 - same) * ops.relu(1 - far))
    return Trial(model, [data.x[a], data.x[b]], np.ones((800, 1), "float32"), epochs=8)


def _few_scenes() -> Trial:
    """Five scenes for a segmentation net of tens of thousands of weights."""
    x, _, pixels = scenes()
    model = segmenter(x.shape[1:], classes=5, head="softmax")
    model.compile(optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Trial(model, x[:5], pixels[:5], (x[-48:], pixels[-48:]), epochs=48, batch=4)


def _few_angles() -> Trial:
    """Directions of 40 gratings learned by heart."""
    x, turn = turned()
    y = np.stack([np.sin(2 * turn), np.cos(2 * turn)], axis=1) + np.random.default_rng(2).normal(0, 0.4, (1000, 2))
    model = tutorial(second("gratings"), units=2, head=None, filters=(24, 48), dense=(128,))
    model.compile(optimizers.AdamW(2e-3), "mse", metrics=["mae"])
    return Trial(model, x[:40], y[:40].astype("float32"), (x[-250:], y[-250:].astype("float32")), epochs=30, batch=10)


def _mean_first() -> Trial:
    """Everything about place and shape is averaged away before the dense layers."""
    data = second("gratings")
    stack: list[Any] = [keras.Input(data.shape), layers.AveragePooling2D(10), layers.Conv2D(16, 2, activation="relu")]
    stack += [layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(data.classes, activation="softmax")]
    return trial(data, keras.Sequential(stack), optimizers.Adam(3e-3), epochs=25)


def _one_by_one() -> Trial:
    """Windows of one pixel only, and means over all places."""
    data = second("sounds")
    stack: list[Any] = [keras.Input(data.shape)]
    stack += [layers.Conv2D(width, 1, activation="gelu") for width in (16, 16)]
    stack += [layers.GlobalAveragePooling2D(), layers.Dense(data.classes, activation="softmax")]
    return trial(data, keras.Sequential(stack), optimizers.Adam(0.01), samples=500, epochs=20)


def _normalised_vectors() -> Trial:
    """One normalisation alone, of vectors: with two samples a batch it leaves little but their order."""
    data = second("glyphs")
    stack: list[Any] = [keras.Input(data.shape)]
    stack += [layers.Conv2D(width, 3, strides=2, activation="relu") for width in (16, 32)]
    stack += [layers.GlobalAveragePooling2D(), layers.BatchNormalization(momentum=0.9)]
    stack += [layers.Dense(data.classes, activation="softmax")]
    return trial(data, keras.Sequential(stack), optimizers.Adam(2e-3), batch=2, samples=400, epochs=5)


def _mislabelled(y: Any) -> Any:
    return np.random.default_rng(len(y)).permutation(y)


_WIDE = {"filters": (24, 48), "dense": (128,)}

CASES: tuple[Case, ...] = (
    faulty("collapsed: sorted by class and never shuffled", _sorted, shows.one_answer, "collapsed_output",
           ("predictions",)),
    faulty("collapsed: class weights the wrong way round", _weighted_the_wrong_way, one_answer_balanced,
           "collapsed_output", ("dense_1",)),
    faulty("collapsed: a siamese net shown no pairs that differ", _only_alike, same_vector("encoder"),
           "collapsed_output", ("distance", "encoder", "embedding")),
    faulty("collapsed: an L2 of 1 on every layer of a digit classifier", lambda: trial(
        load("digits"), tutorial(load("digits"), penalty=regularizers.L2(1.0)), optimizers.Adam(2e-3), epochs=8),
           shows.one_answer, "collapsed_output", ("dense_1",), ("underfitting", "dead_units")),
    faulty(
        "overfitting: 30 heartbeats",
        fit("heartbeats", tutorial, of=_WIDE, samples=30, batch=10, epochs=30),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "overfitting: 48 letters by RMSprop, two blocks",
        fit("glyphs", vgg, lambda: optimizers.RMSprop(1e-3), of={"fc": 128}, samples=48, epochs=32),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "overfitting: labels of toys lost their order",
        fit("toys", tutorial, of=_WIDE, y=_mislabelled, samples=200, epochs=20),
        shows.overfits,
        "overfitting",
    ),
    faulty("overfitting: five scenes segmented", _few_scenes, shows.overfits, "overfitting"),
    faulty("overfitting: forty noisy directions", _few_angles, shows.overfits, "overfitting"),
    faulty("underfitting: everything averaged at the start", _mean_first, below(0.6), "underfitting"),
    faulty("underfitting: windows of one pixel", _one_by_one, below(0.75), "underfitting"),
    faulty(
        "underfitting: a single unit before the head, letters",
        fit("glyphs", tutorial, lambda: optimizers.Adam(2e-3),
            of={"filters": (8, 8), "dense": (1,), "activation": "tanh"}, epochs=25),
        below(0.6),
        "underfitting",
        ("dense",),
    ),
    faulty(
        "batches of 1 through a mobile net, toys",
        fit("toys", mobilenet, batch=1, samples=300, epochs=4),
        told_apart,
        "batch_too_small_for_bn",
    ),
    faulty(
        "batches of 2, normalised behind the mean, letters",
        _normalised_vectors,
        shows.both(also_shows.noisy_statistics("batch_normalization", 2), told_apart),
        "batch_too_small_for_bn",
    ),
    faulty(
        "batches of 3, normalised dense layers, heartbeats",
        fit("heartbeats", tutorial, of={"norm": True, "dense": (32, 32)}, batch=3, samples=450, epochs=5),
        also_shows.noisy_statistics("batch_normalization_3", 3),
        "batch_too_small_for_bn",
    ),
    faulty(
        "batches of 2, normalised dense layer, clips too large for memory",
        fit("clips", tutorial, of={"norm": True, "filters": (8, 12)}, batch=2, samples=300, epochs=4),
        also_shows.noisy_statistics("batch_normalization_2", 2),
        "batch_too_small_for_bn",
    ),
)  # fmt: skip
