"""Ways to train that are well: schedules, one epoch only, learning passed on, mixed precision, data as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, optimizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.second.networks import resnet
from benchmarks.faults.second.symptoms import good
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import Make, fit, healthy
from benchmarks.faults.third.networks import convnet, lenet, mlp

_SCHEDULES = optimizers.schedules
OK = good(val_accuracy=0.8)


class OneCycle(keras.callbacks.Callback):
    """Up to the highest rate in a third of the steps, then down to nothing (Smith 2018)."""

    def __init__(self, highest: float, steps: int) -> None:
        super().__init__()
        self._highest, self._steps, self._step = highest, steps, 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins anew."""
        self._step = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """The rate of this step."""
        share = min(self._step / self._steps, 1.0)
        self.model.optimizer.learning_rate = self._highest * float(np.interp(share, [0, 1 / 3, 1], [0.05, 1, 0.001]))
        self._step += 1


def _norm(name: str) -> Any:
    return layers.BatchNormalization(momentum=0.9, name=name)


def _adam(rate: Any) -> Any:
    return lambda: optimizers.Adam(rate)


def _passed_on(*, thaw: bool) -> Make:
    """Convolutions that have told the first three views apart, under a new head for all five."""

    def make() -> Trial:
        data = third("views")
        known = data.y < 3
        base = keras.Sequential(
            [
                keras.Input(data.shape),
                layers.Conv2D(16, 3, activation="relu", name="base_conv1"),
                layers.MaxPooling2D(),
                layers.Conv2D(32, 3, activation="relu", name="base_conv2"),
                layers.MaxPooling2D(),
                layers.Flatten(),
            ]
        )
        before = keras.Sequential([base, layers.Dense(3, activation="softmax")])
        before.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
        before.fit(data.x[known], data.y[known], epochs=8, verbose=0)
        stack = [*base.layers, layers.Dense(64, activation="relu", name="new_fc")]
        model = keras.Sequential([keras.Input(data.shape), *stack, layers.Dense(5, activation="softmax", name="new")])
        base.trainable = False
        if not thaw:
            return trial(data, model, optimizers.Adam(1.5e-3), epochs=10)
        model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
        model.fit(data.x, data.y, epochs=7, verbose=0)
        base.trainable = True
        return trial(data, model, optimizers.Adam(1e-5), epochs=4)

    return make


def _frozen_normalisation() -> Trial:
    """Fine-tuning by two samples at a time, whose normalisations keep the statistics they have."""
    data = third("prints")
    model = convnet(data, norm=_norm, dense=())
    model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(data.x, data.y, epochs=4, verbose=0)
    for name in ("norm1", "norm2"):
        model.get_layer(name).trainable = False
    return trial(data, model, optimizers.SGD(1e-4, momentum=0.9), batch=2, samples=400, epochs=3)


def _half(policy: str, name: str, net: Any, optimizer: Any, **options: Any) -> Make:
    """Mixed precision, the head in single."""

    def make() -> Trial:
        keras.config.set_dtype_policy(policy)
        return fit(name, net, optimizer, of={"of": {"output": {"dtype": "float32"}}}, **options)()

    return make


def _resumed() -> Trial:
    """Goes on where a training had ended, at a hundredth of the rate."""
    data = third("mnist")
    model = lenet(data)
    model.compile(optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(data.x, data.y, epochs=8, verbose=0)
    return trial(data, model, optimizers.Adam(3e-5), epochs=4)


def _lopsided() -> Trial:
    """Few malignant samples, each of which weighs the more."""
    data = third("cancer")
    done = trial(data, mlp(data), optimizers.Adam(2e-3), loss="binary_crossentropy", epochs=15)
    keep = (data.y == 1) | (np.arange(len(data.y)) % 5 == 0)
    done.x, done.y = data.x[keep], data.y[keep]
    done.options = {"class_weight": {0: 4.0, 1: 0.6}}
    return done


def _some_wrong(y: Any) -> Any:
    rng = np.random.default_rng(len(y) + 2)
    return np.where(rng.random(len(y)) < 0.2, rng.integers(0, 10, len(y)), y)


def _ten_held_out() -> Trial:
    done = fit("views", convnet, _adam(1e-3), epochs=8)()
    assert done.validation is not None
    done.validation = (done.validation[0][:10], done.validation[1][:10])
    return done


def _augmented() -> Trial:
    """Patches turned over and moved in the model while it trains."""
    before: Sequence[Any] = [
        layers.RandomFlip("horizontal", seed=1), layers.RandomTranslation(0.1, 0.1, seed=2),
        layers.RandomZoom(0.1, seed=3),
    ]  # fmt: skip
    data = third("views")
    return trial(data, convnet(data, before=tuple(before), dropout=0.3), optimizers.Adam(1e-3), epochs=10)


CASES: tuple[Case, ...] = (
    healthy("cosine, SGD, views", fit("views", convnet, lambda: optimizers.SGD(
        _SCHEDULES.CosineDecay(0.05, 280), momentum=0.9), epochs=8), OK),
    healthy("warm-up, then cosine, a residual net on prints", fit("prints", resnet, _adam(
        _SCHEDULES.CosineDecay(0.0, 200, warmup_target=5e-3, warmup_steps=80)), epochs=8), OK),
    healthy("warm-up alone for two epochs, AdamW, digits", fit("digits", mlp, lambda: optimizers.AdamW(
        _SCHEDULES.CosineDecay(1e-7, 10**4, warmup_target=2e-3, warmup_steps=80)), epochs=8), OK),
    healthy("restarts, mnist", fit("mnist", lenet, lambda: optimizers.SGD(
        _SCHEDULES.CosineDecayRestarts(0.1, 80, t_mul=1.0), momentum=0.9), epochs=8), OK),
    healthy("one cycle up to 0.05 with normalisation, views", fit("views", convnet, lambda: optimizers.SGD(
        0.01, momentum=0.9), of={"norm": _norm, "dense": ()}, callbacks=(OneCycle(0.05, 350),), epochs=10), OK),
    healthy("one epoch of LeNet, SGD", fit("mnist", lenet, lambda: optimizers.SGD(0.02, momentum=0.9), epochs=1),
            good(val_accuracy=0.2)),
    healthy("one epoch of a residual net on views", fit("views", resnet, _adam(2e-3), epochs=1),
            good(accuracy=0.3)),
    healthy("one epoch of a table", fit("cancer", mlp, _adam(1e-3), epochs=1), good(val_accuracy=0.6)),
    healthy("two epochs in batches of 128, digits", fit("digits", convnet, _adam(1e-3), batch=128, epochs=2),
            good(val_accuracy=0.3)),
    healthy("three views passed on to five, frozen", _passed_on(thaw=False), OK),
    healthy("three views passed on to five, thawed at 0.00001", _passed_on(thaw=True), OK),
    healthy("normalisations frozen for batches of 2", _frozen_normalisation, OK),
    healthy("mixed precision of bfloat16, views", _half(
        "mixed_bfloat16", "views", convnet, _adam(1e-3), epochs=6), OK),
    healthy("mixed precision of float16, dense layers by SGD", _half(
        "mixed_float16", "digits", mlp, lambda: optimizers.SGD(0.1, momentum=0.9), epochs=10), OK),
    healthy("resumed at a hundredth of the rate", _resumed, OK),
    healthy("few malignant samples, weighed", _lopsided, good(val_accuracy=0.9)),
    healthy("a fifth of the labels wrong, digits", fit(
        "digits", mlp, _adam(1e-3), y=_some_wrong, of={"dropout": 0.3}, epochs=12), good(val_accuracy=0.6)),
    healthy("ten samples held out, views", _ten_held_out, good(accuracy=0.8)),
    healthy("turned over, moved and zoomed, views", _augmented, good(val_accuracy=0.75)),
    healthy("forty epochs of a table with dropout", fit(
        "cancer", mlp, _adam(5e-4), of={"dropout": 0.4}, epochs=40), good(val_accuracy=0.92)),
)  # fmt: skip
