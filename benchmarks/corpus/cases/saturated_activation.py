"""Units that live at the bounds of their activation."""

from typing import Any

from keras import layers, ops
from keras.initializers import Constant

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows
from benchmarks.corpus.lazy import activation, bias, kernel, normal, scaled, uniform


def _summed(inputs: Any) -> Any:
    """Features added up over time, not averaged, before tanh."""
    x = layers.Conv1D(16, 5, activation="relu", name="conv_a")(inputs)
    x = layers.Conv1D(24, 5, activation="relu", name="conv_b")(x)
    x = layers.Lambda(lambda v: 4 * ops.sum(v, axis=1), name="pool")(x)
    return layers.Dense(32, activation="tanh", name="hidden")(x)


def _sharpened(inputs: Any) -> Any:
    """A temperature that multiplies where it should divide."""
    x = layers.Conv2D(16, 5, strides=2, activation="relu", name="conv2d")(inputs)
    x = layers.Rescaling(500.0, name="temperature")(layers.Conv2D(24, 3, name="conv2d_1")(x))
    return layers.Flatten()(layers.Activation("tanh", name="squash")(x))


CASES = faulty(
    "saturated_activation",
    known={
        f"saturated: {layer} of tanh, weights × {factor} on {data}":
            shows(sym.pinned(layer, 0.95), layer, also="bad_init").of(
                fit(data, net.plain(activation="tanh", init="glorot_uniform", widths=(16, 24, 24),
                    **{layer: kernel(scaled(factor**2, "fan_in"))}), epochs=6))
        for data, layer, factor in (("digits", "conv2", 150), ("mnist", "fc1", 100), ("shapes", "conv3", 200))
    }
    | {
        f"saturated: bias {value} under {name} in {layer} on {data}":
            shows(sym.pinned(layer, bounds=(low, 1)), layer).of(
                fit(data, net.plain(widths=(16, 24, 24), **{layer: activation(name) | bias(value)}), epochs=6))
        for data, layer, name, value, low in (("digits", "conv2", "tanh", 20.0, -1), ("mnist", "fc1", "sigmoid", -30.0,
            0))
    },
    first={
        "saturated: tanh over weights a hundred times too large, signals":
            shows(sym.pinned("c2", 0.95), "c2", also="bad_init").of(
                fit("signals", net.chain(activation="tanh", init="glorot_uniform", widths=(16, 24, 24),
                    c2=kernel(scaled(1e4))), epochs=5)),
        "saturated: a hard sigmoid far from its slope, volumes": shows(sym.pinned("d1", bounds=(0, 1)), "d1").of(
            fit("volumes", net.chain(flat=True, hidden=(32,), d1=activation("hard_sigmoid") | bias(15.0)), epochs=5)),
    },
    second={
        "saturated: features of heartbeats added up before tanh": shows(sym.pinned("hidden", 0.97), "hidden").of(
            fit("heartbeats", net.functional(_summed), by.sgd(0.01), epochs=5)),
        "saturated: a temperature that multiplies, gratings": shows(sym.pinned("squash", 0.95), "squash conv2d_1").of(
            fit("gratings", net.functional(_sharpened, "probs"), by.adam(1e-3), epochs=5)),
        "saturated: sigmoids over weights of deviation 40, letters":
            shows(sym.pinned("dense", 0.9, (0, 1)), "dense", also="bad_init").of(
                fit("glyphs", net.tutorial(dense=activation("sigmoid") | kernel(normal(stddev=40.0))), by.adam(1e-3),
                    epochs=5)),
    },
    third={
        "saturated: scales of 60 before tanh, views": shows(sym.pinned("act2", 0.95), "conv2 norm2 act2").of(
            fit("views", net.convnet(activation="tanh", norm=lambda name: net.batch_norm(name,
                gamma_initializer=Constant(60.0 if name == "norm2" else 1.0))), by.sgd(0.01, 0.9), epochs=4)),
        "saturated: sigmoids over weights of deviation 30, a table":
            shows(sym.pinned("hidden1", 0.95, (0, 1)), "hidden1", also="bad_init").of(
                fit("cancer", net.mlp(activation="sigmoid", hidden1=kernel(normal(stddev=30.0))), by.adam(1e-3),
                    epochs=10)),
        "saturated: ReLU6 above six throughout, digits": shows(sym.pinned("fc1", 0.99, (0, 6)), "fc1").of(
            fit("digits", net.convnet(activation="relu6", fc1=bias(25.0)), by.sgd(2e-3), epochs=5)),
    },
    fourth={
        "saturated: tanh over weights of deviation 5, mnist":
            shows(sym.pinned("hidden1", 0.95), "hidden1", also="bad_init").of(
                fit("mnist", net.mlp(activation="tanh", hidden1=kernel(normal(stddev=5.0))), by.adam(1e-3), epochs=6)),
        "saturated: sigmoids over weights from -8 to 8 in the second convolution, glyphs":
            shows(sym.pinned("block2_conv1", 0.95, (0, 1)), "block2_conv1", also="bad_init").of(
                fit("glyphs", net.simple(activation="sigmoid", block2_conv1=kernel(uniform(-8.0, 8.0))), by.adam(1e-3),
                    epochs=5)),
    },
)  # fmt: skip
