"""Healthy trainings on digits and shapes, most of a plain network, that look faulty to simple rules."""

from typing import Any

import keras
import numpy as np
from keras import layers, losses, optimizers, regularizers
from keras.initializers import HeNormal

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import FROM_LOGITS, Training, Trial, fit, healthy, is_even, itself, one_hot, shows
from benchmarks.corpus.data import load
from benchmarks.corpus.lazy import bias, kernel, layer, network, normal, trained, truncated_normal


def _on(names: Any, label: Any, *args: Any, symptom: Any = None, **options: Any) -> Any:
    """A recipe on several sets of images."""
    trainings = {name: fit(name, *args, **options) for name in names.split()}
    return {
        f"healthy recipe: {label}, on {name}": shows(symptom).of(t) if symptom else t for name, t in trainings.items()
    }


_AUGMENTED = (layer.RandomTranslation(0.1, 0.1), layer.RandomRotation(0.05))
_BRIGHTNESS = net.plain(units=1, head=None)
_SEVERAL = net.plain(units=3, head="sigmoid")


def _mean(factor: Any) -> Any:
    return lambda x: factor * x.mean(axis=(1, 2, 3))


def _questions(y: Any) -> Any:
    return np.stack([y % 2, y > y.max() // 2, y % 3 == 0], axis=1).astype("float32")


def _noisy(share: Any) -> Any:
    def noisy(y: Any) -> Any:
        rng = np.random.default_rng(2)
        return np.where(rng.random(len(y)) < share, rng.permutation(y), y)

    return noisy


def _mostly_first(y: Any) -> Any:
    """Nine tenths of the samples are of one class."""
    return (y == 0) | (np.arange(len(y)) % 12 == 0)


@network
def _transferred(data: Any, *, whole: Any) -> Any:
    """Convolutions that have been trained before, then frozen (or tuned slowly) under a new head."""
    model = trained(net.plain(), by.adam(3e-3), epochs=6)(data)
    for name in ("conv1", "conv2"):
        model.get_layer(name).trainable = whole
    for name in ("fc1", "head"):
        dense = model.get_layer(name)
        dense.kernel.assign(HeNormal()(dense.kernel.shape))
    return model


@network
def _single_at_the_end(data: Any) -> Any:
    """Softmax in single precision."""
    model = keras.Sequential([*net.plain(head=None)(data).layers, layers.Activation("softmax", dtype="float32")])
    model.build((None, *data.shape))
    return model


def _two_outputs() -> Any:
    data = load("shapes")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(24, 3, activation="relu", name="conv1")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="conv2")(x)
    x = layers.GlobalMaxPooling2D()(x)
    kind = layers.Dense(data.classes, activation="softmax", name="kind")(x)
    size = layers.Dense(1, name="size")(x)
    model = keras.Model(inputs, [kind, size])
    model.compile(optimizers.Adam(3e-3), ["sparse_categorical_crossentropy", "mse"], metrics=[["accuracy"], []])
    bright = _mean(1.0)
    return Trial(model, data.x, [data.y, bright(data.x)], (data.xv, [data.yv, bright(data.xv)]), epochs=8)


def _gates(x: Any) -> Any:
    """Squeeze and excitation, whose gates may be shut."""
    for i in (1, 2):
        x = layers.Conv2D(24, 3, padding="same", activation="relu", name=f"conv{i}")(x)
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(6, 1, activation="relu", name=f"squeeze{i}")(gate)
        x = layers.Multiply()([x, layers.Conv2D(24, 1, activation="sigmoid", name=f"excite{i}")(gate)])
        x = layers.MaxPooling2D()(x)
    return layers.Flatten()(x)


_POOLED_THEN_RECTIFIED = net.sequential(
    layer.Conv2D(16, 3, padding="same", name="conv1"),
    layer.MaxPooling2D(),
    layer.ReLU(),
    layer.Conv2D(32, 3, padding="same", name="conv2"),
    layer.MaxPooling2D(),
    layer.ReLU(),
    layer.Flatten(),
    name="head",
)

CASES = healthy(
    known={
        "healthy: plain on mnist": fit("mnist", net.plain()),
        "healthy: plain on digits": fit("digits", net.plain()),
        "healthy: plain on shapes": fit("shapes", net.plain()),
        "healthy: glorot on mnist": fit("mnist", net.plain(init="glorot_uniform")),
        "healthy: SGD 0.05 on digits": fit("digits", net.plain(), by.sgd(0.05, 0.9)),
        "healthy: SGD 0.1 without momentum on mnist": fit("mnist", net.plain(), by.sgd(0.1)),
        "healthy: RMSprop on shapes": fit("shapes", net.plain(), by.rmsprop(1e-3)),
        "healthy: Adadelta 1.0 on digits": fit("digits", net.plain(), by.adadelta(1.0), epochs=10),
        "healthy: Adam 0.01 on mnist": fit("mnist", net.plain(), by.adam(0.01)),
        "healthy: Adam 0.008 on shapes": fit("shapes", net.plain(), by.adam(0.008)),
        "healthy: sparse ReLU by bias -0.5 on mnist": fit("mnist", net.plain(conv2=bias(-0.5))),
        "healthy: sparse ReLU by L1 activity on digits":
            fit("digits", net.plain(fc1={"activity_regularizer": regularizers.L1(1e-3)})),
        "healthy: wide dense 512 on digits": fit("digits", net.plain(hidden=(512,))),
        "healthy: wide dense 512 on shapes": fit("shapes", net.plain(hidden=(512,))),
        "healthy: residual on mnist": fit("mnist", net.residual(), by.adam(5e-3)),
        "healthy: residual of zero gamma on shapes": fit("shapes", net.residual(zero_gamma=True), by.adam(5e-3)),
        "healthy: residual of zero gamma on digits": fit("digits", net.residual(zero_gamma=True), by.adam(5e-3)),
        "healthy: deep residual on digits": fit("digits", net.residual(blocks=8), by.adam(3e-3), epochs=10),
        "healthy: batch of 4 without norm on mnist": fit("mnist", net.plain(), batch=4, samples=800, epochs=4),
        "healthy: batch of 8 with batch norm on digits": fit("digits", net.plain(norm="batch"), batch=8, epochs=6),
        "healthy: batch of 4 with group norm on shapes": fit("shapes",
            net.plain(norm=lambda name: layers.GroupNormalization(4, name=name.replace("_bn", "_gn"))), batch=4,
            samples=1000, epochs=6),
        "healthy: batch norm with SGD 0.5 on mnist": fit("mnist", net.plain(norm="batch"), by.sgd(0.5), epochs=10),
        "healthy: batch norm with SGD 1.0 on digits": fit("digits", net.plain(norm="batch"), by.sgd(1.0), epochs=12),
        "healthy: batch norm with Adam 0.01 on shapes":
            fit("shapes", net.plain(norm="batch"), by.adam(0.01), epochs=12),
        "healthy: batch norm at the first epochs on mnist": shows(sym.learns()).of(
            fit("mnist", net.plain(norm="batch"), epochs=4)),
        "healthy: layer norm on digits": fit("digits", net.plain(norm="layer")),
        "healthy: cosine on mnist": fit("mnist", net.plain(), by.adam(by.cosine(0.005, 400)), epochs=10),
        "healthy: cosine on shapes": fit("shapes", net.plain(), by.adam(by.cosine(0.005, 400)), epochs=10),
        "healthy: warm-up on digits":
            fit("digits", net.plain(), by.adam(by.cosine(1e-06, 300, warmup_target=0.003, warmup_steps=120))),
        "healthy: warm-up on mnist":
            fit("mnist", net.plain(), by.adam(by.cosine(1e-06, 300, warmup_target=0.003, warmup_steps=120))),
        "healthy: restarts on shapes": fit("shapes", net.plain(), by.adam(by.restarts(0.005, 120)), epochs=10),
        "healthy: restarts on digits": fit("digits", net.plain(), by.adam(by.restarts(0.005, 120)), epochs=10),
        "healthy: transfer, frozen, on mnist": fit("mnist", _transferred(whole=False), by.adam(3e-3)),
        "healthy: transfer, frozen, on shapes": fit("shapes", _transferred(whole=False), by.adam(3e-3)),
        "healthy: transfer, tuned, on digits": fit("digits", _transferred(whole=True), by.adam(3e-4)),
        "healthy: mixed precision on mnist": fit("mnist", _single_at_the_end(), policy="mixed_float16"),
        "healthy: mixed precision on shapes": fit("shapes", _single_at_the_end(), policy="mixed_float16"),
        "healthy: autoencoder on digits": shows(sym.learns(loss_share=0.6)).of(
            fit("digits", net.autoencoder(), by.adam(3e-3), loss="mse", target=itself)),
        "healthy: autoencoder on mnist": shows(sym.learns(loss_share=0.7)).of(
            fit("mnist", net.autoencoder(), by.adam(3e-3), loss="binary_crossentropy", target=itself)),
        "healthy: regression on shapes": shows(sym.learns(loss_share=0.5)).of(
            fit("shapes", _BRIGHTNESS, by.adam(3e-3), loss="mse", target=_mean(1.0))),
        "healthy: regression to large numbers on digits": shows(sym.learns(loss_share=0.5)).of(
            fit("digits", _BRIGHTNESS, by.adam(3e-3), loss="mse", target=_mean(300.0))),
        "healthy: several labels on digits": shows(sym.learns(loss_share=0.5)).of(
            fit("digits", _SEVERAL, loss="binary_crossentropy", metrics=("binary_accuracy",), y=_questions)),
        "healthy: several labels on mnist": shows(sym.learns(loss_share=0.5)).of(
            fit("mnist", _SEVERAL, loss="binary_crossentropy", metrics=("binary_accuracy",), y=_questions)),
        "healthy: two outputs on shapes": shows(sym.learns(loss_share=0.6)).of(Training(_two_outputs)),
        "healthy: one epoch on mnist": shows(sym.learns()).of(fit("mnist", net.plain(), epochs=1)),
        "healthy: one epoch on digits": shows(sym.learns()).of(fit("digits", net.plain(), epochs=1)),
        "healthy: two epochs of SGD on shapes": shows(sym.learns()).of(
            fit("shapes", net.plain(), by.sgd(0.01), epochs=2)),
        "healthy: leaky ReLU on mnist": fit("mnist", net.plain(activation="leaky_relu")),
        "healthy: GELU on digits": fit("digits", net.plain(activation="gelu")),
        "healthy: SiLU on shapes": fit("shapes", net.plain(activation="silu")),
        "healthy: ELU on mnist": fit("mnist", net.plain(activation="elu")),
        "healthy: SELU on digits": fit("digits", net.plain(activation="selu", init="lecun_normal")),
        "healthy: tanh on digits": fit("digits", net.plain(activation="tanh", init="glorot_uniform")),
        "healthy: tanh on shapes": fit("shapes", net.plain(activation="tanh", init="glorot_uniform"), epochs=12),
        "healthy: shallow sigmoid on mnist":
            fit("mnist", net.plain(activation="sigmoid", init="glorot_uniform"), by.adam(3e-3), epochs=12),
        "healthy: shallow sigmoid on digits":
            fit("digits", net.plain(activation="sigmoid", init="glorot_uniform"), by.adam(3e-3), epochs=12),
        "healthy: separable with linear bottlenecks on mnist": fit("mnist", net.separable(), by.adam(5e-3), epochs=10),
        "healthy: separable with linear bottlenecks on shapes":
            fit("shapes", net.separable(), by.adam(5e-3), epochs=10),
        "healthy: attention on digits": shows(sym.learns(0.3)).of(
            fit("digits", net.attention(), by.adam(3e-3), epochs=10)),
        "healthy: attention on mnist": shows(sym.learns(0.3)).of(
            fit("mnist", net.attention(), by.adam(3e-3), epochs=10)),
        "healthy: squeeze and excitation on digits": fit("digits", net.functional(_gates, None), by.adam(3e-3)),
        "healthy: squeeze and excitation on shapes": fit("shapes", net.functional(_gates, None), by.adam(3e-3)),
        "healthy: subclassed on digits": shows(sym.learns(0.5)).of(
            fit("digits", net.written_as_class(net.Subclassed), by.adam(4e-3), loss=FROM_LOGITS, epochs=12)),
        "healthy: subclassed on mnist": shows(sym.learns(0.5)).of(
            fit("mnist", net.written_as_class(net.Subclassed), by.adam(4e-3), loss=FROM_LOGITS, epochs=12)),
        "healthy: pooled, then rectified on mnist": fit("mnist", _POOLED_THEN_RECTIFIED, by.adam(3e-3)),
        "healthy: pooled, then rectified on digits": fit("digits", _POOLED_THEN_RECTIFIED, by.adam(3e-3)),
        "healthy: dropout 0.5 on mnist": fit("mnist", net.plain(dropout=0.5), epochs=10),
        "healthy: dropout and augmentation on digits":
            fit("digits", net.plain(dropout=0.4, before=_AUGMENTED), epochs=14),
        "healthy: augmentation on mnist": fit("mnist", net.plain(before=_AUGMENTED), epochs=14),
        "healthy: labels 20 % wrong on mnist": shows(sym.learns(0.55)).of(
            fit("mnist", net.plain(), y=_noisy(0.2), epochs=10)),
        "healthy: labels 30 % wrong on digits": shows(sym.learns(0.45)).of(fit("digits", net.plain(), y=_noisy(0.3))),
        "healthy: converged on shapes": fit("shapes", net.plain(), epochs=30),
        "healthy: converged on digits": fit("digits", net.plain(), epochs=30),
        "healthy: pixels with Rescaling on mnist":
            fit("mnist", net.plain(before=(layer.Rescaling(1 / 255),)), x=lambda x: 255 * x),
        "healthy: pixels with Normalization on digits":
            fit("digits", net.plain(before=(net.adapted("digits", 255),)), x=lambda x: 255 * x),
        "healthy: pixels with batch norm first on shapes":
            fit("shapes", net.plain(before=(layer.BatchNormalization(momentum=0.9),)), x=lambda x: 255 * x),
        "healthy: z-scores on mnist": fit("mnist", net.plain(), x=lambda x: (x - 0.13) / 0.31),
        "healthy: logits on shapes": fit("shapes", net.plain(head=None), loss=FROM_LOGITS),
        "healthy: label smoothing on digits":
            fit("digits", net.plain(), y=one_hot(10), loss=losses.CategoricalCrossentropy(label_smoothing=0.2)),
        "healthy: focal loss on digits":
            fit("digits", net.plain(), y=one_hot(10), loss=losses.CategoricalFocalCrossentropy()),
        "healthy: two classes by one sigmoid on mnist":
            fit("mnist", net.plain(units=1, head="sigmoid"), y=is_even, loss="binary_crossentropy"),
        "healthy: two classes by one logit on digits": fit("digits", net.plain(units=1, head=None), y=is_even,
            loss=losses.BinaryCrossentropy(from_logits=True),
            metrics=(keras.metrics.BinaryAccuracy("accuracy", threshold=0.0),)),
        "healthy: a rare class on mnist": shows(sym.learns(0.3)).of(fit("mnist", net.plain(), pick=_mostly_first)),
        "healthy: a rare class on digits": shows(sym.learns(0.3)).of(fit("digits", net.plain(), pick=_mostly_first)),
        "healthy: zero head on shapes": fit("shapes", net.plain(head=kernel("zeros"))),
        "healthy: orthogonal on mnist": fit("mnist", net.plain(init="orthogonal")),
        "healthy: truncated normal 0.05 on digits": fit("digits", net.plain(init=truncated_normal(stddev=0.05))),
        "healthy: clipnorm on digits": fit("digits", net.plain(), by.adam(2e-3, clipnorm=0.5)),
        "healthy: AdamW 0.05 decay on mnist": fit("mnist", net.plain(), by.adamw(2e-3, weight_decay=0.05)),
        "healthy: L2 1e-3 on shapes": fit("shapes", net.plain(penalty=regularizers.L2(1e-3))),
        "healthy: gradient accumulation on digits":
            fit("digits", net.plain(), by.adam(4e-3, gradient_accumulation_steps=4), epochs=10),
        "healthy: jit on digits": fit("digits", net.plain(), compile_options={"jit_compile": True}),
        "healthy: narrow on digits": fit("digits", net.plain(widths=(6, 8), hidden=(16,)), by.adam(5e-3), epochs=14),
        "healthy: four deep, rectified, on mnist":
            fit("mnist", net.plain(widths=(16, 16, 24, 24), hidden=(48, 48)), by.adam(1e-3)),
        "healthy: small validation set on mnist": fit("mnist", net.plain(), held_out=24),
        "healthy: no validation on shapes": fit("shapes", net.plain(), validate=False),
        **_on("mnist shapes", "BN and GELU", net.plain(activation="gelu", norm="batch")),
        **_on("digits shapes", "BN and leaky ReLU", net.plain(activation="leaky_relu", norm="batch")),
        **_on("mnist digits", "BN and tanh", net.plain(activation="tanh", norm="batch")),
        **_on("mnist shapes", "SGD 0.05 with momentum", net.plain(), by.sgd(0.05, 0.9)),
        **_on("mnist digits", "RMSprop 1e-3", net.plain(), by.rmsprop(1e-3)),
        **_on("mnist shapes", "Adadelta 1.0, 10 epochs", net.plain(), by.adadelta(1.0), epochs=10),
        **_on("digits shapes", "Adam 0.01, 12 epochs", net.plain(), by.adam(0.01), epochs=12),
        **_on("mnist digits", "Nadam", net.plain(), by.nadam(2e-3)),
        **_on("mnist shapes", "Adam 2e-4, slowly", net.plain(), by.adam(2e-4), epochs=10, symptom=sym.learns(0.5)),
        **_on("mnist digits", "SGD 0.005, slowly", net.plain(), by.sgd(0.005), epochs=10, symptom=sym.learns(0.4)),
        **_on("digits shapes", "weights decayed", net.plain(), by.adamw(2e-3, weight_decay=0.1)),
        **_on("mnist digits", "dropout 0.6", net.plain(dropout=0.6), epochs=12),
        **_on("digits shapes", "augmented", net.plain(before=_AUGMENTED), epochs=14, symptom=sym.learns(0.6)),
        **_on("digits shapes", "labels 25 % wrong, 10 epochs", net.plain(), y=_noisy(0.25), epochs=10,
            symptom=sym.learns(0.4)),
        **_on("mnist digits", "many epochs", net.plain(), epochs=40),
        **_on("mnist shapes", "three dense layers", net.plain(hidden=(64, 48, 32))),
        **_on("mnist digits", "five convolutions", net.plain(widths=(16, 16, 24, 24, 32)), epochs=10),
        **_on("digits shapes", "wide convolutions", net.plain(widths=(48, 64)), by.adam(1e-3), epochs=6),
        **_on("mnist digits", "no dense layer", net.plain(hidden=()), by.adam(3e-3)),
        **_on("mnist shapes", "uniform init", net.plain(init="he_uniform")),
        **_on("mnist digits", "small normal init", net.plain(init=normal(stddev=0.02)), epochs=10),
        **_on("mnist shapes", "zero-gamma residual", net.residual(zero_gamma=True), by.adam(3e-3), epochs=10),
        **_on("mnist digits", "residual without norm", net.residual(norm=False), epochs=10),
        **_on("digits shapes", "three epochs", net.plain(), epochs=3, symptom=sym.learns()),
        **_on("mnist digits", "batch of 128", net.plain(), by.adam(4e-3), batch=128, epochs=10),
        **_on("mnist shapes", "batch of 6 with batch norm", net.plain(norm="batch"), by.adam(1e-3), batch=6, epochs=5,
            symptom=sym.learns(0.6)),
        **_on("mnist shapes", "fine-tuned", _transferred(whole=True), by.adam(3e-4)),
        **_on("digits", "frozen base", _transferred(whole=False), by.adam(3e-3)),
        **_on("mnist shapes", "images to images", net.autoencoder(), by.adam(3e-3), loss="mse", target=itself,
            symptom=sym.learns(loss_share=0.8)),
        **_on("mnist digits", "brightness", _BRIGHTNESS, by.adam(3e-3), loss="mse", target=_mean(10.0),
            symptom=sym.learns(loss_share=0.5)),
        **_on("digits", "mixed precision again", _single_at_the_end(), policy="mixed_float16"),
        **_on("mnist digits", "zeros at the head", net.plain(head=kernel("zeros"))),
        **_on("mnist digits", "centred pixels", net.plain(), x=lambda x: 2 * x - 1),
        **_on("mnist digits", "few samples, few epochs", net.plain(), samples=200, epochs=6, symptom=sym.learns()),
        **_on("mnist", "a gated network", net.functional(_gates, None), by.adam(3e-3)),
        **_on("mnist digits", "no validation data", net.plain(), validate=False),
    },
)  # fmt: skip
