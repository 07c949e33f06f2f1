"""Ways to train that are well: schedules, small batches, one epoch only, learning passed on, mixed precision."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import callbacks, layers, losses, optimizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import Data
from benchmarks.faults.fourth.data import fourth
from benchmarks.faults.fourth.make import Make, adam, fit, healthy, sgd, usual_norm
from benchmarks.faults.fourth.networks import simple, vgg, xception
from benchmarks.faults.second.make import one_hot
from benchmarks.faults.second.symptoms import good
from benchmarks.faults.third.networks import lenet, mlp

_SCHEDULES = optimizers.schedules
OK = good(val_accuracy=0.8)


def _from_low_digits(*, thaw: bool) -> Make:
    """Convolutions that know the digits from 0 to 4, under a new head for those from 5 to 9."""

    def make() -> Trial:
        data = fourth("mnist")
        low, high, held_out = data.y < 5, data.y >= 5, data.yv >= 5
        model = simple(Data(data.x, data.y, data.xv, data.yv, 5), widths=(16, 32))
        model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
        model.fit(data.x[low], data.y[low], epochs=5, verbose=0)
        base = model.layers[:-2]
        stack = [*base, layers.Dense(64, activation="relu", name="new_fc"), layers.Dense(5, "softmax", name="new_head")]
        model = keras.Sequential([keras.Input(data.shape), *stack])
        for layer in base:
            layer.trainable = False
        passed = Data(data.x[high], data.y[high] - 5, data.xv[held_out], data.yv[held_out] - 5, 5)
        if not thaw:
            return trial(passed, model, optimizers.Adam(2e-3), epochs=10)
        model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
        model.fit(passed.x, passed.y, epochs=6, verbose=0)
        for layer in base:
            layer.trainable = True
        return trial(passed, model, optimizers.Adam(2e-5), epochs=5)

    return make


def _half(policy: str, name: str, net: Any, optimizer: Any, **options: Any) -> Make:
    """Mixed precision, the head in single."""
    of = {"of": {"predictions": {"dtype": "float32"}}} | options.pop("of", {})

    def make() -> Trial:
        keras.config.set_dtype_policy(policy)
        return fit(name, net, optimizer, of=of, **options)()

    return make


def _augmented() -> Trial:
    data = fourth("snaps")
    before = (layers.RandomFlip("horizontal", seed=1), layers.RandomRotation(0.05, seed=2))
    return trial(data, vgg(data, before=before, per_block=1, dropout=0.3), optimizers.Adam(1e-3), epochs=10)


def _seldom() -> Trial:
    """A sixth as many of one letter as of the others, with weights that make up for it."""
    data = fourth("glyphs")
    keep = (data.y != 2) | (np.arange(len(data.y)) % 6 == 0)
    few = Data(data.x[keep], data.y[keep], data.xv, data.yv, data.classes)
    done = trial(few, vgg(few, per_block=1), optimizers.Adam(2e-3), epochs=8)
    done.options = {"class_weight": {kind: 6.0 if kind == 2 else 1.0 for kind in range(few.classes)}}
    return done


def _waits_and_stops() -> Trial:
    done = fit("digits", simple, adam(3e-3), of={"padding": "same"}, epochs=14)()
    done.callbacks = (
        callbacks.ReduceLROnPlateau(patience=1, factor=0.3),
        callbacks.EarlyStopping(patience=4, restore_best_weights=True),
    )
    return done


CASES: tuple[Case, ...] = (
    healthy("warm-up, then cosine, a normalised VGG on photos", fit("photos", vgg, adam(_SCHEDULES.CosineDecay(
        0.0, 180, warmup_target=4e-3, warmup_steps=60)), of={"norm": usual_norm, "per_block": 1, "dense": ()},
        epochs=7), OK),
    healthy("cosine to nothing, SGD, LeNet on mnist", fit("mnist", lenet, sgd(
        _SCHEDULES.CosineDecay(0.05, 320)), epochs=8), OK),
    healthy("halved every two epochs, separable convolutions on grounds", fit("grounds", xception, adam(
        _SCHEDULES.ExponentialDecay(5e-3, 64, 0.5, staircase=True)), epochs=7), OK),
    healthy("SGD 1.0 with normalisation, glyphs", fit("glyphs", vgg, sgd(1.0, 0.0), of={
        "norm": usual_norm, "per_block": 1, "mean": True, "dense": ()}, epochs=10), OK),
    healthy("Adam 0.03 with normalisation, dense layers on digits", fit(
        "digits", mlp, adam(0.03), of={"norm": True}, epochs=10), OK),
    healthy("normalised in batches of 8, glyphs", fit("glyphs", vgg, of={
        "norm": usual_norm, "per_block": 1, "dense": ()}, batch=8, epochs=4), OK),
    healthy("batches of 4, LeNet on glyphs", fit("glyphs", lenet, adam(1e-3), batch=4, epochs=4), OK),
    healthy("one epoch of a VGG on materials", fit("materials", vgg, of={"per_block": 1}, epochs=1),
            good(val_accuracy=0.5)),
    healthy("one epoch of dense layers on digits", fit("digits", mlp, adam(2e-3), epochs=1), good(val_accuracy=0.4)),
    healthy("from low digits to high ones, all but the head frozen", _from_low_digits(thaw=False), OK),
    healthy("from low digits to high ones, thawed at 0.00002", _from_low_digits(thaw=True), OK),
    healthy("mixed precision of float16, a first example on small digits", _half(
        "mixed_float16", "digits", simple, adam(3e-3), of={"widths": (8, 16), "padding": "same"}, epochs=5), OK),
    healthy("mixed precision of bfloat16, a first example on glyphs", _half(
        "mixed_bfloat16", "glyphs", simple, adam(2e-3), epochs=6), OK),
    healthy("turned and flipped, snaps", _augmented, OK),
    healthy("smoothed labels, materials", fit("materials", vgg, of={"per_block": 1}, y=one_hot(3),
            loss=losses.CategoricalCrossentropy(label_smoothing=0.1), epochs=5), OK),
    healthy("a letter that is seldom, weighed", _seldom, OK),
    healthy("slowed down on plateaus and stopped early, digits", _waits_and_stops, OK),
    healthy("gradients cut at a norm of 0.5, SGD 0.1, glyphs", fit("glyphs", vgg, lambda: optimizers.SGD(
        0.1, momentum=0.9, clipnorm=0.5), of={"per_block": 1}, epochs=8), OK),
)  # fmt: skip
