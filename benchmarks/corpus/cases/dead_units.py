"""Units that never fire."""

from typing import Any

from keras import constraints, layers, ops, regularizers
from keras.initializers import Constant

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows, words
from benchmarks.corpus.lazy import bias, kernel, partly, uniform

_POSITIVE = {
    "kernel_constraint": constraints.NonNeg(),
    "bias_constraint": constraints.MaxNorm(0.0),
    "kernel_initializer": uniform(0, 0.3),
}


class Pruned(constraints.Constraint):
    """Keeps a share of the filters at zero, as after pruning."""

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, w: Any) -> Any:
        """The kernel with its first filters zero."""
        return w * ops.cast(ops.arange(w.shape[-1]) >= round(self._share * w.shape[-1]), w.dtype)


def _bursts(rate: float, steps: int, then: float) -> Any:
    """Adam whose first steps are far too large: what is dead stays dead."""
    return by.adam(by.piecewise([steps], [rate, then]))


CASES = faulty(
    "dead_units",
    known={
        f"dead {layer} by bias {value} on {data}": shows(sym.dead(layer), layer).of(
            fit(data, net.plain(widths=(16, 24, 24), **{layer: bias(value)}), epochs=6))
        for data, layer, value in (
            ("mnist", "conv2", -4.0), ("digits", "conv2", -5.0), ("shapes", "conv3", -4.0), ("digits", "fc1", -12.0),
            ("mnist", "conv1", -3.0), ("shapes", "fc1", -15.0)
        )
    }
    | {
        f"dead: {share:.0%} of {layer} on {data}": shows(sym.dead(layer), layer).of(
            fit(data, net.plain(**{layer: {"bias_initializer": partly(share, -5.0, 0.0)}}), epochs=6))
        for data, layer, share in (("digits", "conv2", 0.6), ("mnist", "conv1", 0.75), ("shapes", "conv2", 0.7))
    }
    | {
        "dead conv2 by an L1 penalty on digits":
            shows(sym.dead("conv2"), "conv2", also="collapsed_output redundant_filters").of(
                fit("digits", net.plain(widths=(16, 32, 32), conv2={"kernel_regularizer": regularizers.L1(0.3)}),
                    epochs=10)),
    },
    first={
        "dead: a shift of -6 after group normalisation": shows(sym.dead("c1_act", "c2_act"), "c{1,2}{,_norm,_act}").of(
            fit("photos",
                net.chain(norm=lambda name: layers.GroupNormalization(4, name=name, beta_initializer=Constant(-6.0))),
                epochs=5)),
        "dead: weights kept positive under negative inputs": shows(sym.dead("c1"), "c1").of(
            fit("materials", net.chain(flat=True, c1=_POSITIVE), x=lambda x: x - 1, epochs=5)),
        "dead: three steps at rate 1, then 0.002, faces":
            shows(sym.dead("c1", "c2", "c3", "d1"), "c1 c2 c3 d1", also="learning_rate_too_high").of(
                fit("faces", net.chain(flat=True, widths=(16, 24, 24), hidden=(32,)), _bursts(1.0, 3, 2e-3), epochs=7)),
        "dead: 19 of 20 dense units behind attention": shows(sym.dead("d1", share=0.9), "d1").of(
            fit("signals", net.attentive(bias_initializer=partly(0.05, 0.0, -20.0)), epochs=6)),
        "dead: two thirds of a Conv3D": shows(sym.dead("c2"), "c2").of(
            fit("volumes", net.chain(c2={"bias_initializer": partly(0.33, 0.0, -8.0)}), epochs=5)),
        "dead: channels whose scale an L1 penalty takes (network slimming)":
            shows(sym.faint_scale("c1_norm") | sym.faint_scale("c2_norm"), "c{1,2}{,_norm,_act}").of(
                fit("materials",
                    net.chain(widths=(16, 32), norm=lambda name: net.batch_norm(name,
                    gamma_regularizer=regularizers.L1(0.02))), by.adam(5e-3), epochs=12)),
    },
    second={
        "dead: ReLU(threshold=6) for ReLU6, sounds":
            shows(sym.dead("block1_conv1_act", "block2_conv2_act"), "block{1,2}_conv{1,2}{,_act}").of(
                fit("sounds", net.blocks(act=lambda name: layers.ReLU(threshold=6.0, name=name), widths=(12, 16)),
                    epochs=4)),
        "dead: a penalty on activities, letters": shows(sym.dead("conv2d_1", share=0.6), "conv2d_1").of(
            fit("glyphs", net.tutorial(widths=(16, 32), conv2d_1={"activity_regularizer": regularizers.L1(0.02)}),
                epochs=6)),
        "dead: 60 % of a layer's filters pruned away, toys": shows(sym.dead("conv2d_1", share=0.55), "conv2d_1").of(
            fit("toys", net.tutorial(conv2d_1={"kernel_constraint": Pruned(0.6), "bias_constraint": Pruned(0.6)}),
                by.adamw(2e-3), epochs=5)),
        "dead: the bias of a rare class (focal loss) in every hidden layer":
            shows(sym.dead(*words("block{1,2}_conv{1,2}"), share=0.9), "block{1,2}_conv{1,2}", also="bad_init").of(
                fit("spectra", net.blocks(**dict.fromkeys(words("block{1,2}_conv{1,2}"), bias(-4.6))), by.rmsprop(1e-3),
                    epochs=5)),
        "dead: regression to raw targets from -90 to -10":
            shows(sym.finite & sym.dead(*words("conv2d{,_1} dense{,_1}"), share=0.9), "conv2d conv2d_1 dense dense_1",
                also="learning_rate_too_high").of(
                fit("crowds", net.tutorial(units=1, head=None, widths=(12, 16), hidden=(32, 16)), by.sgd(1e-3),
                    y=lambda y: 10 * y - 90, epochs=5)),
    },
    third={
        "dead: twenty ReLU layers of two units, born dead":
            shows(sym.dead(*words("hidden{1..20}"), share=1.0) & sym.as_constant, "hidden{1..20}",
                also="vanishing_gradient").of(
                fit("circles", net.mlp(hidden=(2,) * 20, init="he_normal"), by.sgd(0.01, 0.9))),
        "dead: ReLU(0.0), whose first argument is its maximum":
            shows(sym.dead("act2", share=1.0) & sym.at_chance, "conv2 act2").of(
                fit("prints", net.convnet(act2=lambda name: layers.ReLU(0.0, name=name)), epochs=4)),
        "dead: scales that begin at zero where there is no shortcut":
            shows(sym.dead("act2", share=0.65) & sym.zero_scale("norm2", 0.65), "conv2 norm2 act2").of(
                fit("views", net.convnet(widths=(16, 24, 32), hidden=(), norm=lambda name: net.batch_norm(name,
                    gamma_initializer=partly(0.7 if name == "norm2" else 0.0, 0.0, 1.0))), by.sgd(0.05, 0.9),
                    epochs=5)),
        "dead: biases between -40 and -20 in the second hidden layer of a table":
            shows(sym.dead("hidden2", share=0.95), "hidden2").of(
                fit("cancer", net.mlp(hidden=(48, 32, 16), hidden2={"bias_initializer": uniform(-40.0, -20.0)}),
                    by.adam(1e-3), epochs=12)),
        "dead: bright pixels under weights drawn below zero":
            shows(sym.dead("act1", share=0.9) & sym.at_chance, "conv1 act1", also="bad_init").of(
                fit("mnist", net.convnet(conv1=kernel(uniform(-0.2, 0.0))), by.rmsprop(1e-3), epochs=4)),
    },
    fourth={
        "dead: biases of -8 in the last convolution, snaps":
            shows(sym.dead("block2_conv2", share=0.9) & sym.at_chance, "block2_conv2", also="bad_init").of(
                fit("snaps", net.vgg(block2_conv2=bias(-8.0)), by.adam(1e-3), epochs=4)),
        "dead: twenty steps of Adam at 0.5 before 0.001, dense layers on digits":
            shows(sym.dead("hidden2", share=0.6), "hidden1 hidden2", also="learning_rate_too_high").of(
                fit("digits", net.mlp(hidden=(64, 48)), _bursts(0.5, 20, 1e-3), epochs=6)),
        "dead: a shift of -9 behind the normalisation of the first block, grounds":
            shows(sym.dead("block1_conv1_act", share=1.0) & sym.at_chance,
                "block1_conv1 block1_conv1_bn block1_conv1_act", also="bad_init").of(
                fit("grounds",
                    net.vgg(norm=lambda name: net.batch_norm(name,
                    beta_initializer=Constant(-9.0 if name.startswith("block1") else 0.0)), each=1), by.sgd(0.01, 0.9),
                    epochs=4)),
    },
)  # fmt: skip
