"""Gradients that fade over depth."""

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, itself, shows
from benchmarks.corpus.lazy import uniform

_SIGMOIDS = {"activation": "sigmoid", "init": "glorot_uniform"}

CASES = faulty(
    "vanishing_gradient",
    known={
        f"vanishing: {depth} layers of sigmoid with {kind} on {data}":
            shows(sym.fades & sym.worse_than(0.6), f"conv{{1..{depth}}}").of(
                fit(data, net.plain(widths=(12,) * depth, **_SIGMOIDS), by.BY_NAME[kind](rate), epochs=6))
        for data, depth, kind, rate in (
            ("digits", 6, "SGD", 0.05), ("mnist", 8, "SGD", 0.1), ("shapes", 7, "SGD", 0.05),
                ("digits", 8, "Adam", 1e-3),
            ("mnist", 6, "Adam", 1e-3), ("shapes", 10, "Adam", 1e-3),
        )
    },
    first={
        "vanishing: eight sigmoid Conv1D, RMSprop": shows(sym.fades & sym.worse_than(0.6), "c{1..8}").of(
            fit("signals", net.chain(widths=(12,) * 8, **_SIGMOIDS), by.rmsprop(1e-3), epochs=6)),
        "vanishing: six sigmoid Conv3D, SGD": shows(sym.fades & sym.worse_than(0.6), "c{1..6}").of(
            fit("volumes", net.chain(widths=(8,) * 6, activation="sigmoid", init="glorot_normal"), by.sgd(0.05),
                epochs=5)),
        "vanishing: nine hard sigmoids on photos": shows(sym.fades & sym.worse_than(0.6), "c{1..9}").of(
            fit("photos", net.chain(widths=(12,) * 9, activation="hard_sigmoid", init="glorot_uniform"), by.adam(1e-3),
                epochs=5)),
    },
    second={
        "vanishing: sigmoids in eight convolutions, letters":
            shows(sym.fades & sym.at_chance, "block{1,2}_conv{1..4} fc1").of(
                fit("glyphs", net.blocks(widths=(8, 12), each=4, activation="sigmoid", init="glorot_uniform"),
                    by.sgd(0.1, 0.9), epochs=4)),
        "vanishing: seven dense layers of sigmoids behind one convolution":
            shows(sym.fades & sym.at_chance, "conv2d dense dense_{1..4}").of(
                fit("sounds", net.tutorial(widths=(12,), hidden=(32,) * 7, activation="sigmoid"), by.adagrad(0.01),
                    epochs=6)),
        "vanishing: nine tanh layers of weights too small, spectra":
            shows(sym.at_chance, "block{1..3}_conv{1..3} fc1", also="bad_init").of(
                fit("spectra", net.blocks(widths=(12, 12, 12), each=3, activation="tanh", init=uniform(-0.06, 0.06)),
                    by.sgd(0.05), epochs=5)),
    },
    third={
        "vanishing: eight dense sigmoids, mnist by SGD": shows(sym.fades & sym.at_chance, "hidden{1..8}").of(
            fit("mnist", net.mlp(hidden=(40,) * 8, activation="sigmoid"), by.sgd(0.1), epochs=5)),
        "vanishing: a deep code of sigmoids, digits": shows(sym.fades & sym.explains_less_than(0.6), "layer{1..7}").of(
            fit("digits", net.dense_autoencoder(widths=(48, 32, 24, 12, 24, 32, 48), activation="sigmoid"),
                by.sgd(0.5, 0.9), loss="mse", target=itself, epochs=6)),
        "vanishing: seven sigmoid convolutions under averages, prints":
            shows(sym.fades & sym.at_chance, "conv{1..7} act{1..7} fc1").of(
                fit("prints", net.convnet(widths=((12, 12, 12), (16, 16, 16, 16)), activation="sigmoid",
                    pooling="Average"), by.rmsprop(1e-3), epochs=4)),
    },
    fourth={
        "vanishing: sigmoids in all six convolutions, snaps":
            shows(sym.fades & sym.at_chance, "block{1..3}_conv{1,2} fc1").of(
                fit("snaps", net.vgg(widths=(12, 16, 24), activation="sigmoid", init="glorot_uniform"),
                    by.sgd(0.01, 0.9), epochs=4)),
        "vanishing: ten dense sigmoids by Adam, digits": shows(sym.fades & sym.at_chance, "hidden{1..10}").of(
            fit("digits", net.mlp(hidden=(32,) * 10, activation="sigmoid"), by.adam(1e-3), epochs=6)),
    },
)  # fmt: skip
