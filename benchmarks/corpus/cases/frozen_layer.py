"""Layers that no gradient reaches or moves."""

from typing import Any

import keras
from keras import layers, ops, optimizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import Training, Trial, faulty, fit, itself, shows
from benchmarks.corpus.data import colored
from benchmarks.corpus.lazy import frozen, layer, lazily, network


class Stop(layers.Layer):
    """Lets nothing back."""

    def call(self, inputs: Any) -> Any:
        """The inputs, as a constant."""
        return ops.stop_gradient(inputs)


class Threshold(layers.Layer):
    """A hard step, which has no slope."""

    def call(self, inputs: Any) -> Any:
        """0 or 1."""
        return ops.cast(inputs > 0, "float32")


class Quantised(layers.Layer):
    """Rounds to eighths, which has no slope."""

    def call(self, inputs: Any) -> Any:
        """Rounded inputs."""
        return ops.round(8 * inputs) / 8


class OnlyHead(keras.Model):
    """A training step that a programmer has limited to the last layer."""

    def train_step(self, data: Any) -> Any:
        """Gradients of the output layer alone."""
        return net.step_on(self, data, self.layers[-1].trainable_variables)


@network
def _cut(data: Any, cut: Any) -> Any:
    """Two convolutions that ``cut`` cuts off."""
    stack = [
        keras.Input(data.shape),
        layers.Conv2D(16, 3, activation="relu", name="conv1"),
        layers.Conv2D(16, 3, activation="relu", name="conv2"),
        cut,
        layers.MaxPooling2D(),
        layers.Conv2D(24, 2, activation="relu", name="conv3"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(data.classes, activation="softmax", name="head"),
    ]
    return keras.Sequential(stack)


@network
def _only_head(data: Any) -> Any:
    model = net.chain(widths=(12, 16, 16))(data)
    return OnlyHead(model.inputs, model.outputs)


def _quantized(inputs: Any) -> Any:
    x = layers.Conv1D(16, 5, activation="relu", name="c1")(inputs)
    x = layers.Conv1D(16, 5, strides=2, name="c2")(x)
    x = layers.Conv1D(24, 3, activation="relu", name="c3")(layers.ReLU()(Quantised()(x)))
    return layers.GlobalAveragePooling1D()(x)


def _hard_choice(inputs: Any) -> Any:
    """Attention that picks the one best place, which has no slope."""
    x = layers.Conv1D(16, 7, strides=4, activation="relu", name="features")(inputs)
    score = layers.Conv1D(1, 3, padding="same", name="score")(x)
    places = x.shape[1]
    best = layers.Lambda(lambda s: ops.one_hot(ops.argmax(s[..., 0], axis=1), places), name="choose")(score)
    return layers.Lambda(lambda ab: ops.einsum("btc,bt->bc", *ab), name="look")([x, best])


def _signs(inputs: Any) -> Any:
    """A binary network without the straight-through estimate."""
    x = layers.Conv2D(16, 3, padding="same", name="conv1")(inputs)
    x = layers.MaxPooling2D()(layers.Lambda(lambda v: ops.sign(v), name="binarise")(x))
    return layers.Flatten()(layers.Conv2D(24, 3, padding="same", activation="relu", name="conv2")(x))


def _rounded(inputs: Any) -> Any:
    """Maps rounded to whole numbers, as for a network of integers."""
    x = layers.Conv2D(16, 3, activation="relu", name="conv1")(inputs)
    x = layers.Lambda(lambda v: ops.round(4 * v), name="quantise")(layers.MaxPooling2D()(x))
    return layers.Flatten()(layers.MaxPooling2D()(layers.Conv2D(24, 3, activation="relu", name="conv2")(x)))


@network
def _unlearned_base(data: Any) -> Any:
    """Transfer learning with ``weights=None``: the frozen base knows nothing."""
    base = net.encoder(data.shape, 4)
    base.trainable = False
    return keras.Sequential([keras.Input(data.shape), base, layers.ReLU(), layers.Dense(data.classes, "softmax")])


def _weightless_branch() -> Any:
    """Two questions, of which one counts for nothing: its branch stays as it was made."""
    x, kind, color = colored()
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
    return Trial(model, x[:900], {"kind": kind[:900], "colour": color[:900]}, epochs=9)


CASES = faulty(
    "frozen_layer",
    known={
        f"no gradient: {name} on {data}": shows(sym.unmoved(layer), "conv1 conv2").of(fit(data, _cut(cut()), epochs=6))
        for data, name, cut, layer in (("digits", "stop", lazily(Stop), "conv1"),
            ("shapes", "stop", lazily(Stop), "conv1"), ("mnist", "threshold", lazily(Threshold), "conv2"))
    }
    | {
        f"random and frozen: {names} on {data}": shows(sym.unmoved(*shown.split()), names).of(
            fit(data, frozen(net.plain(widths=(16, 24, 24)), *names.split()), epochs=6))
        for data, names, shown in (("shapes", "conv1 conv2 conv3", "conv1 conv2"),
            ("mnist", "conv2 conv3 fc1", "conv2 fc1"))
    },
    first={
        "frozen: rounded in the middle of signals": shows(sym.unmoved("c1", "c2"), "c1 c2").of(
            fit("signals", net.functional(_quantized, "out"), epochs=6)),
        "frozen: random residual blocks": shows(sym.unmoved("r0a", "r1b"), "r0a r0b r1a r1b").of(
            fit("photos", frozen(net.shortcut(norm="group"), "r0a", "r0b", "r1a", "r1b"), epochs=6)),
        "frozen: a training step for the head alone": shows(sym.unmoved("c1", "c3"), "c1 c2 c3").of(
            fit("photos", _only_head(), by.sgd(0.1), epochs=6)),
    },
    second={
        "frozen: a base without learned weights, letters":
            shows(sym.unmoved("conv1", "conv2", "embedding") & sym.worse_than(0.75),
                "encoder/conv1 encoder/conv2 encoder/embedding").of(
                fit("glyphs", _unlearned_base(), by.adam(3e-3), epochs=8)),
        "frozen: attention by argmax, spectra": shows(sym.unmoved("score") & sym.no_gradient("score"), "score").of(
            fit("spectra", net.functional(_hard_choice), by.adam(3e-3), epochs=6)),
        "frozen: a question with loss weight 0": shows(sym.unmoved("colour_conv"), "colour_conv colour").of(
            Training(_weightless_branch)),
    },
    third={
        "frozen: all but the head of a net that knows nothing, views":
            shows(sym.unmoved("conv1", "conv2", "conv3", "fc1") & sym.worse_than(0.75), "conv1 conv2 conv3 fc1").of(
                fit("views", frozen(net.convnet(widths=(8, 12, 12), hidden=(16,)), "conv*", "act*", "max*", "flatten*",
                    "fc1"), by.sgd(0.05), epochs=6)),
        "frozen: signs behind the first convolution, digits": shows(sym.unmoved("conv1"), "conv1 binarise").of(
            fit("digits", net.functional(_signs), by.adam(1e-3), epochs=5)),
        "frozen: the encoder behind a stopped gradient":
            shows(sym.unmoved("encoder1", "encoder2"), "encoder1 encoder2 code").of(
                fit("mnist",
                    net.conv_autoencoder(between=(layer.Lambda(lambda code: ops.stop_gradient(code), name="code"),)),
                    loss="mse", target=itself, epochs=3)),
    },
    fourth={
        "frozen: a base that was to be trained elsewhere and never was, snaps":
            shows(sym.unmoved("block1_conv1", "block2_conv2", "block3_conv2") & sym.worse_than(0.75),
                "block{1..3}_conv{1,2}").of(
                fit("snaps", frozen(net.vgg(widths=(8, 8, 8), hidden=()), "block*"), by.sgd(0.01), epochs=5)),
        "frozen: maps rounded to whole numbers behind the first convolution, glyphs":
            shows(sym.unmoved("conv1"), "conv1 quantise").of(
                fit("glyphs", net.functional(_rounded), by.adam(1e-3), epochs=5)),
    },
)  # fmt: skip
