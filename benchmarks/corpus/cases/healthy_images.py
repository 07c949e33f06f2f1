"""Healthy classifiers of images and sequences, each built in a way that looks like a fault to a rule of thumb."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops, optimizers, regularizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import FROM_LOGITS, Training, Trial, fit, healthy, one_hot, shows
from benchmarks.corpus.data import load
from benchmarks.corpus.lazy import bias, kernel, layer, network


class Residue(keras.Model):
    """Subclassed: blocks as attributes, activations as functions."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = layers.Conv2D(16, 3, strides=2, name="first")
        self.inner = [layers.Conv2D(16, 3, padding="same", name=f"inner{i}") for i in range(2)]
        self.out = layers.Dense(classes, activation="softmax", name="out")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Probabilities of classes."""
        x = ops.relu(self.first(inputs))
        for conv in self.inner:
            x = x + ops.relu(conv(x))
        return self.out(ops.mean(x, axis=(1, 2)))


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


def _dropped_paths(inputs: Any) -> Any:
    x = layers.Conv2D(16, 3, strides=2, name="stem")(inputs)
    for i in range(3):
        y = layers.ReLU()(net.batch_norm()(x))
        x = layers.Add()([x, DropPath()(layers.Conv2D(16, 3, padding="same", name=f"r{i}")(y))])
    return layers.GlobalAveragePooling2D()(layers.ReLU()(x))


def _spectral(x: Any) -> Any:
    for i, width in enumerate((16, 24), 1):
        x = layers.SpectralNormalization(layers.Conv2D(width, 3, strides=2, activation="relu"), name=f"c{i}")(x)
    return layers.Flatten()(x)


def _picture_and_numbers() -> Any:
    data = load("photos")

    def numbers(x: Any) -> Any:
        return np.concatenate([x.mean(axis=(1, 2)), x.std(axis=(1, 2))], axis=1)

    image, facts = keras.Input(data.shape, name="image"), keras.Input((6,), name="facts")
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(image)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x))
    x = layers.Concatenate()([x, layers.Dense(12, activation="relu", name="d1")(facts)])
    model = keras.Model({"image": image, "facts": facts}, layers.Dense(6, activation="softmax", name="out")(x))
    model.compile(optimizers.Adam(4e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    parts = [{"image": v, "facts": numbers(v)} for v in (data.x, data.xv)]
    return Trial(model, parts[0], data.y, (parts[1], data.yv), epochs=12)


def _centered(x: Any) -> Any:
    """Pixels around 0: a 1 × 1 filter over positive pixels of one channel begins half dead."""
    return 4 * (x - 0.5)


def _each_standardized(x: Any) -> Any:
    axes = tuple(range(1, x.ndim))
    return (x - x.mean(axis=axes, keepdims=True)) / (x.std(axis=axes, keepdims=True) + 1e-3)


def _spatial_gate(x: Any) -> Any:
    """Maps multiplied by one map of sigmoids (CBAM), twice."""
    for i, width in enumerate((16, 24)):
        x = layers.Conv2D(width, 3, strides=2, padding="same", activation="relu", name=f"conv{i}")(x)
        gate = layers.Conv2D(1, 5, padding="same", activation="sigmoid", name=f"gate{i}")(x)
        x = layers.Multiply(name=f"gated{i}")([x, gate])
    return layers.Flatten()(x)


def _maxout(x: Any) -> Any:
    """The larger of two convolutions: no activation anywhere."""
    for i, width in enumerate((12, 16)):
        pair = [layers.Conv2D(width, 3, padding="same", name=f"maxout{i}_{side}")(x) for side in "ab"]
        x = layers.MaxPooling2D()(layers.Maximum(name=f"max{i}")(pair))
    return layers.Flatten()(x)


def _factored(x: Any) -> Any:
    """A dense layer as the product of two thin ones, without an activation between them (linear bottleneck)."""
    x = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu", name="conv1")(x))
    x = layers.MaxPooling2D()(layers.Conv2D(24, 3, activation="relu", name="conv2")(x))
    x = layers.Dense(12, use_bias=False, name="fc_low_rank")(layers.Flatten()(x))
    return layers.Dense(64, activation="relu", name="fc_expand")(x)


def _fire(x: Any) -> Any:
    """Squeeze to few maps, expand by 1 × 1 and 3 × 3 (SqueezeNet)."""
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="conv1")(x)
    for i, width in enumerate((12, 20)):
        s = layers.Conv2D(8, 1, activation="relu", name=f"fire{i}_squeeze1x1")(x)
        parts = [
            layers.Conv2D(width, k, padding="same", activation="relu", name=f"fire{i}_expand{k}x{k}")(s) for k in (1, 3)
        ]
        x = layers.Concatenate(name=f"fire{i}_concat")(parts)
    return layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))


def _linear_units(x: Any) -> Any:
    """Gated linear units: one half of the channels times the sigmoid of the other."""
    for i, width in enumerate((16, 24)):
        x = layers.Conv1D(2 * width, 5, strides=2, padding="same", name=f"glu_conv{i}")(x)
        x = layers.Lambda(lambda v: v[..., : v.shape[-1] // 2] * ops.sigmoid(v[..., v.shape[-1] // 2 :]))(x)
    return layers.Flatten()(x)


def _mixer(x: Any) -> Any:
    """Dense layers across places, then across channels (MLP-Mixer)."""
    x = layers.Reshape((-1, 24))(layers.Conv2D(24, 4, strides=4, name="patches")(x))
    y = layers.Permute((2, 1))(layers.LayerNormalization()(x))
    y = layers.Dense(x.shape[1], name="token_out")(layers.Dense(24, activation="gelu", name="token_in")(y))
    x = layers.Add()([x, layers.Permute((2, 1))(y)])
    y = layers.Dense(48, activation="gelu", name="channel_in")(layers.LayerNormalization()(x))
    x = layers.Add()([x, layers.Dense(24, name="channel_out")(y)])
    return layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))


def _space_then_time(x: Any) -> Any:
    """(2 + 1)-dimensional convolutions of clips."""
    for i, width in enumerate((8, 16)):
        x = layers.Conv3D(width, (1, 3, 3), strides=(1, 2, 2), padding="same", name=f"space{i}")(x)
        x = layers.ReLU()(net.batch_norm()(x))
        x = layers.Conv3D(width, (3, 1, 1), padding="same", name=f"time{i}")(x)
        x = layers.ReLU()(net.batch_norm()(x))
    return layers.Flatten()(x)


@network
def _frame_by_frame(data: Any) -> Any:
    """The same convolutions for each frame, then an LSTM."""
    frame = [
        keras.Input(data.shape[1:]),
        layers.Conv2D(12, 3, strides=2, activation="relu", name="frame_conv1"),
        layers.Conv2D(16, 3, activation="relu", name="frame_conv2"),
        layers.Flatten(),
    ]
    each = layers.TimeDistributed(keras.Sequential(frame, name="frame"), name="each_frame")
    return net.sequential(each, layers.LSTM(32, name="lstm"))(data)


@network
def _own_softmax(data: Any) -> Any:
    """Scores, then a softmax as a layer."""
    flat = net.mlp(hidden=(128,), head=None, dropout=0.2)(data)
    return keras.Sequential([keras.Input(data.shape), *flat.layers, layers.Softmax(name="softmax")])


_FULLY_CONVOLUTIONAL = net.sequential(
    layer.Conv2D(16, 3, strides=2, activation="relu", name="c1"),
    layer.Conv2D(24, 3, strides=2, activation="relu", name="c2"),
    layer.Conv2D(6, 3, strides=2, name="c3"),
    layer.GlobalAveragePooling2D(),
    layer.Softmax(),
    head=None,
)
_SHARES_AVERAGED = net.sequential(
    layer.Conv2D(16, 3, strides=2, activation="relu"),
    layer.Conv2D(32, 3, strides=2, activation="relu"),
    layer.Conv2D(4, 2),
    layer.Softmax(),
    layer.GlobalAveragePooling2D(),
    head=None,
)

CASES = healthy(
    first={
        "faces, one sigmoid, squeezed": fit("faces", net.squeezed(units=1, head="sigmoid"), loss="binary_crossentropy",
            y=lambda y: y.astype("float32")),
        "faces, leaky, RMSprop": fit("faces", net.chain(activation="leaky_relu"), by.rmsprop(1e-3), epochs=14),
        "faces, mobile net": fit("faces", net.mobile(), by.adam(4e-3), epochs=20),
        "faces, two epochs": shows(sym.learns()).of(fit("faces", net.inception(), x=_centered, epochs=2)),
        "faces, GroupNorm, batches of 4": fit("faces", net.chain(norm="group"), batch=4),
        "faces, residual with BN, batches of 16": fit("faces", net.shortcut(), by.sgd(0.05, 0.9), batch=16, epochs=14),
        "a picture and numbers, both by name": shows(sym.learns(loss_share=0.6)).of(Training(_picture_and_numbers)),
        "inception on materials": fit("materials", net.inception(), x=_centered, epochs=10),
        "inception with BN on photographs": fit("photos", net.inception(norm="batch"), by.adam(3e-3), x=_centered),
        "mobile net on materials": fit("materials", net.mobile(), by.adam(4e-3), epochs=14),
        "residual GroupNorm on materials": fit("materials", net.shortcut(norm="group"), by.adam(3e-3), epochs=10),
        "each material standardised": fit("materials", net.chain(), by.adam(4e-3), x=_each_standardized, epochs=14),
        "ConvNeXt on materials": fit("materials", net.convnext(), by.adamw(2e-3), epochs=12),
        "dense links on photographs": fit("photos", net.dense_links()),
        "residual on photographs": shows(sym.learns(0.6)).of(fit("photos", net.shortcut(), by.adam(1e-3), epochs=7)),
        "Adagrad 0.1 with BN": fit("photos", net.chain(norm="batch"), by.adagrad(0.1), epochs=12),
        "SGD 0.1, LayerNorm, hard swish": shows(sym.learns(0.6)).of(
            fit("photos", net.chain(norm="layer", activation="hard_swish"), by.sgd(0.1), epochs=12)),
        "subclassed with shortcuts": shows(sym.learns(0.7)).of(
            fit("photos", net.written_as_class(Residue), by.adam(4e-3), epochs=12)),
        "branches left out at random":
            fit("materials", net.functional(_dropped_paths, "out"), by.adam(3e-3), epochs=14),
        "spectral norm": fit("materials", net.functional(_spectral, "out")),
        "fully convolutional": shows(sym.learns(0.6)).of(fit("photos", _FULLY_CONVOLUTIONAL, by.adam(5e-3), epochs=14)),
    },
    second={
        "LeNet with tanh and means, SGD 0.1": fit("mnist", net.tutorial(widths=(6, 16), hidden=(48, 32), size=5,
            pooling="Average", activation="tanh"), by.sgd(0.1, 0.9), epochs=6),
        "two blocks with much dropout, letters": fit("glyphs", net.blocks(dropout=0.6), epochs=12),
        "residual from a zero scale, letters": fit("glyphs", net.resnet(zero_gamma=True), by.sgd(0.1, 0.9), epochs=10),
        "depthwise and pointwise with ReLU6, gratings": fit("gratings", net.mobilenet()),
        "branches of three widths, spectra": fit("spectra", net.branches()),
        "SELU that normalises itself, heartbeats": fit("heartbeats",
            net.tutorial(activation="selu", init="lecun_normal", widths=(12, 16, 16), hidden=(32, 24)), by.adam(1e-3)),
        "PReLU, sounds":
            fit("sounds", net.blocks(act=lambda name: layers.PReLU(shared_axes=[1, 2], name=name)), epochs=6),
        "ELU with averages, clips": fit("clips", net.tutorial(activation="elu", widths=(8, 16), pooling="Average")),
        "mish and AdamW, toys": fit("toys", net.blocks(activation="mish"), by.adamw(2e-3), epochs=12),
        "sparse by intent: a mild penalty on activities, letters":
            fit("glyphs", net.tutorial(dense={"activity_regularizer": regularizers.L1(1e-4)})),
        "gates over places, toys": fit("toys", net.functional(_spatial_gate, head_first=True), epochs=14),
        "maxout, gratings": fit("gratings", net.functional(_maxout, head_first=True), epochs=6),
        "a dense layer factored in two, letters": fit("glyphs", net.functional(_factored, head_first=True)),
        "fire modules, sounds": fit("sounds", net.functional(_fire, head_first=True), by.adam(4e-3), epochs=12),
        "gated linear units, spectra": fit("spectra", net.functional(_linear_units, head_first=True)),
        "dense layers alone mix patches, gratings": fit("gratings", net.functional(_mixer, head_first=True), epochs=12),
        "space, then time, clips": fit("clips", net.functional(_space_then_time, head_first=True)),
        "frames, then an LSTM, clips": fit("clips", _frame_by_frame(), by.adam(3e-3), epochs=10),
        "written as a class, logits out, sounds":
            fit("sounds", net.written_as_class(), by.adam(3e-3), loss=FROM_LOGITS),
        "shares averaged over places, toys": fit("toys", _SHARES_AVERAGED, by.adam(5e-3), epochs=12),
        "hinge of several classes, no activation at the head":
            fit("spectra", net.tutorial(head=None), loss="categorical_hinge", y=one_hot(5)),
        "a sigmoid for each class, one of them right":
            fit("sounds", net.tutorial(head="sigmoid"), loss="binary_crossentropy", y=one_hot(5)),
    },
    third={
        "LeNet on digits of post codes, SGD": fit("mnist", net.lenet(), by.sgd(0.05, 0.9)),
        "LeNet with tanh and normalisation, SGD 1.0":
            fit("mnist", net.lenet(norm=True, activation="tanh"), by.sgd(1.0)),
        "a dense layer of 1024 over small digits": fit("digits", net.mlp(hidden=(1024,)), epochs=6),
        "one hidden layer of sigmoids, digits":
            fit("digits", net.mlp(hidden=(48,), activation="sigmoid"), by.sgd(0.5, 0.9), epochs=12),
        "twelve dense ReLU layers by He's rule, digits":
            fit("digits", net.mlp(hidden=(64,) * 12, init="he_normal"), by.adam(1e-3), epochs=12),
        "ten self-normalising layers, mnist": fit("mnist", net.mlp(hidden=(64,) * 10, activation="selu",
            init="lecun_normal"), by.sgd(0.01, 0.9), epochs=5),
        "a head that begins at zero, digits": fit("digits", net.convnet(head=kernel("zeros")), epochs=6),
        "convolution and activation apart, views": fit("views", net.convnet(), by.adam(1e-3)),
        "tanh and averages, views": fit("views", net.convnet(activation="tanh", pooling="Average"), by.adam(5e-4)),
        "convolutions only, views": fit("views", net.all_convolutional(), by.adam(3e-3), epochs=10),
        "residual from scales of zero, views": fit("views", net.resnet(zero_gamma=True), by.sgd(0.1, 0.9)),
        "normalised behind the activation, prints":
            fit("prints", net.convnet(norm="batch", norm_last=True, hidden=()), by.adam(2e-3)),
        "normalised, no biases, Adam from 0.02 down, views":
            fit("views", net.convnet(norm="batch", bias=False, hidden=()), by.adam(by.cosine(0.02, 350)), epochs=10),
        "normalised, SGD 2.0, small digits":
            fit("digits", net.mlp(norm="batch", hidden=(96, 48)), by.sgd(2.0), epochs=15),
        "batches of 8 in a residual net, prints": fit("prints", net.resnet(), batch=8, epochs=6),
        "batches of 2, nothing normalised, digits": fit("digits", net.convnet(), by.adam(3e-4), batch=2, epochs=4),
        "batches of 2 with layer normalisation, views": fit("views", net.convnet(norm="layer", widths=(8, 16),
            hidden=()), by.adam(5e-4), batch=2, samples=900, epochs=3),
        "all samples in four batches, prints": fit("prints", net.convnet(), by.adam(5e-3), batch=280, epochs=16),
        "ReLU shifted down by 0.1 in both convolutions, mnist": fit("mnist",
            net.convnet(init="he_normal", **{f'conv{i}': bias(-0.1) for i in (1, 2)}), by.adam(1e-3), epochs=5),
        "maps kept sparse by a mild penalty, views": fit("views",
            net.convnet(conv2={"activity_regularizer": regularizers.L1(1e-6)}, dropout=0.3), by.adam(1e-3)),
        "depthwise and pointwise, views": fit("views", net.mobilenet(), by.adam(by.cosine(5e-3, 280))),
        "patches that attend, prints": fit("prints", net.attention(), by.adam(3e-3), epochs=14),
        "faces by a softmax of two units": shows(sym.learns(0.85)).of(
            fit("faces", net.convnet(widths=(12, 16), hidden=(24,), dropout=0.3), by.adam(1e-3), epochs=20, batch=16)),
        "the softmax a layer of its own, mnist":
            fit("mnist", _own_softmax(), by.rmsprop(1e-3), loss="categorical_crossentropy", y=one_hot(10), batch=128),
    },
    fourth={
        "Keras' first example on mnist, half dropped before the head":
            fit("mnist", net.simple(widths=(32, 64), hidden=(48,), dropout=0.5), by.adam(1e-3), epochs=5),
        "a VGG on materials, SGD with momentum": fit("materials", net.vgg(), by.sgd(5e-3, 0.9), epochs=5),
        "a VGG of three blocks, normalised, grounds":
            fit("grounds", net.vgg(widths=(12, 16, 24), norm="batch", hidden=()), by.adam(1e-3), epochs=5),
        "LeNet of tanh and averages, glyphs": fit("glyphs", net.lenet(activation="tanh"), by.adam(3e-3), epochs=10),
        "residual from scales of zero, snaps": fit("snaps", net.resnet(zero_gamma=True), epochs=6),
        "residual without normalisation, small digits": fit("digits", net.resnet(norm=False)),
        "separable convolutions with shortcuts, snaps": fit("snaps", net.xception(), by.adam(4e-3)),
        "depthwise and pointwise, ReLU6, grounds": fit("grounds", net.mobilenet(), by.adam(4e-3), epochs=7),
        "ELU on glyphs": fit("glyphs", net.vgg(activation="elu", each=1), by.adam(1e-3)),
        "swish and means of maps, snaps":
            fit("snaps", net.vgg(activation="silu", flat=False, hidden=(), each=1), by.adam(5e-3), epochs=10),
        "ReLU shifted down by 0.2 in the second block, mnist":
            fit("mnist", net.vgg(each=1, block2_conv1=bias(-0.2)), by.adam(1e-3), epochs=4),
        "a code of maps kept sparse by a penalty, glyphs":
            fit("glyphs", net.simple(fc1={"activity_regularizer": regularizers.L1(1e-4)}), by.adam(1e-3), epochs=10),
    },
)  # fmt: skip
