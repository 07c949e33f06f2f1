"""Heads, losses and targets that do not belong together."""

from typing import Any

import keras
import numpy as np
from keras import layers, losses, metrics, ops, optimizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import FROM_LOGITS, Training, Trial, faulty, fit, is_even, itself, one_hot, shows
from benchmarks.corpus.data import load, traits
from benchmarks.corpus.lazy import layer, network


def _two_heads() -> Any:
    data = load("faces")
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x)
    x = layers.Flatten()(x)
    face = layers.Dense(1, activation="softmax", name="face")(x)
    bright = layers.Dense(1, name="bright")(x)
    model = keras.Model(inputs, [bright, face])
    model.compile(optimizers.Adam(2e-3), ["mse", "binary_crossentropy"], metrics=[[], ["accuracy"]])
    light, held_out = data.x.mean(axis=(1, 2, 3)), data.xv.mean(axis=(1, 2, 3))
    y, yv = data.y.astype("float32"), data.yv.astype("float32")
    return Trial(model, data.x, [light, y], (data.xv, [held_out, yv]), epochs=6)


def _own_cross_entropy(y: Any, p: Any) -> Any:
    """The sign forgotten: the likelihood is made small."""
    return ops.mean(ops.sum(y * ops.log(p + 1e-7), axis=-1))


def _own_softmax(scores: Any) -> Any:
    """Written out, so that Keras does not find the scores behind it."""
    risen = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
    return risen / ops.sum(risen, axis=-1, keepdims=True)


_AVERAGED_SHARES = net.sequential(
    layer.Conv2D(16, 3, strides=2, activation="relu"),
    layer.Conv2D(32, 3, strides=2, activation="relu"),
    layer.Conv2D(8, 1),
    layer.Softmax(),
    layer.GlobalAveragePooling2D(),
    head=None,
)

_DECODER = net.sequential(
    layer.Conv2D(24, 3, strides=2, padding="same", activation="relu", name="encoder"),
    layer.Conv2D(16, 3, padding="same", activation="relu", name="code"),
    layer.UpSampling2D(name="upsample"),
    layer.Conv2D(16, 3, padding="same", activation="relu", name="decoder"),
    layer.Conv2D(3, 3, padding="same", activation="sigmoid", name="reconstruction"),
    head=None,
)


@network
def _softmax_of_ones_own(data: Any) -> Any:
    inputs = keras.Input(data.shape)
    x = layers.MaxPooling2D()(layers.Conv2D(16, 3, activation="relu", name="conv1")(inputs))
    x = layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu", name="conv2")(x))
    x = layers.Dense(data.classes, name="scores")(layers.Flatten()(x))
    return keras.Model(inputs, layers.Lambda(_own_softmax, name="shares")(x))


CASES = faulty(
    "output_loss_mismatch",
    known={
        f"head: {name} on {data}": shows(symptom, "head").of(
            fit(data, net.plain(head=head, units=units), loss=loss, y=y, epochs=5))
        for name, data, loss, head, units, y, symptom in (
            ("softmax of one unit", "digits", "binary_crossentropy", "softmax", 1, is_even, sym.at_chance),
            ("logits taken for probabilities", "mnist", "sparse_categorical_crossentropy", None, None, itself,
                sym.always),
            ("rectified scores", "digits", FROM_LOGITS, "relu", None, itself, sym.always),
            ("one sigmoid for ten classes", "mnist", "binary_crossentropy", "sigmoid", 1, itself, sym.worse_than(0.6)),
            ("tanh with binary cross-entropy", "shapes", "binary_crossentropy", "tanh", 1, is_even, sym.always),
            ("linear with binary cross-entropy", "digits", "binary_crossentropy", None, 1, is_even, sym.always),
            ("softmax with binary cross-entropy", "shapes", "binary_crossentropy", "softmax", None, one_hot(4),
                sym.always),
            ("relu with categorical cross-entropy", "shapes", "categorical_crossentropy", "relu", None, one_hot(4),
                sym.always),
            ("sigmoids with sparse cross-entropy from logits", "digits", FROM_LOGITS, "sigmoid", None, itself,
                sym.always),
            ("tanh scores with categorical cross-entropy", "mnist", "categorical_crossentropy", "tanh", None,
                one_hot(10), sym.worse_than(0.6)),
        )
    },
    first={
        "softmax of one unit over squeezed features, faces": shows(sym.constant_answer(), "out").of(
            fit("faces", net.squeezed(units=1), loss="binary_crossentropy", y=lambda y: y.astype("float32"), epochs=6)),
        "scores without softmax, residual net on photos": shows(sym.not_probabilities, "out").of(
            fit("photos", net.shortcut(head=None), by.sgd(0.05), epochs=6)),
        "a sigmoid for turns from 2 to 10": shows(sym.out_of_reach, "out").of(
            fit("pitches", net.chain(units=1, head="sigmoid", norm="batch"), by.adam(3e-3), metrics=())),
        "a rectified answer for targets mostly below zero": shows(sym.out_of_reach, "out").of(
            fit("pitches", net.chain(units=1, head="relu", norm="batch"), by.adam(3e-3), metrics=(),
                y=lambda y: y - 9.0)),
        "second head a softmax of one unit": shows(sym.constant_answer(1), "face").of(Training(_two_heads)),
        "masks of 0 and 255 under cross-entropy, U-Net": shows(sym.out_of_reach, "out").of(
            fit("masks", net.unet(), loss="binary_crossentropy", metrics=(), y=lambda y: 255.0 * y, epochs=5)),
    },
    second={
        "head: shares given as logits, fully convolutional":
            shows(sym.probabilities_as_logits, "softmax global_average_pooling2d conv2d_2").of(
                fit("glyphs", _AVERAGED_SHARES, loss=FROM_LOGITS, epochs=6)),
        "head: one sigmoid for five kinds of sound": shows(sym.worse_than(0.5), "dense_1").of(
            fit("sounds", net.tutorial(units=1, head="sigmoid"), loss="binary_crossentropy", epochs=5)),
        "head: squares of class numbers against a softmax, letters": shows(sym.ends_below(0.3), "dense_1").of(
            fit("glyphs", net.tutorial(), loss="mse", y=lambda y: y[:, None], epochs=6)),
        "head: tanh under binary cross-entropy, heartbeats regular or not":
            shows(sym.worse_than(0.85) & sym.swings, "dense_1").of(
                fit("heartbeats", net.tutorial(units=1, head="tanh"), by.sgd(0.05, 0.9),
                    y=lambda y: np.where(y == 0, -1, 1).astype("float32"), loss="binary_crossentropy", epochs=6)),
        "head: two coordinates by a softmax": shows(sym.sums_to_one & sym.explains_less_than(0.4), "predictions").of(
            fit("spots", net.blocks(units=2, widths=(8, 16), each=1), loss="mse", metrics=("mae",), epochs=6)),
        "head: several shapes at once by a softmax": shows(sym.sums_to_one, "dense_1").of(
            fit("scenes", net.tutorial(units=4), loss="categorical_crossentropy", metrics=("binary_accuracy",),
                epochs=6)),
        "head: degrees by a tanh": shows(sym.out_of_reach, "dense_1").of(
            fit("directions", net.tutorial(units=1, head="tanh"), by.rmsprop(1e-3), loss=losses.Huber(), y=np.rad2deg,
                epochs=6)),
        "head: pictures from -1 to 1 by a sigmoid": shows(sym.out_of_reach, "reconstruction").of(
            fit("pictures", _DECODER, loss="mse", metrics=(), x=lambda x: 2 * x - 1, y=lambda y: 2 * y - 1, epochs=6)),
        "head: rectified logits, gratings": shows(sym.rectified_away("dense_1", 0.05), "dense_1").of(
            fit("gratings", net.tutorial(head="relu", widths=(12, 16), hidden=(24,)), by.adam(1e-3), loss=FROM_LOGITS,
                epochs=6)),
        "head: logits of a class, the loss not told of it, letters":
            shows(sym.not_probabilities & sym.worse_than(0.7), "fc").of(
                fit("glyphs", net.written_as_class(), by.sgd(0.02, 0.9), epochs=5)),
        "head: a cross-entropy without its minus, toys": shows(sym.ends_below(0.4), "predictions").of(
            fit("toys", net.mobilenet(), by.sgd(0.01), loss=_own_cross_entropy, y=one_hot(4), epochs=5)),
    },
    third={
        "head: a softmax of one unit for a table": shows(sym.constant_answer() & sym.worse_than(0.75), "output").of(
            fit("cancer", net.mlp(head="softmax", dropout=0.2), by.rmsprop(1e-3), epochs=10)),
        "head: ten rectified units under categorical cross-entropy, LeNet": shows(sym.not_probabilities, "output").of(
            fit("mnist", net.lenet(head="relu"), by.sgd(0.01), loss="categorical_crossentropy", y=one_hot(10),
                epochs=5)),
        "head: a rectified unit under binary cross-entropy, a table":
            shows(sym.outside_unit_interval(0.2) | sym.as_constant, "output").of(
                fit("cancer", net.mlp(head="relu", hidden=(12, 12)), by.adam(1e-3), epochs=15)),
        "head: miles per gallon by a sigmoid": shows(sym.out_of_reach & sym.explains_less_than(1.0), "output").of(
            fit("cars", net.mlp(head="sigmoid"), by.adam(3e-3), epochs=20)),
        "head: labels of 1 and 2 for a sigmoid": shows(sym.improper_labels & sym.worse_than(0.5), "output").of(
            fit("cancer", net.mlp(), by.adam(1e-3), y=lambda y: y + 1, epochs=10)),
        "head: a softmax over the pixels of an autoencoder": shows(sym.explains_less_than(0.9), "pixels").of(
            fit("digits", net.dense_autoencoder(head="softmax"), loss="mse", target=itself, epochs=8)),
        "head: a softmax in the model and one in the loss, prints":
            shows(sym.probabilities_as_logits, "shares scores").of(
                fit("prints", _softmax_of_ones_own(), by.adam(1e-3), loss=FROM_LOGITS, epochs=6)),
        "head: pixels by tanh under binary cross-entropy": shows(sym.outside_unit_interval(0.02), "decoded").of(
            fit("mnist", net.conv_autoencoder(head="tanh"), loss="binary_crossentropy", target=itself, epochs=3)),
    },
    fourth={
        "head: one sigmoid under categorical cross-entropy, faces": shows(sym.loss_without_meaning, "predictions").of(
            fit("faces", net.simple(units=1, head="sigmoid"), by.adam(1e-3), y=lambda y: y.astype("float32")[:, None],
                loss="categorical_crossentropy", metrics=(metrics.BinaryAccuracy(name="accuracy"),), epochs=8)),
        "head: no activation under a cross-entropy of shares, photos": shows(sym.not_probabilities, "predictions").of(
            fit("photos", net.vgg(each=1, head=None), by.sgd(0.01, 0.9), epochs=5)),
        "head: prices of houses by tanh": shows(sym.out_of_reach & sym.explains_less_than(1.0), "output").of(
            fit("housing", net.mlp(head="tanh"), by.adam(1e-3), epochs=20)),
        "head: a softmax over traits that do not exclude each other, views": shows(sym.sums_to_one, "output").of(
            fit("views", net.convnet(units=3, head="softmax", widths=(12, 24), hidden=(32,)),
                loss="binary_crossentropy", metrics=(metrics.BinaryAccuracy("right"),), target=traits)),
    },
)  # fmt: skip
