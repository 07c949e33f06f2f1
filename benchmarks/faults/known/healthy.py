"""Trainings that are healthy, but look ill to simple rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import initializers, layers, losses, optimizers, regularizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import Data, load
from benchmarks.faults.networks import Subclassed, attention, autoencoder, plain, residual, separable
from benchmarks.faults.symptoms import Symptom, falls, learns

SGD, ADAM = optimizers.SGD, optimizers.Adam

OK = learns(0.75)


def _plain(name: str, optimizer: Callable[[], Any] = lambda: ADAM(2e-3), **options: Any) -> Callable[[], Trial]:
    """A plain network; options of ``fit`` and of :func:`trial` are told from those of the network by their names."""
    of_trial = {k: options.pop(k) for k in list(options) if k in TRIAL}
    return lambda: trial(load(name), plain(load(name), **options), optimizer(), **of_trial)


TRIAL = frozenset("x y loss samples metrics epochs batch callbacks class_weight compile_options validate".split())


def _schedule(kind: str) -> Any:
    if kind == "cosine":
        return optimizers.schedules.CosineDecay(5e-3, 400)
    if kind == "warm-up":
        return optimizers.schedules.CosineDecay(1e-6, 300, warmup_target=3e-3, warmup_steps=120)
    return optimizers.schedules.CosineDecayRestarts(5e-3, 120)


def _augmented() -> tuple[Any, ...]:
    return layers.RandomTranslation(0.1, 0.1), layers.RandomRotation(0.05)


def _normalised(data: Data) -> Any:
    layer = layers.Normalization()
    layer.adapt(255 * data.x)
    return layer


def _transfer(name: str, *, whole: bool) -> Trial:
    """Convolutions learned before on half of the classes, then frozen (or tuned slowly) under a new head."""
    data = load(name)
    model = plain(data, filters=(16, 32))
    model.compile(ADAM(3e-3), "sparse_categorical_crossentropy")
    model.fit(data.x, data.y, epochs=6, batch_size=32, verbose=0)
    for layer in ("conv1", "conv2"):
        model.get_layer(layer).trainable = whole
    for layer in ("fc1", "head"):
        dense = model.get_layer(layer)
        dense.kernel.assign(initializers.HeNormal()(dense.kernel.shape))
    return trial(data, model, ADAM(3e-4 if whole else 3e-3))


def _mixed(name: str) -> Trial:
    keras.config.set_dtype_policy("mixed_float16")
    model = plain(load(name), head=None)
    model = keras.Sequential([*model.layers, layers.Activation("softmax", dtype="float32")])
    model.build((None, *load(name).shape))
    return trial(load(name), model, ADAM(2e-3))


def _images(name: str, **options: Any) -> Trial:
    data = load(name)
    done = trial(data, autoencoder(data), ADAM(3e-3), metrics=(), epochs=8, **options)
    done.y = done.x
    done.validation = (done.validation[0], done.validation[0]) if done.validation else None
    return done


def _brightness(factor: float) -> Callable[[str], Trial]:
    def make(name: str) -> Trial:
        data = load(name)
        done = trial(data, plain(data, units=1, head=None), ADAM(3e-3), loss="mse", metrics=())
        done.y = factor * data.x.mean(axis=(1, 2, 3))
        done.validation = (data.xv, factor * data.xv.mean(axis=(1, 2, 3)))
        return done

    return make


def _several_labels(name: str) -> Trial:
    def questions(y: Any) -> Any:
        return np.stack([y % 2, y > y.max() // 2, y % 3 == 0], axis=1).astype("float32")

    model = plain(load(name), units=3, head="sigmoid")
    return trial(load(name), model, loss="binary_crossentropy", metrics=("binary_accuracy",), y=questions)


def _two_outputs(name: str) -> Trial:
    data = load(name)
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(24, 3, activation="relu", name="conv1")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="conv2")(x)
    x = layers.GlobalMaxPooling2D()(x)
    kind = layers.Dense(data.classes, activation="softmax", name="kind")(x)
    size = layers.Dense(1, name="size")(x)
    model = keras.Model(inputs, [kind, size])
    model.compile(ADAM(3e-3), ["sparse_categorical_crossentropy", "mse"], metrics=[["accuracy"], []])
    bright = data.x.mean(axis=(1, 2, 3))
    return Trial(model, data.x, [data.y, bright], (data.xv, [data.yv, data.xv.mean(axis=(1, 2, 3))]), epochs=8)


def _subclassed(name: str) -> Trial:
    data = load(name)
    model = Subclassed(data.classes)
    model(data.x[:2])
    return trial(data, model, ADAM(4e-3), loss=losses.SparseCategoricalCrossentropy(from_logits=True), epochs=12)


def _noisy(share: float) -> Callable[[Any], Any]:
    def noisy(y: Any) -> Any:
        rng = np.random.default_rng(2)
        return np.where(rng.random(len(y)) < share, rng.permutation(y), y)

    return noisy


def _pooled_then_rectified(name: str) -> Trial:
    data = load(name)
    stack: list[Any] = [keras.Input(data.shape)]
    for i, width in enumerate((16, 32), 1):
        stack += [
            layers.Conv2D(width, 3, padding="same", name=f"conv{i}"), layers.MaxPooling2D(), layers.ReLU()
        ]  # fmt: skip
    stack += [layers.Flatten(), layers.Dense(data.classes, activation="softmax", name="head")]
    return trial(data, keras.Sequential(stack), ADAM(3e-3))


def _gated(name: str) -> Trial:
    """Squeeze and excitation, whose gates may be shut."""
    data = load(name)
    inputs = keras.Input(data.shape)
    x = inputs
    for i in (1, 2):
        x = layers.Conv2D(24, 3, padding="same", activation="relu", name=f"conv{i}")(x)
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(6, 1, activation="relu", name=f"squeeze{i}")(gate)
        x = layers.Multiply()([x, layers.Conv2D(24, 1, activation="sigmoid", name=f"excite{i}")(gate)])
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    return trial(data, keras.Model(inputs, layers.Dense(data.classes, activation="softmax")(x)), ADAM(3e-3))


def _even(y: Any) -> Any:
    return (y % 2 == 0).astype("float32")


def _one_hot(classes: int) -> Callable[[Any], Any]:
    return lambda y: np.eye(classes, dtype="float32")[y]


def _rare(name: str) -> Trial:
    """Nine tenths of the samples are of one class."""
    data = load(name)
    done = trial(data, plain(data), ADAM(2e-3))
    keep = (data.y == 0) | (np.arange(len(data.y)) % 12 == 0)
    done.x, done.y = data.x[keep], data.y[keep]
    return done


def _small_validation(name: str) -> Trial:
    done = trial(load(name), plain(load(name)))
    assert done.validation is not None
    done.validation = (done.validation[0][:24], done.validation[1][:24])
    return done


HEALTHY: tuple[Case, ...] = tuple(
    Case(f"healthy: {label}", make, symptom)
    for label, make, symptom in (
        ("plain on mnist", _plain("mnist"), OK),
        ("plain on digits", _plain("digits"), OK),
        ("plain on shapes", _plain("shapes"), OK),
        ("glorot on mnist", _plain("mnist", init="glorot_uniform"), OK),
        ("SGD 0.05 on digits", _plain("digits", lambda: SGD(0.05, momentum=0.9)), OK),
        ("SGD 0.1 without momentum on mnist", _plain("mnist", lambda: SGD(0.1)), OK),
        ("RMSprop on shapes", _plain("shapes", lambda: optimizers.RMSprop(1e-3)), OK),
        ("Adadelta 1.0 on digits", _plain("digits", lambda: optimizers.Adadelta(1.0), epochs=10), OK),
        ("Adam 0.01 on mnist", _plain("mnist", lambda: ADAM(0.01)), OK),
        ("Adam 0.008 on shapes", _plain("shapes", lambda: ADAM(0.008)), OK),
        (
            "sparse ReLU by bias -0.5 on mnist",
            _plain("mnist", of={"conv2": {"bias_initializer": initializers.Constant(-0.5)}}),
            OK,
        ),
        (
            "sparse ReLU by L1 activity on digits",
            _plain("digits", of={"fc1": {"activity_regularizer": regularizers.L1(1e-3)}}),
            OK,
        ),
        ("wide dense 512 on digits", _plain("digits", dense=(512,)), OK),
        ("wide dense 512 on shapes", _plain("shapes", dense=(512,)), OK),
        ("residual on mnist", lambda: trial(load("mnist"), residual(load("mnist")), ADAM(5e-3)), OK),
        (
            "residual of zero gamma on shapes",
            lambda: trial(load("shapes"), residual(load("shapes"), zero_gamma=True), ADAM(5e-3)),
            OK,
        ),
        (
            "residual of zero gamma on digits",
            lambda: trial(load("digits"), residual(load("digits"), zero_gamma=True), ADAM(5e-3)),
            OK,
        ),
        (
            "deep residual on digits",
            lambda: trial(load("digits"), residual(load("digits"), blocks=8), ADAM(3e-3), epochs=10),
            OK,
        ),
        ("batch of 4 without norm on mnist", _plain("mnist", batch=4, samples=800, epochs=4), OK),
        ("batch of 8 with batch norm on digits", _plain("digits", norm="batch", batch=8, epochs=6), OK),
        ("batch of 4 with group norm on shapes", _plain("shapes", norm="group", batch=4, samples=1000, epochs=6), OK),
        ("batch norm with SGD 0.5 on mnist", _plain("mnist", lambda: SGD(0.5), norm="batch", epochs=10), OK),
        ("batch norm with SGD 1.0 on digits", _plain("digits", lambda: SGD(1.0), norm="batch", epochs=12), OK),
        ("batch norm with Adam 0.01 on shapes", _plain("shapes", lambda: ADAM(0.01), norm="batch", epochs=12), OK),
        ("batch norm at the first epochs on mnist", _plain("mnist", norm="batch", epochs=4), learns(0.0)),
        ("layer norm on digits", _plain("digits", norm="layer"), OK),
        ("cosine on mnist", _plain("mnist", lambda: ADAM(_schedule("cosine")), epochs=10), OK),
        ("cosine on shapes", _plain("shapes", lambda: ADAM(_schedule("cosine")), epochs=10), OK),
        ("warm-up on digits", _plain("digits", lambda: ADAM(_schedule("warm-up"))), OK),
        ("warm-up on mnist", _plain("mnist", lambda: ADAM(_schedule("warm-up"))), OK),
        ("restarts on shapes", _plain("shapes", lambda: ADAM(_schedule("restarts")), epochs=10), OK),
        ("restarts on digits", _plain("digits", lambda: ADAM(_schedule("restarts")), epochs=10), OK),
        ("transfer, frozen, on mnist", lambda: _transfer("mnist", whole=False), OK),
        ("transfer, frozen, on shapes", lambda: _transfer("shapes", whole=False), OK),
        ("transfer, tuned, on digits", lambda: _transfer("digits", whole=True), OK),
        ("mixed precision on mnist", lambda: _mixed("mnist"), OK),
        ("mixed precision on shapes", lambda: _mixed("shapes"), OK),
        ("autoencoder on digits", lambda: _images("digits", loss="mse"), falls(0.6)),
        ("autoencoder on mnist", lambda: _images("mnist", loss="binary_crossentropy"), falls(0.7)),
        ("regression on shapes", lambda: _brightness(1.0)("shapes"), falls(0.5)),
        ("regression to large numbers on digits", lambda: _brightness(300.0)("digits"), falls(0.5)),
        ("several labels on digits", lambda: _several_labels("digits"), falls(0.5)),
        ("several labels on mnist", lambda: _several_labels("mnist"), falls(0.5)),
        ("two outputs on shapes", lambda: _two_outputs("shapes"), falls(0.6)),
        ("one epoch on mnist", _plain("mnist", epochs=1), learns(0.0)),
        ("one epoch on digits", _plain("digits", epochs=1), learns(0.0)),
        ("two epochs of SGD on shapes", _plain("shapes", lambda: SGD(0.01), epochs=2), learns(0.0)),
        ("leaky ReLU on mnist", _plain("mnist", activation="leaky_relu"), OK),
        ("GELU on digits", _plain("digits", activation="gelu"), OK),
        ("SiLU on shapes", _plain("shapes", activation="silu"), OK),
        ("ELU on mnist", _plain("mnist", activation="elu"), OK),
        ("SELU on digits", _plain("digits", activation="selu", init="lecun_normal"), OK),
        ("tanh on digits", _plain("digits", activation="tanh", init="glorot_uniform"), OK),
        ("tanh on shapes", _plain("shapes", activation="tanh", init="glorot_uniform", epochs=12), OK),
        (
            "shallow sigmoid on mnist",
            _plain("mnist", lambda: ADAM(3e-3), activation="sigmoid", init="glorot_uniform", epochs=12),
            OK,
        ),
        (
            "shallow sigmoid on digits",
            _plain("digits", lambda: ADAM(3e-3), activation="sigmoid", init="glorot_uniform", epochs=12),
            OK,
        ),
        (
            "separable with linear bottlenecks on mnist",
            lambda: trial(load("mnist"), separable(load("mnist")), ADAM(5e-3), epochs=10),
            OK,
        ),
        (
            "separable with linear bottlenecks on shapes",
            lambda: trial(load("shapes"), separable(load("shapes")), ADAM(5e-3), epochs=10),
            OK,
        ),
        (
            "attention on digits",
            lambda: trial(load("digits"), attention(load("digits")), ADAM(3e-3), epochs=10),
            learns(0.3),
        ),
        (
            "attention on mnist",
            lambda: trial(load("mnist"), attention(load("mnist")), ADAM(3e-3), epochs=10),
            learns(0.3),
        ),
        ("squeeze and excitation on digits", lambda: _gated("digits"), OK),
        ("squeeze and excitation on shapes", lambda: _gated("shapes"), OK),
        ("subclassed on digits", lambda: _subclassed("digits"), learns(0.5)),
        ("subclassed on mnist", lambda: _subclassed("mnist"), learns(0.5)),
        ("pooled, then rectified on mnist", lambda: _pooled_then_rectified("mnist"), OK),
        ("pooled, then rectified on digits", lambda: _pooled_then_rectified("digits"), OK),
        ("dropout 0.5 on mnist", _plain("mnist", dropout=0.5, epochs=10), OK),
        ("dropout and augmentation on digits", _plain("digits", dropout=0.4, first=_augmented(), epochs=14), OK),
        ("augmentation on mnist", _plain("mnist", first=_augmented(), epochs=14), OK),
        ("labels 20 % wrong on mnist", _plain("mnist", y=_noisy(0.2), epochs=10), learns(0.55)),
        ("labels 30 % wrong on digits", _plain("digits", y=_noisy(0.3), epochs=8), learns(0.45)),
        ("converged on shapes", _plain("shapes", epochs=30), OK),
        ("converged on digits", _plain("digits", epochs=30), OK),
        (
            "pixels with Rescaling on mnist",
            _plain("mnist", x=lambda x: 255 * x, first=(layers.Rescaling(1 / 255),)),
            OK,
        ),
        (
            "pixels with Normalization on digits",
            lambda: trial(
                load("digits"), plain(load("digits"), first=(_normalised(load("digits")),)), x=lambda x: 255 * x
            ),
            OK,
        ),
        (
            "pixels with batch norm first on shapes",
            _plain("shapes", x=lambda x: 255 * x, first=(layers.BatchNormalization(momentum=0.9),)),
            OK,
        ),
        ("z-scores on mnist", _plain("mnist", x=lambda x: (x - 0.13) / 0.31), OK),
        (
            "logits on shapes",
            _plain("shapes", head=None, loss=losses.SparseCategoricalCrossentropy(from_logits=True)),
            OK,
        ),
        (
            "label smoothing on digits",
            _plain("digits", y=_one_hot(10), loss=losses.CategoricalCrossentropy(label_smoothing=0.2)),
            OK,
        ),
        ("focal loss on digits", _plain("digits", y=_one_hot(10), loss=losses.CategoricalFocalCrossentropy()), OK),
        (
            "two classes by one sigmoid on mnist",
            _plain("mnist", units=1, head="sigmoid", y=_even, loss="binary_crossentropy"),
            OK,
        ),
        (
            "two classes by one logit on digits",
            _plain(
                "digits",
                units=1,
                head=None,
                y=_even,
                loss=losses.BinaryCrossentropy(from_logits=True),
                metrics=(keras.metrics.BinaryAccuracy("accuracy", threshold=0.0),),
            ),
            OK,
        ),
        ("a rare class on mnist", lambda: _rare("mnist"), learns(0.3)),
        ("a rare class on digits", lambda: _rare("digits"), learns(0.3)),
        ("zero head on shapes", _plain("shapes", of={"head": {"kernel_initializer": "zeros"}}), OK),
        ("orthogonal on mnist", _plain("mnist", init="orthogonal"), OK),
        ("truncated normal 0.05 on digits", _plain("digits", init=initializers.TruncatedNormal(stddev=0.05)), OK),
        ("clipnorm on digits", _plain("digits", lambda: ADAM(2e-3, clipnorm=0.5)), OK),
        ("AdamW 0.05 decay on mnist", _plain("mnist", lambda: optimizers.AdamW(2e-3, weight_decay=0.05)), OK),
        ("L2 1e-3 on shapes", _plain("shapes", regularizer=regularizers.L2(1e-3)), OK),
        (
            "gradient accumulation on digits",
            _plain("digits", lambda: ADAM(4e-3, gradient_accumulation_steps=4), epochs=10),
            OK,
        ),
        ("jit on digits", _plain("digits", compile_options={"jit_compile": True}), OK),
        ("narrow on digits", _plain("digits", lambda: ADAM(5e-3), filters=(6, 8), dense=(16,), epochs=14), OK),
        (
            "four deep, rectified, on mnist",
            _plain("mnist", lambda: ADAM(1e-3), filters=(16, 16, 24, 24), dense=(48, 48)),
            OK,
        ),
        ("small validation set on mnist", lambda: _small_validation("mnist"), OK),
        ("no validation on shapes", _plain("shapes", validate=False), OK),
    )
)


def _block(activation: str, norm: str | None = "batch", **options: Any) -> Callable[[str], Trial]:
    return lambda name: trial(load(name), plain(load(name), activation=activation, norm=norm, **options))


def _trained(optimizer: Callable[[], Any], epochs: int = 8, **options: Any) -> Callable[[str], Trial]:
    of_trial = {k: options.pop(k) for k in list(options) if k in TRIAL}
    return lambda name: trial(load(name), plain(load(name), **options), optimizer(), epochs=epochs, **of_trial)


_RECIPES: tuple[tuple[str, Callable[[str], Trial], Symptom, tuple[str, ...]], ...] = (
    ("BN and GELU", _block("gelu"), OK, ("mnist", "shapes")),
    ("BN and leaky ReLU", _block("leaky_relu"), OK, ("digits", "shapes")),
    ("BN and tanh", _block("tanh"), OK, ("mnist", "digits")),
    ("SGD 0.05 with momentum", _trained(lambda: SGD(0.05, momentum=0.9)), OK, ("mnist", "shapes")),
    ("RMSprop 1e-3", _trained(lambda: optimizers.RMSprop(1e-3)), OK, ("mnist", "digits")),
    ("Adadelta 1.0, 10 epochs", _trained(lambda: optimizers.Adadelta(1.0), 10), OK, ("mnist", "shapes")),
    ("Adam 0.01, 12 epochs", _trained(lambda: ADAM(0.01), 12), OK, ("digits", "shapes")),
    ("Nadam", _trained(lambda: optimizers.Nadam(2e-3)), OK, ("mnist", "digits")),
    ("Adam 2e-4, slowly", _trained(lambda: ADAM(2e-4), 10), learns(0.5), ("mnist", "shapes")),
    ("SGD 0.005, slowly", _trained(lambda: SGD(0.005), 10), learns(0.4), ("mnist", "digits")),
    ("weights decayed", _trained(lambda: optimizers.AdamW(2e-3, weight_decay=0.1)), OK, ("digits", "shapes")),
    ("dropout 0.6", _trained(lambda: ADAM(2e-3), 12, dropout=0.6), OK, ("mnist", "digits")),
    ("augmented", _trained(lambda: ADAM(2e-3), 14, first=_augmented()), learns(0.6), ("digits", "shapes")),
    (
        "labels 25 % wrong, 10 epochs",
        _trained(lambda: ADAM(2e-3), 10, y=_noisy(0.25)),
        learns(0.4),
        ("digits", "shapes"),
    ),
    ("many epochs", _trained(lambda: ADAM(2e-3), 40), OK, ("mnist", "digits")),
    ("three dense layers", _trained(lambda: ADAM(2e-3), 8, dense=(64, 48, 32)), OK, ("mnist", "shapes")),
    ("five convolutions", _trained(lambda: ADAM(2e-3), 10, filters=(16, 16, 24, 24, 32)), OK, ("mnist", "digits")),
    ("wide convolutions", _trained(lambda: ADAM(1e-3), 6, filters=(48, 64)), OK, ("digits", "shapes")),
    ("no dense layer", _trained(lambda: ADAM(3e-3), 8, dense=()), OK, ("mnist", "digits")),
    ("uniform init", _trained(lambda: ADAM(2e-3), 8, init="he_uniform"), OK, ("mnist", "shapes")),
    (
        "small normal init",
        _trained(lambda: ADAM(2e-3), 10, init=initializers.RandomNormal(stddev=0.02)),
        OK,
        ("mnist", "digits"),
    ),
    (
        "zero-gamma residual",
        lambda name: trial(load(name), residual(load(name), zero_gamma=True), ADAM(3e-3), epochs=10),
        OK,
        ("mnist", "shapes"),
    ),
    (
        "residual without norm",
        lambda name: trial(load(name), residual(load(name), norm=False), ADAM(2e-3), epochs=10),
        OK,
        ("mnist", "digits"),
    ),
    ("three epochs", _trained(lambda: ADAM(2e-3), 3), learns(0.0), ("digits", "shapes")),
    ("batch of 128", _trained(lambda: ADAM(4e-3), 10, batch=128), OK, ("mnist", "digits")),
    (
        "batch of 6 with batch norm",
        _trained(lambda: ADAM(1e-3), 5, batch=6, norm="batch"),
        learns(0.6),
        ("mnist", "shapes"),
    ),
    ("fine-tuned", lambda name: _transfer(name, whole=True), OK, ("mnist", "shapes")),
    ("frozen base", lambda name: _transfer(name, whole=False), OK, ("digits",)),
    ("images to images", lambda name: _images(name, loss="mse"), falls(0.8), ("mnist", "shapes")),
    ("brightness", _brightness(10.0), falls(0.5), ("mnist", "digits")),
    ("mixed precision again", _mixed, OK, ("digits",)),
    (
        "zeros at the head",
        _trained(lambda: ADAM(2e-3), 8, of={"head": {"kernel_initializer": "zeros"}}),
        OK,
        ("mnist", "digits"),
    ),
    ("centred pixels", _trained(lambda: ADAM(2e-3), 8, x=lambda x: 2 * x - 1), OK, ("mnist", "digits")),
    ("few samples, few epochs", _trained(lambda: ADAM(2e-3), 6, samples=200), learns(0.0), ("mnist", "digits")),
    ("a gated network", _gated, OK, ("mnist",)),
    ("no validation data", _trained(lambda: ADAM(2e-3), 8, validate=False), OK, ("mnist", "digits")),
)


HEALTHY += tuple(
    Case(f"healthy recipe: {label}, on {name}", lambda make=make, name=name: make(name), symptom)
    for label, make, symptom, names in _RECIPES
    for name in names
)
