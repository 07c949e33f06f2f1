"""Ways to train that are well: schedules, optimizers, steps of one's own, data as it comes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, losses, optimizers, regularizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.second.data import second
from benchmarks.faults.second.make import Make, fit, healthy, one_hot
from benchmarks.faults.second.networks import branches, mobilenet, resnet, tutorial, vgg
from benchmarks.faults.second.symptoms import good

SCHEDULES = optimizers.schedules
OK = good(val_accuracy=0.8)


class Triangle(keras.callbacks.Callback):
    """Cyclical learning rate by steps (Smith 2017)."""

    def __init__(self, low: float, high: float, half: int) -> None:
        super().__init__()
        self._low, self._high, self._half, self._step = low, high, half, 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Begins anew."""
        self._step = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Up for ``half`` steps, then down again."""
        share = 1 - abs(self._step % (2 * self._half) / self._half - 1)
        self.model.optimizer.learning_rate = self._low + share * (self._high - self._low)
        self._step += 1


class Sharpness(keras.Model):
    """Sharpness-aware steps: the gradient is taken a little uphill."""

    def train_step(self, data: Any) -> Any:
        """Up, gradient, back, step."""
        import tensorflow as tf

        x, y = data
        own = self.trainable_variables
        values = [v.value for v in own]
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        uphill = tape.gradient(loss, values)
        scale = 0.05 / (tf.linalg.global_norm(uphill) + 1e-12)
        for v, g in zip(own, uphill, strict=True):
            v.assign_add(scale * g)
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=(told := self(x, training=True)))
        found = tape.gradient(loss, values)
        for v, g in zip(own, uphill, strict=True):
            v.assign_sub(scale * g)
        self.optimizer.apply_gradients(zip(found, own, strict=True))
        for metric in self.metrics:
            metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, told)
        return {m.name: m.result() for m in self.metrics}


def _sharpness_aware() -> Trial:
    built = tutorial(second("toys"))
    return trial(second("toys"), Sharpness(built.inputs, built.outputs), optimizers.Adam(2e-3), epochs=10)


def _bytes_inside() -> Trial:
    """Bytes in, and all that prepares them within the model: scale, size, turns, contrast."""
    data = second("toys")
    before = [layers.Rescaling(1 / 255), layers.Resizing(14, 14), layers.RandomRotation(0.05, seed=1),
              layers.RandomTranslation(0.05, 0.05, seed=2), layers.RandomContrast(0.2, seed=3)]  # fmt: skip
    return trial(data, tutorial(data, before=tuple(before)), optimizers.Adam(3e-3), epochs=18,
                 x=lambda x: np.round(255 * x).astype("uint8"))  # fmt: skip


def _counts_normalised() -> Trial:
    """Counts up to tens of thousands, and a Normalization that has seen them."""
    data = second("spectra")
    scale = layers.Normalization(axis=None)
    scale.adapt(20_000 * data.x)
    return trial(data, tutorial(data, before=(scale,)), optimizers.Adam(2e-3), epochs=6, x=lambda x: 20_000 * x)


def _seldom(weighted: bool) -> Make:
    """Regular heartbeats twelve times as often as the others."""

    def make() -> Trial:
        data = second("heartbeats")
        keep = (data.y == 0) | (np.arange(len(data.y)) % 6 == 0)
        done = trial(data, branches(data), optimizers.Adam(2e-3), epochs=10)
        done.x, done.y = data.x[keep], data.y[keep]
        done.options = {"class_weight": {0: 0.4, 1: 2.5, 2: 2.5}} if weighted else {}
        return done

    return make


def _few_held_out() -> Trial:
    done = fit("glyphs", tutorial, of={"dropout": 0.3}, epochs=8)()
    assert done.validation is not None
    done.validation = (done.validation[0][:12], done.validation[1][:12])
    return done


def _transferred(thaw: bool) -> Make:
    """Convolutions that know digits below a new head for letters, frozen, or thawed at a hundredth of the rate."""

    def make() -> Trial:
        digits, letters = load("mnist"), second("glyphs")
        x = digits.x[:, 4:24, 4:24]
        base = keras.Sequential([keras.Input(letters.shape), *tutorial(second("glyphs")).layers[:-3]], name="base")
        first = keras.Sequential([base, layers.Flatten(), layers.Dense(10, activation="softmax")])
        first.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
        first.fit(x, digits.y, epochs=4, verbose=0)
        base.trainable = False
        stack = [base, layers.Flatten(), layers.Dense(64, activation="relu", name="new_dense"),
                 layers.Dense(8, activation="softmax", name="letters")]  # fmt: skip
        model = keras.Sequential([keras.Input(letters.shape), *stack])
        if not thaw:
            return trial(letters, model, optimizers.Adam(2e-3), epochs=8)
        model.compile(optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
        model.fit(letters.x, letters.y, epochs=6, verbose=0)
        base.trainable = True
        return trial(letters, model, optimizers.Adam(3e-5), epochs=5)

    return make


def _resumed() -> Trial:
    """Goes on where a training had ended: nothing left to learn, and small steps."""
    data = second("gratings")
    model = tutorial(data, norm=True)
    model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(data.x, data.y, epochs=8, verbose=0)
    return trial(data, model, optimizers.Adam(1e-5), epochs=5)


def _half() -> Trial:
    """Mixed precision with its loss scale."""
    keras.config.set_dtype_policy("mixed_float16")
    data = second("heartbeats")
    of = {"dense_1": {"dtype": "float32"}}
    return trial(data, tutorial(data, filters=(8, 16), dense=(24,), of=of), optimizers.Adam(2e-3), epochs=5)


def _some_wrong(y: Any) -> Any:
    rng = np.random.default_rng(len(y))
    return np.where(rng.random(len(y)) < 0.15, rng.integers(0, 5, len(y)), y)


def _warm_restarts() -> Any:
    return optimizers.SGD(SCHEDULES.CosineDecayRestarts(0.1, 60, t_mul=1.5, m_mul=0.8), momentum=0.9)


def _weights(data: Any) -> Trial:
    done = trial(data, tutorial(data), optimizers.Adam(2e-3), epochs=8)
    done.options = {"sample_weight": np.random.default_rng(3).exponential(1, len(data.y)).astype("float32")}
    return done


CASES: tuple[Case, ...] = (
    healthy("cyclical rate, letters", fit(
        "glyphs", vgg, lambda: optimizers.SGD(0.01, momentum=0.9), callbacks=(Triangle(1e-3, 0.08, 60),),
        of={"norm": layers.BatchNormalization}, epochs=8), OK),
    healthy("cosine with restarts, toys", fit("toys", resnet, _warm_restarts, epochs=10), OK),
    healthy("a rate that falls to nothing, sounds", fit(
        "sounds", tutorial, lambda: optimizers.Adam(SCHEDULES.PolynomialDecay(4e-3, 200, 0.0)), epochs=12), OK),
    healthy("warm-up for half of the training, letters", fit(
        "glyphs", vgg, lambda: optimizers.Adam(SCHEDULES.CosineDecay(1e-6, 150, warmup_target=2e-3, warmup_steps=150)),
        epochs=10), OK),
    healthy("lowered by the epoch, Nadam, spectra", fit(
        "spectra", branches, lambda: optimizers.Nadam(3e-3), callbacks=(keras.callbacks.LearningRateScheduler(
            lambda epoch, rate: 0.7 * rate),), epochs=8), OK),
    healthy("Adadelta 1.0, gratings", fit("gratings", tutorial, lambda: optimizers.Adadelta(1.0), epochs=8), OK),
    healthy("Adafactor, letters", fit(
        "glyphs", vgg, lambda: optimizers.Adafactor(0.01), of={"norm": layers.BatchNormalization}, epochs=8), OK),
    healthy("Lion with decay, heartbeats", fit(
        "heartbeats", branches, lambda: optimizers.Lion(3e-4, weight_decay=0.1), epochs=8), OK),
    healthy("SGD 0.8 with normalisation and large batches, letters", fit(
        "glyphs", resnet, lambda: optimizers.SGD(0.8), batch=120, epochs=16), OK),
    healthy("decay of 0.1 by AdamW, sounds", fit(
        "sounds", mobilenet, lambda: optimizers.AdamW(4e-3, weight_decay=0.1), epochs=10), OK),
    healthy("mean of weights, toys", fit(
        "toys", tutorial, lambda: optimizers.AdamW(2e-3, use_ema=True, ema_momentum=0.95), epochs=12), OK),
    healthy("gradients clipped to a norm of 0.5, clips", fit(
        "clips", tutorial, lambda: optimizers.Adam(2e-3, global_clipnorm=0.5), of={"filters": (8, 16)}, epochs=8), OK),
    healthy("gradients of four batches added up, spectra", fit(
        "spectra", tutorial, lambda: optimizers.Adam(4e-3, gradient_accumulation_steps=4), batch=8, epochs=6), OK),
    healthy("sharpness-aware steps, toys", _sharpness_aware, OK),
    healthy("twelve steps an epoch, sounds", fit(
        "sounds", vgg, steps_per_epoch=12, epochs=10, of={"widths": (8, 16)}), OK),
    healthy("bytes prepared within the model, toys", _bytes_inside, good(val_accuracy=0.75)),
    healthy("detector counts and a Normalization, spectra", _counts_normalised, OK),
    healthy("seldom heartbeats", _seldom(weighted=False), OK),
    healthy("seldom heartbeats by class weights", _seldom(weighted=True), OK),
    healthy("samples weighted by chance, gratings", lambda: _weights(second("gratings")), OK),
    healthy("labels smoothed, RMSprop, letters", fit(
        "glyphs", tutorial, lambda: optimizers.RMSprop(1e-3), y=one_hot(8),
        loss=losses.CategoricalCrossentropy(label_smoothing=0.2), epochs=8), OK),
    healthy("a dozen samples held out, letters", _few_held_out, good(accuracy=0.8)),
    healthy("one epoch of clips", fit("clips", tutorial, of={"filters": (8, 16)}, epochs=1), good(val_accuracy=0.25)),
    healthy("two epochs of toys, residual", fit(
        "toys", resnet, lambda: optimizers.Adam(4e-3), epochs=2), good(accuracy=0.35)),
    healthy("thirty epochs of digits with L2 and dropout", lambda: trial(
        load("digits"), tutorial(load("digits"), penalty=regularizers.L2(1e-3), dropout=0.4, filters=(12, 24)),
        optimizers.Adam(1e-3), epochs=30), OK),
    healthy("a base that knows digits, frozen", _transferred(thaw=False), OK),
    healthy("a base that knows digits, thawed at a small rate", _transferred(thaw=True), OK),
    healthy("resumed when nothing was left to learn", _resumed, OK),
    healthy("mixed precision, heartbeats", _half, OK),
    healthy("some labels wrong, spectra", fit("spectra", tutorial, of={"dropout": 0.3, "filters": (8, 16)},
            y=_some_wrong, epochs=7), good(val_accuracy=0.65)),
    healthy("batches of 4 with GroupNorm, toys", fit(
        "toys", vgg, lambda: optimizers.Adam(1e-3), batch=4, samples=600, epochs=6,
        of={"norm": lambda name: layers.GroupNormalization(4, name=name)}), OK),
    healthy("batches of 16 with normalisation, letters", fit(
        "glyphs", resnet, lambda: optimizers.SGD(0.05, momentum=0.9), batch=16, epochs=8), OK),
)  # fmt: skip
