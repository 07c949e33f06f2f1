"""Classifiers that are well, each built in a way that looks like a fault to a rule of thumb."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, losses, ops, optimizers, regularizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.second.data import second
from benchmarks.faults.second.make import fit, healthy, one_hot
from benchmarks.faults.second.networks import branches, mobilenet, resnet, tutorial, vgg, written_as_class
from benchmarks.faults.second.symptoms import good

OK = good(val_accuracy=0.8)


def _model(name: str, *stack: Any, rate: float = 2e-3, **options: Any) -> Trial:
    """A Sequential of these layers, with a softmax behind them, by Adam."""
    data = second(name)
    model = keras.Sequential([keras.Input(data.shape), *stack, layers.Dense(data.classes, activation="softmax")])
    return trial(data, model, optimizers.Adam(rate), **options)


def _functional(name: str, body: Any, rate: float = 2e-3, **options: Any) -> Trial:
    data = second(name)
    inputs = keras.Input(data.shape)
    outputs = layers.Dense(data.classes, activation="softmax", name="output")(body(inputs))
    return trial(data, keras.Model(inputs, outputs), optimizers.Adam(rate), **options)


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
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.Conv3D(width, (3, 1, 1), padding="same", name=f"time{i}")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return layers.Flatten()(x)


def _frame_by_frame() -> Trial:
    """The same convolutions for each frame, then an LSTM."""
    shape = second("clips").shape[1:]
    frame = [keras.Input(shape), layers.Conv2D(12, 3, strides=2, activation="relu", name="frame_conv1"),
             layers.Conv2D(16, 3, activation="relu", name="frame_conv2"), layers.Flatten()]  # fmt: skip
    each = layers.TimeDistributed(keras.Sequential(frame, name="frame"), name="each_frame")
    return _model("clips", each, layers.LSTM(32, name="lstm"), rate=3e-3, epochs=10)


def _torch_style() -> Trial:
    data = second("sounds")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    return trial(data, written_as_class(data), optimizers.Adam(3e-3), loss=loss, epochs=8)


def _shares_averaged() -> Trial:
    """A softmax over channels at every place, and the mean of these shares as the answer."""
    data = second("toys")
    stack = [keras.Input(data.shape), layers.Conv2D(16, 3, strides=2, activation="relu"),
             layers.Conv2D(32, 3, strides=2, activation="relu"), layers.Conv2D(data.classes, 2),
             layers.Softmax(), layers.GlobalAveragePooling2D()]  # fmt: skip
    return trial(data, keras.Sequential(stack), optimizers.Adam(5e-3), epochs=12)


_SELU = {"activation": "selu", "init": "lecun_normal"}

CASES: tuple[Case, ...] = (
    healthy(
        "LeNet with tanh and means, SGD 0.1",
        lambda: trial(
            load("mnist"),
            tutorial(load("mnist"), filters=(6, 16), dense=(48, 32), size=5, pooling="Average", activation="tanh"),
            optimizers.SGD(0.1, momentum=0.9),
            epochs=6,
        ),
        OK,
    ),
    healthy("two blocks with much dropout, letters", fit("glyphs", vgg, of={"dropout": 0.6}, epochs=12), OK),
    healthy(
        "residual from a zero scale, letters",
        fit("glyphs", resnet, lambda: optimizers.SGD(0.1, momentum=0.9), of={"zero_gamma": True}, epochs=10),
        OK,
    ),
    healthy("depthwise and pointwise with ReLU6, gratings", fit("gratings", mobilenet, epochs=8), OK),
    healthy("branches of three widths, spectra", fit("spectra", branches, epochs=8), OK),
    healthy(
        "SELU that normalises itself, heartbeats",
        fit("heartbeats", tutorial, lambda: optimizers.Adam(1e-3),
            of=lambda: {**_SELU, "filters": (12, 16, 16), "dense": (32, 24)}, epochs=8),
        OK,
    ),
    healthy(
        "PReLU, sounds",
        fit("sounds", vgg, of=lambda: {"act": lambda name: layers.PReLU(shared_axes=[1, 2], name=name)}, epochs=6),
        OK,
    ),
    healthy("ELU with averages, clips",
            fit("clips", tutorial, of={"activation": "elu", "filters": (8, 16), "pooling": "Average"}, epochs=8), OK),
    healthy("mish and AdamW, toys", fit(
        "toys", vgg, lambda: optimizers.AdamW(2e-3), of={"activation": "mish"}, epochs=12), OK),
    healthy(
        "sparse by intent: a mild penalty on activities, letters",
        fit("glyphs", tutorial, of={"of": {"dense": {"activity_regularizer": regularizers.L1(1e-4)}}}, epochs=8),
        OK,
    ),
    healthy("gates over places, toys", lambda: _functional("toys", _spatial_gate, epochs=14), OK),
    healthy("maxout, gratings", lambda: _functional("gratings", _maxout, epochs=6), OK),
    healthy("a dense layer factored in two, letters", lambda: _functional("glyphs", _factored, epochs=8), OK),
    healthy("fire modules, sounds", lambda: _functional("sounds", _fire, 4e-3, epochs=12), OK),
    healthy("gated linear units, spectra", lambda: _functional("spectra", _linear_units, epochs=8), OK),
    healthy("dense layers alone mix patches, gratings", lambda: _functional("gratings", _mixer, epochs=12), OK),
    healthy("space, then time, clips", lambda: _functional("clips", _space_then_time, epochs=8), OK),
    healthy("frames, then an LSTM, clips", _frame_by_frame, OK),
    healthy("written as a class, logits out, sounds", _torch_style, OK),
    healthy("shares averaged over places, toys", _shares_averaged, OK),
    healthy(
        "hinge of several classes, no activation at the head",
        fit("spectra", tutorial, loss="categorical_hinge", y=one_hot(5), of={"head": None}, epochs=8),
        OK,
    ),
    healthy(
        "a sigmoid for each class, one of them right",
        fit("sounds", tutorial, loss="binary_crossentropy", y=one_hot(5), of={"head": "sigmoid"}, epochs=8),
        good(val_accuracy=0.8),
    ),
)  # fmt: skip
