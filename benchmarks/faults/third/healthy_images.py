"""Classifiers of images that are well, each built in a way that looks like a fault to a rule of thumb."""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers, layers, optimizers, regularizers

from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first.data import first
from benchmarks.faults.networks import attention
from benchmarks.faults.second.make import one_hot
from benchmarks.faults.second.networks import mobilenet, resnet
from benchmarks.faults.second.symptoms import good
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import fit, healthy
from benchmarks.faults.third.networks import all_convolutional, convnet, lenet, mlp

OK = good(val_accuracy=0.8)


def _norm(name: str) -> Any:
    return layers.BatchNormalization(momentum=0.9, name=name)


def _falling(rate: float, steps: int) -> Any:
    return optimizers.schedules.CosineDecay(rate, steps)


def _adam(rate: Any) -> Any:
    return lambda: optimizers.Adam(rate)


def _sgd(rate: float, momentum: float = 0.9) -> Any:
    return lambda: optimizers.SGD(rate, momentum=momentum)


def _two_shares() -> Trial:
    """Faces by a softmax of two units."""
    data = first("faces")
    model = convnet(data, blocks=((12,), (16,)), dense=(24,), dropout=0.3)
    return trial(data, model, optimizers.Adam(1e-3), epochs=20, batch=16)


def _own_softmax() -> Trial:
    """Scores, then a softmax as a layer, under categorical cross-entropy."""
    data = third("mnist")
    flat = mlp(data, hidden=(128,), head=None, dropout=0.2)
    model = keras.Sequential([keras.Input(data.shape), *flat.layers, layers.Softmax(name="softmax")])
    return trial(
        data, model, optimizers.RMSprop(1e-3), loss="categorical_crossentropy", y=one_hot(10), epochs=8, batch=128
    )


CASES: tuple[Case, ...] = (
    healthy("LeNet on digits of post codes, SGD", fit("mnist", lenet, _sgd(0.05), epochs=8), OK),
    healthy(
        "LeNet with tanh and normalisation, SGD 1.0",
        fit("mnist", lenet, _sgd(1.0, 0.0), of={"norm": True, "activation": "tanh"}, epochs=8),
        OK,
    ),
    healthy("a dense layer of 1024 over small digits", fit("digits", mlp, of={"hidden": (1024,)}, epochs=6), OK),
    healthy(
        "one hidden layer of sigmoids, digits",
        fit("digits", mlp, _sgd(0.5), of={"hidden": (48,), "activation": "sigmoid"}, epochs=12),
        OK,
    ),
    healthy(
        "twelve dense ReLU layers by He's rule, digits",
        fit("digits", mlp, _adam(1e-3), of={"hidden": (64,) * 12, "init": "he_normal"}, epochs=12),
        OK,
    ),
    healthy(
        "ten self-normalising layers, mnist",
        fit(
            "mnist",
            mlp,
            _sgd(0.01),
            of=lambda: {"hidden": (64,) * 10, "activation": "selu", "init": "lecun_normal"},
            epochs=5,
        ),
        OK,
    ),
    healthy(
        "a head that begins at zero, digits",
        fit("digits", convnet, of={"of": {"output": {"kernel_initializer": "zeros"}}}, epochs=6),
        OK,
    ),
    healthy("convolution and activation apart, views", fit("views", convnet, _adam(1e-3), epochs=8), OK),
    healthy(
        "tanh and averages, views",
        fit("views", convnet, _adam(5e-4), of={"activation": "tanh", "pooling": "Average"}, epochs=8),
        OK,
    ),
    healthy("convolutions only, views", fit("views", all_convolutional, _adam(3e-3), epochs=10), OK),
    healthy(
        "residual from scales of zero, views",
        fit("views", resnet, _sgd(0.1), of={"zero_gamma": True}, epochs=8),
        OK,
    ),
    healthy(
        "normalised behind the activation, prints",
        fit("prints", convnet, _adam(2e-3), of={"norm": _norm, "norm_last": True, "dense": ()}, epochs=8),
        OK,
    ),
    healthy(
        "normalised, no biases, Adam from 0.02 down, views",
        fit("views", convnet, _adam(_falling(0.02, 350)), of={"norm": _norm, "bias": False, "dense": ()}, epochs=10),
        OK,
    ),
    healthy(
        "normalised, SGD 2.0, small digits",
        fit("digits", mlp, _sgd(2.0, 0.0), of={"norm": True, "hidden": (96, 48)}, epochs=15),
        OK,
    ),
    healthy("batches of 8 in a residual net, prints", fit("prints", resnet, _adam(2e-3), batch=8, epochs=6), OK),
    healthy("batches of 2, nothing normalised, digits", fit("digits", convnet, _adam(3e-4), batch=2, epochs=4), OK),
    healthy(
        "batches of 2 with layer normalisation, views",
        fit(
            "views",
            convnet,
            _adam(5e-4),
            of={"norm": lambda name: layers.LayerNormalization(name=name), "blocks": ((8,), (16,)), "dense": ()},
            batch=2,
            samples=900,
            epochs=3,
        ),
        OK,
    ),
    healthy("all samples in four batches, prints", fit("prints", convnet, _adam(5e-3), batch=280, epochs=16), OK),
    healthy(
        "ReLU shifted down by 0.1 in both convolutions, mnist",
        fit(
            "mnist",
            convnet,
            _adam(1e-3),
            of={
                "init": "he_normal",
                "of": {f"conv{i}": {"bias_initializer": initializers.Constant(-0.1)} for i in (1, 2)},
            },
            epochs=5,
        ),
        OK,
    ),
    healthy(
        "maps kept sparse by a mild penalty, views",
        fit(
            "views",
            convnet,
            _adam(1e-3),
            of={"of": {"conv2": {"activity_regularizer": regularizers.L1(1e-6)}}, "dropout": 0.3},
            epochs=8,
        ),
        OK,
    ),
    healthy("depthwise and pointwise, views", fit("views", mobilenet, _adam(_falling(5e-3, 280)), epochs=8), OK),
    healthy("patches that attend, prints", fit("prints", attention, _adam(3e-3), epochs=14), OK),
    healthy("faces by a softmax of two units", _two_shares, good(val_accuracy=0.85)),
    healthy("the softmax a layer of its own, mnist", _own_softmax, OK),
)  # fmt: skip
