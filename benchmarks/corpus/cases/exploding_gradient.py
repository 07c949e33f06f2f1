"""Gradients that grow over depth, or by a loss of the wrong size."""

from typing import Any

import numpy as np
from keras import losses, ops

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows
from benchmarks.corpus.data import Data, load
from benchmarks.corpus.lazy import layer, normal, scaled


def _weights_of_cars() -> Any:
    """What cars weigh, in pounds, from the other columns."""
    raw, scaled = load("cars_raw"), load("cars")
    x, xv = (np.delete(table, 3, axis=1) for table in (scaled.x, scaled.xv))
    return Data(x, raw.x[:, 3], xv, raw.xv[:, 3], 1)


_SAME = {"padding": "same", "activation": "relu"}
_SQUARES = net.sequential(
    layer.Conv2D(16, 3, strides=2, name="encode1", **_SAME),
    layer.Conv2D(24, 3, strides=2, name="encode2", **_SAME),
    layer.Conv2DTranspose(16, 3, strides=2, name="decode1", **_SAME),
    layer.Conv2DTranspose(3, 3, strides=2, padding="same", name="image"),
    head=None,
)

CASES = faulty(
    "exploding_gradient",
    known={
        f"exploding: {depth} layers, weights × {factor}, SGD {rate} on {data}":
            shows(sym.broken | sym.at_chance, f"conv{{1..{depth}}}",
                also="bad_init learning_rate_too_high nan_or_inf").of(
                fit(data, net.plain(widths=(16,) * depth, init=scaled(2 * factor**2, "fan_in")), by.sgd(rate),
                    epochs=5))
        for data, depth, factor, rate in (("digits", 8, 3.0, 1e-3), ("mnist", 6, 5.0, 1e-3), ("shapes", 10, 2.5, 1e-3),
            ("digits", 5, 8.0, 1e-4))
    },
    first={
        "sixteen residual blocks of twice the weights, no norm":
            shows(sym.broken | sym.starts_badly, "stem r{0..15}{a,b}",
                also="bad_init learning_rate_too_high nan_or_inf").of(
                fit("volumes", net.shortcut(blocks=16, width=8, norm=None, init=scaled(8.0)), by.sgd(0.01), epochs=4)),
        "seven Conv1D of four times the weights":
            shows(sym.broken | sym.at_chance, "c{1..7}", also="bad_init learning_rate_too_high nan_or_inf").of(
                fit("signals", net.chain(widths=(16,) * 7, init=scaled(32.0)), by.sgd(1e-3, 0.9), epochs=4)),
    },
    second={
        "exploding: squares added up over all pixels of an autoencoder":
            shows(sym.broken | sym.swings, "encode1 encode2 decode1 image",
                also="learning_rate_too_high nan_or_inf").of(
                fit("pictures", _SQUARES, by.sgd(0.01, 0.9), loss=lambda y, p: ops.sum((y - p) ** 2), metrics=(),
                    epochs=5)),
        "exploding: each shortcut added twice, no normalisation":
            shows(sym.broken | sym.starts_badly,
                "conv1_conv conv{2,3}_block{1..4}_{1,2}_conv conv{2,3}_block1_0_conv conv{2,3}_block{1..4}_add",
                also="bad_init learning_rate_too_high nan_or_inf").of(
                fit("toys", net.resnet(blocks=4, widths=(12, 16), norm=False, doubled=True), by.sgd(1e-4), epochs=4)),
        "exploding: squares for an activation, clips":
            shows(sym.broken | sym.starts_badly, "block{1,2}_conv{1,2} fc1 predictions", also="nan_or_inf").of(
                fit("clips", net.blocks(widths=(8, 12), each=2, activation=lambda x: x * x), by.sgd(0.01), epochs=4)),
    },
    third={
        "exploding: exponentials for activations, views":
            shows(sym.broken, "conv{1..4} act{1..4} fc1 output", also="nan_or_inf").of(
                fit("views", net.convnet(widths=((12, 12), (16, 16)), activation="exponential"), by.adam(1e-3),
                    epochs=3)),
        "exploding: a loss weighed by ten thousand, prints":
            shows(sym.first_loss_above(1e5) & (sym.broken | sym.at_chance), "conv1 conv2 fc1 output",
                also="learning_rate_too_high nan_or_inf").of(
                fit("prints", net.convnet(widths=(12, 24), hidden=(32,)), by.sgd(0.01, 0.9),
                    compile_options={"loss_weights": [1e4]}, epochs=4)),
        "exploding: pounds that cars weigh, by squares":
            shows(sym.first_loss_above(1e7) & (sym.broken | sym.explains_less_than(1.0)), "hidden1 hidden2 output",
                also="learning_rate_too_high nan_or_inf").of(
                fit(_weights_of_cars, net.mlp(hidden=(64, 64)), by.sgd(0.01), epochs=8)),
    },
    fourth={
        "exploding: eight dense layers of weights three times He's, mnist":
            shows(sym.first_loss_above(50.0) & (sym.broken | sym.at_chance), "hidden{1..8} output",
                also="bad_init nan_or_inf learning_rate_too_high").of(
                fit("mnist", net.mlp(hidden=(64,) * 8, init=normal(stddev=0.5)), by.sgd(0.01, 0.9), epochs=4)),
        "exploding: the loss a sum over the batch, materials":
            shows(sym.broken | sym.at_chance, "block1_conv1 block2_conv1 fc1 predictions",
                also="learning_rate_too_high nan_or_inf").of(
                fit("materials", net.vgg(each=1), by.sgd(0.1, 0.9),
                    loss=losses.SparseCategoricalCrossentropy(reduction="sum"), batch=64, epochs=4)),
    },
)  # fmt: skip
