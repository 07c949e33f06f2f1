"""Classifiers of images that are well, each built in a way that looks like a fault to a rule of thumb."""

from __future__ import annotations

from keras import initializers, regularizers

from benchmarks.faults.case import Case
from benchmarks.faults.fourth.make import adam, fit, healthy, sgd, usual_norm
from benchmarks.faults.fourth.networks import simple, vgg, xception
from benchmarks.faults.second.networks import mobilenet, resnet
from benchmarks.faults.second.symptoms import good
from benchmarks.faults.third.networks import lenet

OK = good(val_accuracy=0.8)


CASES: tuple[Case, ...] = (
    healthy("Keras' first example on mnist, half dropped before the head", fit(
        "mnist", simple, of={"widths": (32, 64), "dense": (48,), "dropout": 0.5}, epochs=5), OK),
    healthy("a VGG on materials, SGD with momentum", fit("materials", vgg, sgd(5e-3), epochs=5), OK),
    healthy("a VGG of three blocks, normalised, grounds", fit(
        "grounds", vgg, of={"widths": (12, 16, 24), "norm": usual_norm, "dense": ()}, epochs=5), OK),
    healthy("LeNet of tanh and averages, glyphs", fit(
        "glyphs", lenet, adam(3e-3), of={"activation": "tanh"}, epochs=10), OK),
    healthy("residual from scales of zero, snaps", fit(
        "snaps", resnet, adam(2e-3), of={"zero_gamma": True}, epochs=6), OK),
    healthy("residual without normalisation, small digits", fit(
        "digits", resnet, adam(2e-3), of={"norm": False}, epochs=8), OK),
    healthy("separable convolutions with shortcuts, snaps", fit("snaps", xception, adam(4e-3), epochs=8), OK),
    healthy("depthwise and pointwise, ReLU6, grounds", fit("grounds", mobilenet, adam(4e-3), epochs=7), OK),
    healthy("ELU on glyphs", fit("glyphs", vgg, of={"activation": "elu", "per_block": 1}, epochs=8), OK),
    healthy("swish and means of maps, snaps", fit(
        "snaps", vgg, adam(5e-3), of={"activation": "silu", "mean": True, "dense": (), "per_block": 1}, epochs=10), OK),
    healthy("ReLU shifted down by 0.2 in the second block, mnist", fit("mnist", vgg, of=lambda: {
        "per_block": 1, "of": {"block2_conv1": {"bias_initializer": initializers.Constant(-0.2)}}}, epochs=4), OK),
    healthy("a code of maps kept sparse by a penalty, glyphs", fit("glyphs", simple, of=lambda: {
        "of": {"fc1": {"activity_regularizer": regularizers.L1(1e-4)}}}, epochs=10), OK),
)  # fmt: skip
