"""Healthy ways to train: schedules, own steps, transfer, mixed precision, data as they come."""

from typing import Any

import keras
import numpy as np
from keras import callbacks, layers, losses, optimizers, regularizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import fit, healthy, one_hot, shows
from benchmarks.corpus.data import Data, load
from benchmarks.corpus.gradients import loss_gradients
from benchmarks.corpus.lazy import frozen, layer, network, trained


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


class Mixed(keras.Model):
    """A training step of its own: mixup of each batch with itself reversed."""

    def train_step(self, data: Any) -> Any:
        """One step on mixed pairs."""
        x, y = data
        return net.step_on(self, (0.8 * x + 0.2 * x[::-1], 0.8 * y + 0.2 * y[::-1]), self.trainable_variables)


class Sharpness(keras.Model):
    """Sharpness-aware steps: the gradient is taken a little uphill."""

    def train_step(self, data: Any) -> Any:
        """Up, gradient, back, step."""
        import tensorflow as tf

        own = self.trainable_variables
        _, _, uphill = loss_gradients(self, *data, own, training=True)
        scale = 0.05 / (tf.linalg.global_norm(uphill) + 1e-12)
        for v, g in zip(own, uphill, strict=True):
            v.assign_add(scale * g)
        loss, answers, found = loss_gradients(self, *data, own, training=True)
        for v, g in zip(own, uphill, strict=True):
            v.assign_sub(scale * g)
        return net.apply_gradients(self, data[1], own, loss, answers, found)


@network
def _as_model(data: Any, kind: Any, net: Any) -> Any:
    """The network as a model of this class."""
    model = net(data)
    return kind(model.inputs, model.outputs)


@network
def _rotations_first(data: Any) -> Any:
    """Convolutions that have learned to distinguish rotations of photographs, frozen below a new head."""
    rotated = np.concatenate([np.rot90(data.x, k, axes=(1, 2)) for k in range(4)])
    model = net.chain(widths=(24, 32, 48), norm="batch", units=4)(data)
    model.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(rotated, np.repeat(np.arange(4), len(data.x)), batch_size=64, epochs=3, verbose=0)
    for part in model.layers:
        part.trainable = False
    return net.classifier(model.inputs, model.layers[-2].output, 6, "kinds")


@network
def _transferred(data: Any, thaw: Any) -> Any:
    """Convolutions that know digits below a new head for letters, frozen, or thawed after a training of the head."""
    known = load("mnist")
    base = keras.Sequential([keras.Input(data.shape), *net.tutorial()(data).layers[:-3]], name="base")
    first = keras.Sequential([base, layers.Flatten(), layers.Dense(10, activation="softmax")])
    first.compile(optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    first.fit(known.x[:, 4:24, 4:24], known.y, epochs=4, verbose=0)
    stack = [base, layers.Flatten(), layers.Dense(64, activation="relu", name="new_dense")]
    stack.append(layers.Dense(8, activation="softmax", name="letters"))
    return _thawed(data, base, stack, by.adam(3e-3), 6 if thaw else 0)


def _thawed(data: Any, base: Any, stack: Any, optimizer: Any, epochs: Any) -> Any:
    """A head on a frozen base, which is thawed after so many epochs, if any."""
    base.trainable = False
    model = keras.Sequential([keras.Input(data.shape), *stack])
    if epochs:
        model = trained(lambda _: model, optimizer, epochs=epochs)(data)
        base.trainable = True
    return model


@network
def _passed_on(data: Any, thaw: Any) -> Any:
    """Convolutions that have distinguished the first three views, under a new head for all five."""
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
    stack.append(layers.Dense(5, activation="softmax", name="new"))
    return _thawed(data, base, stack, by.adam(1e-3), 7 if thaw else 0)


def _high_digits() -> Any:
    """The digits from 5 to 9."""
    data = load("mnist")
    high, held_out = data.y >= 5, data.yv >= 5
    return Data(data.x[high], data.y[high] - 5, data.xv[held_out], data.yv[held_out] - 5, 5)


@network
def _from_low_digits(data: Any, thaw: Any) -> Any:
    """Convolutions that know the digits from 0 to 4, under a new head."""
    whole = load("mnist")
    low = whole.y < 5
    model = trained(net.simple(), by.adam(2e-3), epochs=5)(Data(whole.x[low], whole.y[low], whole.xv, whole.yv, 5))
    base = model.layers[:-2]
    stack = [*base, layers.Dense(64, activation="relu", name="new_fc"), layers.Dense(5, "softmax", name="new_head")]
    model = keras.Sequential([keras.Input(data.shape), *stack])
    for part in base:
        part.trainable = False
    if thaw:
        model = trained(lambda _: model, by.adam(2e-3), epochs=6)(data)
        for part in base:
            part.trainable = True
    return model


def _with_seldom(kind: Any, share: Any) -> Any:
    """All samples but those of a class, of which one in ``share`` is kept."""
    return lambda y: (y != kind) | (np.arange(len(y)) % share == 0)


def _only_often(kind: Any, share: Any) -> Any:
    """All samples of a class, and one in ``share`` of the others."""
    return lambda y: (y == kind) | (np.arange(len(y)) % share == 0)


def _some_wrong(share: Any, classes: Any, seed: Any = 0) -> Any:
    """A share of the labels drawn anew."""

    def wrong(y: Any) -> Any:
        rng = np.random.default_rng(len(y) + seed)
        return np.where(rng.random(len(y)) < share, rng.integers(0, classes, len(y)), y)

    return wrong


def _third_wrong(y: Any) -> Any:
    wrong = np.random.default_rng(len(y)).random(len(y)) < 0.3
    return np.where(wrong, np.random.default_rng(1).integers(0, 6, len(y)), y)


_AUGMENTED = {
    "toys": (
        layer.Rescaling(1 / 255),
        layer.Resizing(14, 14),
        layer.RandomRotation(0.05, seed=1),
        layer.RandomTranslation(0.05, 0.05, seed=2),
        layer.RandomContrast(0.2, seed=3),
    ),
    "views": (
        layer.RandomFlip("horizontal", seed=1),
        layer.RandomTranslation(0.1, 0.1, seed=2),
        layer.RandomZoom(0.1, seed=3),
    ),
    "snaps": (layer.RandomFlip("horizontal", seed=1), layer.RandomRotation(0.05, seed=2)),
}
_SINGLE_HEAD = {"head": {"dtype": "float32"}}

CASES = healthy(
    first={
        "labels smoothed on photographs": fit("photos", net.chain(), by.adam(5e-3),
            loss=losses.CategoricalCrossentropy(label_smoothing=0.15), y=one_hot(6), epochs=14),
        "cosine from a warm start, ConvNeXt": shows(sym.learns(0.6)).of(
            fit("photos", net.convnext(), by.adamw(by.cosine(1e-5, 360, warmup_target=4e-3, warmup_steps=60),
                weight_decay=0.02), epochs=12)),
        "bytes with Rescaling inside": fit("photos", net.chain(before=(layer.Rescaling(1 / 127.5, -1),)), by.adam(5e-3),
            x=lambda x: 255 * x, epochs=12),
        "volumes of a thousand with Normalization inside": fit("volumes",
            net.chain(before=(net.adapted("volumes", 1000),), norm="batch"), by.adam(5e-3), x=lambda x: 1000 * x,
            epochs=10),
        "flipped materials, flips in the model": fit("materials",
            net.chain(before=(layer.RandomFlip("horizontal_and_vertical", seed=1),), norm="group"), by.adam(4e-3),
            epochs=12),
        "steps of exponential decay":
            fit("photos", net.chain(norm="layer"), by.adam(by.exponential(0.01, 100, 0.7)), epochs=12),
        "clipped values, Adamax": fit("photos", net.squeezed(), by.adamax(4e-3, clipvalue=0.1), epochs=10),
        "a training step of its own, mixed pairs": fit("materials", _as_model(Mixed, net.chain(norm="batch")),
            by.adam(3e-3), loss="categorical_crossentropy", y=one_hot(3), epochs=10),
        "frozen after telling rotations": shows(sym.learns(0.5)).of(
            fit("photos", _rotations_first(), by.adam(0.01), epochs=10)),
        "mixed precision on faces": shows(sym.learns(0.7)).of(
            fit("faces", net.chain(norm="batch", **_SINGLE_HEAD), by.adam(3e-3), policy="mixed_float16")),
        "a scarce class, weighted": fit("photos", net.shortcut(), by.adam(3e-3), pick=_with_seldom(2, 10), epochs=12,
            class_weight=dict.fromkeys(range(6), 1.0) | {2: 10.0}),
        "a third of the labels wrong, BN": shows(sym.learns(0.5)).of(
            fit("photos", net.chain(norm="batch"), by.adam(3e-3), y=_third_wrong)),
    },
    second={
        "cyclical rate, letters": fit("glyphs", net.blocks(norm=layers.BatchNormalization), by.sgd(0.01, 0.9),
            callbacks=(Triangle(1e-3, 0.08, 60),)),
        "cosine with restarts, toys":
            fit("toys", net.resnet(), by.sgd(by.restarts(0.1, 60, t_mul=1.5, m_mul=0.8), 0.9), epochs=10),
        "a rate that falls to nothing, sounds":
            fit("sounds", net.tutorial(), by.adam(by.polynomial(4e-3, 200, 0.0)), epochs=12),
        "warm-up for half of the training, letters":
            fit("glyphs", net.blocks(), by.adam(by.cosine(1e-6, 150, warmup_target=2e-3, warmup_steps=150)), epochs=10),
        "lowered by the epoch, Nadam, spectra": fit("spectra", net.branches(), by.nadam(3e-3),
            callbacks=(callbacks.LearningRateScheduler(lambda epoch, rate: 0.7 * rate),)),
        "Adadelta 1.0, gratings": fit("gratings", net.tutorial(), by.adadelta(1.0)),
        "Adafactor, letters": fit("glyphs", net.blocks(norm=layers.BatchNormalization), by.adafactor(0.01)),
        "Lion with decay, heartbeats": fit("heartbeats", net.branches(), by.lion(3e-4, weight_decay=0.1)),
        "SGD 0.8 with normalisation and large batches, letters":
            fit("glyphs", net.resnet(), by.sgd(0.8), batch=120, epochs=16),
        "decay of 0.1 by AdamW, sounds": fit("sounds", net.mobilenet(), by.adamw(4e-3, weight_decay=0.1), epochs=10),
        "mean of weights, toys":
            fit("toys", net.tutorial(), by.adamw(2e-3, use_ema=True, ema_momentum=0.95), epochs=12),
        "gradients clipped to a norm of 0.5, clips":
            fit("clips", net.tutorial(widths=(8, 16)), by.adam(2e-3, global_clipnorm=0.5)),
        "gradients of four batches added up, spectra":
            fit("spectra", net.tutorial(), by.adam(4e-3, gradient_accumulation_steps=4), batch=8, epochs=6),
        "sharpness-aware steps, toys": fit("toys", _as_model(Sharpness, net.tutorial()), epochs=10),
        "twelve steps an epoch, sounds": fit("sounds", net.blocks(widths=(8, 16)), steps_per_epoch=12, epochs=10),
        "bytes prepared within the model, toys": shows(sym.learns(0.75)).of(
            fit("toys", net.tutorial(before=_AUGMENTED["toys"]), by.adam(3e-3), epochs=18,
                x=lambda x: np.round(255 * x).astype("uint8"))),
        "detector counts and a Normalization, spectra": fit("spectra",
            net.tutorial(before=(net.adapted("spectra", 20_000, axis=None),)), epochs=6, x=lambda x: 20_000 * x),
        "seldom heartbeats": fit("heartbeats", net.branches(), pick=_only_often(0, 6), epochs=10),
        "seldom heartbeats by class weights":
            fit("heartbeats", net.branches(), pick=_only_often(0, 6), epochs=10, class_weight={0: 0.4, 1: 2.5, 2: 2.5}),
        "samples weighted by chance, gratings": fit("gratings", net.tutorial(),
            sample_weight=lambda y: np.random.default_rng(3).exponential(1, len(y)).astype("float32")),
        "labels smoothed, RMSprop, letters": fit("glyphs", net.tutorial(), by.rmsprop(1e-3), y=one_hot(8),
            loss=losses.CategoricalCrossentropy(label_smoothing=0.2)),
        "a dozen samples held out, letters": shows(sym.learns(accuracy=0.8)).of(
            fit("glyphs", net.tutorial(dropout=0.3), held_out=12)),
        "one epoch of clips": shows(sym.learns(0.25)).of(fit("clips", net.tutorial(widths=(8, 16)), epochs=1)),
        "two epochs of toys, residual": shows(sym.learns(accuracy=0.35)).of(
            fit("toys", net.resnet(), by.adam(4e-3), epochs=2)),
        "thirty epochs of digits with L2 and dropout": fit("digits", net.tutorial(penalty=regularizers.L2(1e-3),
            dropout=0.4, widths=(12, 24)), by.adam(1e-3), epochs=30),
        "a base that knows digits, frozen": fit("glyphs", _transferred(thaw=False)),
        "a base that knows digits, thawed at a small rate":
            fit("glyphs", _transferred(thaw=True), by.adam(3e-5), epochs=5),
        "resumed when nothing was left to learn":
            fit("gratings", trained(net.tutorial(norm="batch"), by.adam(2e-3), epochs=8), by.adam(1e-5), epochs=5),
        "mixed precision, heartbeats": fit("heartbeats", net.tutorial(widths=(8, 16), hidden=(24,), **_SINGLE_HEAD),
            policy="mixed_float16", epochs=5),
        "some labels wrong, spectra": shows(sym.learns(0.65)).of(
            fit("spectra", net.tutorial(dropout=0.3, widths=(8, 16)), y=_some_wrong(0.15, 5), epochs=7)),
        "batches of 4 with GroupNorm, toys":
            fit("toys", net.blocks(norm="group"), by.adam(1e-3), batch=4, samples=600, epochs=6),
        "batches of 16 with normalisation, letters": fit("glyphs", net.resnet(), by.sgd(0.05, 0.9), batch=16),
    },
    third={
        "cosine, SGD, views": fit("views", net.convnet(), by.sgd(by.cosine(0.05, 280), 0.9)),
        "warm-up, then cosine, a residual net on prints":
            fit("prints", net.resnet(), by.adam(by.cosine(0.0, 200, warmup_target=5e-3, warmup_steps=80))),
        "warm-up alone for two epochs, AdamW, digits":
            fit("digits", net.mlp(), by.adamw(by.cosine(1e-7, 10 ** 4, warmup_target=2e-3, warmup_steps=80))),
        "restarts, mnist": fit("mnist", net.lenet(), by.sgd(by.restarts(0.1, 80, t_mul=1.0), 0.9)),
        "one cycle up to 0.05 with normalisation, views": fit("views", net.convnet(norm="batch", hidden=()),
            by.sgd(0.01, 0.9), callbacks=(OneCycle(0.05, 350),), epochs=10),
        "one epoch of LeNet, SGD": shows(sym.learns(0.2)).of(fit("mnist", net.lenet(), by.sgd(0.02, 0.9), epochs=1)),
        "one epoch of a residual net on views": shows(sym.learns(accuracy=0.3)).of(
            fit("views", net.resnet(), epochs=1)),
        "one epoch of a table": shows(sym.learns(0.6)).of(fit("cancer", net.mlp(), by.adam(1e-3), epochs=1)),
        "two epochs in batches of 128, digits": shows(sym.learns(0.3)).of(
            fit("digits", net.convnet(), by.adam(1e-3), batch=128, epochs=2)),
        "three views passed on to five, frozen": fit("views", _passed_on(thaw=False), by.adam(1.5e-3), epochs=10),
        "three views passed on to five, thawed at 0.00001":
            fit("views", _passed_on(thaw=True), by.adam(1e-5), epochs=4),
        "normalisations frozen for batches of 2": fit("prints",
            frozen(trained(net.convnet(norm="batch", hidden=()), by.adam(2e-3), epochs=4), "norm*"), by.sgd(1e-4, 0.9),
            batch=2, samples=400, epochs=3),
        "mixed precision of bfloat16, views":
            fit("views", net.convnet(**_SINGLE_HEAD), by.adam(1e-3), policy="mixed_bfloat16", epochs=6),
        "mixed precision of float16, dense layers by SGD":
            fit("digits", net.mlp(**_SINGLE_HEAD), by.sgd(0.1, 0.9), policy="mixed_float16", epochs=10),
        "resumed at a hundredth of the rate":
            fit("mnist", trained(net.lenet(), by.adam(3e-3), epochs=8), by.adam(3e-5), epochs=4),
        "few malignant samples, weighed": shows(sym.learns(0.9)).of(
            fit("cancer", net.mlp(), pick=_only_often(1, 5), epochs=15, class_weight={0: 4.0, 1: 0.6})),
        "a fifth of the labels wrong, digits": shows(sym.learns(0.6)).of(
            fit("digits", net.mlp(dropout=0.3), by.adam(1e-3), y=_some_wrong(0.2, 10, 2), epochs=12)),
        "ten samples held out, views": shows(sym.learns(accuracy=0.8)).of(
            fit("views", net.convnet(), by.adam(1e-3), held_out=10)),
        "turned over, moved and zoomed, views": shows(sym.learns(0.75)).of(
            fit("views", net.convnet(before=_AUGMENTED["views"], dropout=0.3), by.adam(1e-3), epochs=10)),
        "forty epochs of a table with dropout": shows(sym.learns(0.92)).of(
            fit("cancer", net.mlp(dropout=0.4), by.adam(5e-4), epochs=40)),
    },
    fourth={
        "warm-up, then cosine, a normalised VGG on photos": fit("photos", net.vgg(norm="batch", each=1, hidden=()),
            by.adam(by.cosine(0.0, 180, warmup_target=4e-3, warmup_steps=60)), epochs=7),
        "cosine to nothing, SGD, LeNet on mnist": fit("mnist", net.lenet(), by.sgd(by.cosine(0.05, 320), 0.9)),
        "halved every two epochs, separable convolutions on grounds":
            fit("grounds", net.xception(), by.adam(by.exponential(5e-3, 64, 0.5, staircase=True)), epochs=7),
        "SGD 1.0 with normalisation, glyphs":
            fit("glyphs", net.vgg(norm="batch", each=1, flat=False, hidden=()), by.sgd(1.0), epochs=10),
        "Adam 0.03 with normalisation, dense layers on digits":
            fit("digits", net.mlp(norm="batch"), by.adam(0.03), epochs=10),
        "normalised in batches of 8, glyphs":
            fit("glyphs", net.vgg(norm="batch", each=1, hidden=()), by.adam(1e-3), batch=8, epochs=4),
        "batches of 4, LeNet on glyphs": fit("glyphs", net.lenet(), by.adam(1e-3), batch=4, epochs=4),
        "one epoch of a VGG on materials": shows(sym.learns(0.5)).of(
            fit("materials", net.vgg(each=1), by.adam(1e-3), epochs=1)),
        "one epoch of dense layers on digits": shows(sym.learns(0.4)).of(fit("digits", net.mlp(), epochs=1)),
        "from low digits to high ones, all but the head frozen":
            fit(_high_digits, _from_low_digits(thaw=False), epochs=10),
        "from low digits to high ones, thawed at 0.00002":
            fit(_high_digits, _from_low_digits(thaw=True), by.adam(2e-5), epochs=5),
        "mixed precision of float16, a first example on small digits": fit("digits",
            net.simple(widths=(8, 16), padding="same", **_SINGLE_HEAD), by.adam(3e-3), policy="mixed_float16",
            epochs=5),
        "mixed precision of bfloat16, a first example on glyphs":
            fit("glyphs", net.simple(**_SINGLE_HEAD), policy="mixed_bfloat16", epochs=6),
        "turned and flipped, snaps":
            fit("snaps", net.vgg(before=_AUGMENTED["snaps"], each=1, dropout=0.3), by.adam(1e-3), epochs=10),
        "smoothed labels, materials": fit("materials", net.vgg(each=1), by.adam(1e-3), y=one_hot(3),
            loss=losses.CategoricalCrossentropy(label_smoothing=0.1), epochs=5),
        "a letter that is seldom, weighed": fit("glyphs", net.vgg(each=1), pick=_with_seldom(2, 6),
            class_weight=dict.fromkeys(range(8), 1.0) | {2: 6.0}),
        "slowed down on plateaus and stopped early, digits": fit("digits", net.simple(padding="same"), by.adam(3e-3),
            callbacks=(callbacks.ReduceLROnPlateau(patience=1, factor=0.3), callbacks.EarlyStopping(patience=4,
            restore_best_weights=True)), epochs=14),
        "gradients cut at a norm of 0.5, SGD 0.1, glyphs":
            fit("glyphs", net.vgg(each=1), by.sgd(0.1, 0.9, clipnorm=0.5)),
    },
)  # fmt: skip
