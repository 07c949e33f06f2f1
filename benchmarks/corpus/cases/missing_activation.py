"""Layers with nothing nonlinear between them."""

from typing import Any

from keras import layers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows
from benchmarks.corpus.lazy import LINEAR, layer


def _conv_bn(width: Any) -> Any:
    """A convolution and its normalization."""
    return layer.Conv2D(width, 3, padding="same", use_bias=False), layer.BatchNormalization(momentum=0.9)


CASES = faulty(
    "missing_activation",
    known={
        f"no activation: {names} on {data}": shows(sym.always, names).of(
            fit(data, net.plain(widths=(16, 24, 24, 24), hidden=(48, 48), pools=pools,
                **dict.fromkeys(names.split(), LINEAR)), epochs=4))
        for data, names, pools in (
            ("digits", "conv3", 2), ("shapes", "fc1", 2), ("mnist", "fc1 fc2", 2),
            ("digits", "conv1 conv2 conv3 conv4 fc1 fc2", 0), ("shapes", "conv1", 0),
        )
    },
    first={
        "no activation: the second of three Conv1D": shows(sym.linear("c2", "c2"), "c2").of(
            fit("signals", net.chain(widths=(16, 24, 24), pools=0, c2=LINEAR), epochs=4)),
        "no activation: between two dense layers on volumes": shows(sym.linear("d1", "d1"), "d1").of(
            fit("volumes", net.chain(flat=True, hidden=(48, 32), d1=LINEAR), epochs=4)),
    },
    second={
        "no activation: the first convolution of the second block, toys":
            shows(sym.linear("block2_conv1", "block2_conv1"), "block2_conv1").of(
                fit("toys", net.blocks(block2_conv1=LINEAR), epochs=4)),
        "no activation: in no layer of a clip classifier":
            shows(sym.linear("conv3d", "dense"), "conv3d conv3d_1 dense").of(
                fit("clips", net.tutorial(widths=(8, 12), activation=None, pooling="Average"), epochs=4)),
        "no activation: behind the second normalisation, letters":
            shows(sym.linear("conv2d_1", "conv2d_1"), "conv2d_1 batch_normalization_1").of(
                fit("glyphs", net.sequential(*_conv_bn(16), layer.ReLU(), layer.MaxPooling2D(), *_conv_bn(24),
                    *_conv_bn(24), layer.ReLU(), layer.GlobalAveragePooling2D()), by.sgd(0.1, 0.9), epochs=5)),
        "no activation: leaky ReLU with a slope of 1, sounds":
            shows(sym.linear("block2_conv1", "block2_conv2_act"), "block{1,2}_conv{1,2}{,_act}").of(
                fit("sounds", net.blocks(act=lambda name: layers.LeakyReLU(negative_slope=1.0, name=name)),
                    by.adamw(1e-3), epochs=4)),
    },
    third={
        "no activation: three dense layers in a row, digits":
            shows(sym.linear("hidden1", "hidden3"), "hidden1 hidden2 hidden3").of(
                fit("digits", net.mlp(hidden=(64, 48, 32), activation=None), epochs=5)),
        "no activation: convolutions and dense layers alike, prints (UMLAUT)":
            shows(sym.linear("conv1", "fc1"), "conv{1..3} act{1..3} fc1").of(
                fit("prints", net.convnet(widths=((16, 16), (24,)), activation="linear", pooling="Average"),
                    by.adam(1e-3), epochs=4)),
        "no activation: the second dense layer for miles per gallon":
            shows(sym.linear("hidden2", "hidden2"), "hidden2").of(
                fit("cars", net.mlp(hidden=(64, 64, 32), hidden2=LINEAR), by.adam(5e-3), y=lambda y: y / 10,
                    epochs=15)),
    },
    fourth={
        "no activation: the first of two convolutions in the second block, snaps":
            shows(sym.linear("block2_conv1", "block2_conv1"), "block2_conv1").of(
                fit("snaps", net.vgg(block2_conv1=LINEAR), by.adam(1e-3), epochs=4)),
        "no activation: the dense layer before the head, mnist": shows(sym.linear("fc1", "fc1"), "fc1").of(
            fit("mnist", net.simple(fc1=LINEAR), by.sgd(0.01, 0.9), epochs=4)),
        "no activation: in no hidden layer for houses (DeepLocalize)":
            shows(sym.linear("hidden1", "hidden2"), "hidden1 hidden2").of(
                fit("housing", net.mlp(hidden=(64, 64), activation=None), by.adam(1e-3), epochs=12)),
    },
)  # fmt: skip
