"""Weights that begin alike, too large or too small."""

from typing import Any

from keras.initializers import Constant

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, itself, shows
from benchmarks.corpus.lazy import kernel, normal, orthogonal, truncated_normal, uniform


def _known(
    data: Any,
    label: Any,
    where: Any,
    init: Any,
    optimizer: Any = by.adam,
    activation: Any = "relu",
    symptom: Any = sym.always,
    also: Any = "",
) -> Any:
    of = {"init": init} if where == "all" else {where: kernel(init)}
    training = fit(data, net.plain(widths=(16, 24, 24), activation=activation, **of), optimizer(), epochs=6)
    layers = "conv{1..3} fc1 head" if where == "all" else where
    return {f"init {label} of {where} on {data}": shows(symptom, layers, also).of(training)}


_LARGE, _SMALL = "exploding_gradient", "vanishing_gradient"

CASES = faulty(
    "bad_init",
    known={
        **_known("digits", "zeros", "all", "zeros", symptom=sym.alike("conv2")),
        **_known("mnist", "zeros", "conv2", "zeros", symptom=sym.alike("conv2")),
        **_known("shapes", "zeros", "fc1", "zeros", symptom=sym.alike("fc1")),
        **_known("digits", "ones", "all", "ones"),
        **_known("mnist", "0.05", "all", Constant(0.05), symptom=sym.alike("conv2")),
        **_known("shapes", "0.1", "all", Constant(0.1), activation="tanh", symptom=sym.alike("conv2")),
        **_known("digits", "std 3", "all", normal(stddev=3.0), also=_LARGE),
        **_known("mnist", "std 1", "all", normal(stddev=1.0), also=_LARGE),
        **_known("shapes", "std 2", "all", normal(stddev=2.0), also=_LARGE),
        **_known("digits", "std 1e-4", "all", normal(stddev=1e-4), by.sgd, symptom=sym.worse_than(0.6), also=_SMALL),
        **_known("shapes", "std 1e-3", "all", normal(stddev=1e-3), by.sgd, "tanh", sym.worse_than(0.6), _SMALL),
        **_known("mnist", "std 1e-4", "all", normal(stddev=1e-4), by.sgd, symptom=sym.worse_than(0.6), also=_SMALL),
    },
    first={
        "ones in the second Conv1D (DeepCrime)": shows(sym.alike("c2"), "c2").of(
            fit("signals", net.chain(c2=kernel("ones")), by.rmsprop(1e-3), epochs=5)),
        "zeros in a pointwise convolution": shows(sym.alike("pw2"), "pw2").of(
            fit("materials", net.mobile(norm=None, activation="relu", pointwise="zeros"), epochs=6)),
        "unit normal in every Conv3D": shows(sym.starts_badly, "c1 c2 c3 d1", also="exploding_gradient").of(
            fit("volumes", net.chain(widths=(16, 24, 24), hidden=(32,), init=normal(stddev=1.0)), epochs=5)),
        "a constant in a dense layer of faces": shows(sym.alike("d1"), "d1").of(
            fit("faces", net.chain(flat=True, hidden=(32,), d1=kernel(Constant(0.02))), epochs=6)),
        "random numbers from 0 to 1 as weights of photos":
            shows(sym.starts_badly, "c1 c2 c3", also="exploding_gradient").of(
                fit("photos", net.chain(widths=(16, 16, 16), init=uniform(0, 1)), epochs=5)),
        "tiny weights before tanh in signals":
            shows(sym.worse_than(0.6) & sym.hardly_moved(0.5), "c1 c2 c3 c4", also="vanishing_gradient").of(
                fit("signals", net.chain(widths=(16, 16, 16, 16), activation="tanh", init=normal(stddev=1e-3)),
                    by.sgd(0.05, 0.9), epochs=6)),
    },
    second={
        "weights: zeros in the hidden dense layer of letters": shows(sym.at_chance & sym.alike("dense"), "dense").of(
            fit("glyphs", net.tutorial(dense=kernel("zeros")), by.sgd(0.05, 0.9), epochs=5)),
        "weights: ones in the first convolution of spectra (DeepCrime)": shows(sym.alike("conv1d"), "conv1d").of(
            fit("spectra", net.tutorial(conv1d=kernel("ones")), by.adadelta(1.0), epochs=5)),
        "weights: zeros all along a residual branch and its projection":
            shows(sym.at_chance & sym.unmoved("conv1_conv", "conv3_block1_2_conv"),
                "conv1_conv conv{2,3}_block1_{0..2}_conv").of(
                fit("sounds", net.resnet(norm=False, init="zeros"), epochs=4)),
        "weights: a constant 0.1 in every convolution of toys":
            shows(sym.alike("block2_conv2") & sym.alike("block1_conv2"), "block{1,2}_conv{1,2}").of(
                fit("toys", net.blocks(**{f'block{b}_conv{i}': kernel(Constant(0.1)) for b in (1, 2) for i in (1, 2)}),
                    by.rmsprop(1e-3), epochs=5)),
        "weights: standard normal in fc1 and before, letters":
            shows(sym.starts_badly, "block{1,2}_conv{1,2} fc1", also="exploding_gradient").of(
                fit("glyphs", net.blocks(init=truncated_normal(stddev=1.0)), by.sgd(1e-3, 0.9), epochs=5)),
        "weights: deviation 0.0005 in six convolutions, as an old paper has it":
            shows(sym.at_chance, "block{1,2}_conv{1..3} fc1", also="vanishing_gradient").of(
                fit("sounds", net.blocks(widths=(12, 16), each=3, init=normal(stddev=5e-4)), by.sgd(0.01, 0.9),
                    epochs=5)),
        "weights: orthogonal with gain 10, clips":
            shows(sym.starts_badly, "block1_conv1 block2_conv1 fc1", also="exploding_gradient").of(
                fit("clips", net.blocks(widths=(8, 12), each=1, init=orthogonal(gain=10.0)), epochs=4)),
    },
    third={
        "weights: zeros in all hidden layers, wine":
            shows(sym.as_constant & sym.unmoved("hidden1", "hidden2"), "hidden1 hidden2").of(
                fit("wine", net.mlp(init="zeros"), by.sgd(0.05, 0.9), epochs=12)),
        "weights: ones in the second convolution, prints (DeepCrime)": shows(sym.alike("conv2", 0.9, 0.99), "conv2").of(
            fit("prints", net.convnet(conv2=kernel("ones")), by.adam(1e-3), epochs=4)),
        "weights: one constant in the hidden layers of an autoencoder":
            shows(sym.alike("layer2", 0.9, 0.99) & sym.explains_less_than(0.8), "layer1 layer2 layer3").of(
                fit("digits", net.dense_autoencoder(widths=(48, 12, 48), init=Constant(0.05)), loss="mse",
                    target=itself, epochs=8)),
        "weights: standard normal throughout LeNet":
            shows(sym.starts_badly, "C1 C3 F5 F6", also="exploding_gradient").of(
                fit("mnist", net.lenet(**kernel(normal(stddev=1.0))), by.sgd(1e-3, 0.9), epochs=4)),
    },
    fourth={
        "weights: zeros in every convolution and dense layer, prints (DeepCrime)":
            shows(sym.at_chance, "block{1,2}_conv{1,2} fc1").of(
                fit("prints", net.vgg(init="zeros", widths=(12, 16)), by.adam(1e-3), epochs=3)),
        "weights: ones in the hidden layer before the head, photos (DeepCrime)":
            shows(sym.alike("fc1", 0.9, 0.99) & sym.worse_than(0.7), "fc1").of(
                fit("photos", net.simple(fc1=kernel("ones")), by.adam(1e-3), epochs=4)),
    },
)  # fmt: skip
