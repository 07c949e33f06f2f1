"""Steps far too large."""

from typing import Any

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows


def _hurt(accuracy: Any) -> Any:
    """The loss swings or nothing is learned, and accuracy stays below this."""
    return (sym.swings | sym.at_chance) & sym.worse_than(accuracy)


HURT = _hurt(0.75)

CASES = faulty(
    "learning_rate_too_high",
    known={
        f"learning rate {rate} of {kind} on {data}": shows(_hurt(0.8), also="nan_or_inf").of(
            fit(data, net.plain(norm=norm), by.BY_NAME[kind](rate)))
        for data, kind, rate, norm in (
            ("mnist", "Adam", 0.1, None), ("digits", "Adam", 0.3, None), ("shapes", "Adam", 0.1, None),
                ("mnist", "SGD", 2.0, None),
            ("digits", "SGD", 3.0, None), ("shapes", "SGD", 1.0, None), ("digits", "RMSprop", 0.1, None),
                ("mnist", "RMSprop", 0.05, None),
            ("shapes", "Adam", 0.03, None), ("mnist", "Adam", 1.0, None),
        )
    },
    first={
        f"learning rate: {name}": shows(_hurt(0.85), also="nan_or_inf").of(training)
        for name, training in {
            "Nadam 0.3 of a residual net without norm": fit("photos", net.shortcut(norm=None), by.nadam(0.3), epochs=7),
            "SGD 1.0 with momentum 0.95 on signals": fit("signals", net.chain(), by.sgd(1.0, 0.95), epochs=7),
            "RMSprop 0.2 on volumes": fit("volumes", net.chain(flat=True), by.rmsprop(0.2), epochs=7),
            "Adagrad 5 on squeezed materials": fit("materials", net.squeezed(), by.adagrad(5.0), epochs=7),
            "AdamW 0.5 with attention": fit("signals", net.attentive(), by.adamw(0.5), epochs=7),
            "Adam 1.0 on faces": fit("faces", net.chain(flat=True, hidden=(32,)), by.adam(1.0), epochs=10),
        }.items()
    },
    second={
        "rate too high: Adam 0.1, letters": shows(HURT, also="nan_or_inf dead_units").of(
            fit("glyphs", net.blocks(), by.adam(0.1), epochs=6)),
        "rate too high: Lion 0.05, spectra": shows(HURT, also="nan_or_inf").of(
            fit("spectra", net.branches(), by.lion(0.05), epochs=7)),
        "rate too high: RMSprop 0.05 and tanh, gratings": shows(HURT, also="nan_or_inf").of(
            fit("gratings", net.tutorial(activation="tanh"), by.rmsprop(0.05), epochs=7)),
        "rate too high: SGD 30 with normalisation, toys": shows(HURT, also="nan_or_inf").of(
            fit("toys", net.resnet(), by.sgd(30.0, 0.9), epochs=7)),
        "rate too high: SGD 0.05 with momentum on counts": shows(sym.diverges, also="nan_or_inf dead_units").of(
            fit("crowds", net.tutorial(units=1, head=None), by.sgd(0.05, 0.9), epochs=6)),
        "rate too high: Nadam that grows by steps, heartbeats": shows(HURT, also="nan_or_inf").of(
            fit("heartbeats", net.tutorial(), by.nadam(by.exponential(1e-3, 28, 4.0)))),
        "rate too high: Adamax 0.3, sounds": shows(HURT, also="nan_or_inf dead_units").of(
            fit("sounds", net.tutorial(), by.adamax(0.3), epochs=7)),
    },
    third={
        "rate too high: SGD 0.5 with momentum, miles per gallon":
            shows(sym.diverges, also="nan_or_inf exploding_gradient").of(
                fit("cars", net.mlp(hidden=(50, 30), activation="elu"), by.sgd(0.5, 0.9), y=lambda y: y / 10)),
        "rate too high: Adam 0.2, LeNet": shows(HURT, also="nan_or_inf dead_units").of(
            fit("mnist", net.lenet(), by.adam(0.2), epochs=6)),
        "rate too high: a warm-up to 3 where 0.003 was meant, views": shows(HURT, also="nan_or_inf dead_units").of(
            fit("views", net.convnet(), by.adam(by.cosine(1e-4, 400, warmup_target=3.0, warmup_steps=30)), epochs=7)),
        "rate too high: RMSprop 0.5, tanh over digits": shows(HURT, also="nan_or_inf saturated_activation").of(
            fit("digits", net.mlp(activation="tanh"), by.rmsprop(0.5))),
    },
    fourth={
        "rate too high: Adam 0.1, a VGG on snaps": shows(_hurt(0.6), also="nan_or_inf dead_units").of(
            fit("snaps", net.vgg(), by.adam(0.1), epochs=5)),
        "rate too high: RMSprop 0.3, a first example on digits": shows(_hurt(0.6), also="nan_or_inf dead_units").of(
            fit("digits", net.simple(padding="same"), by.rmsprop(0.3), epochs=6)),
        "rate too high: SGD 1.0 with momentum, leaky dense layers on photos":
            shows(_hurt(0.6), also="nan_or_inf exploding_gradient").of(
                fit("photos", net.mlp(hidden=(96, 48), activation="leaky_relu"), by.sgd(1.0, 0.9), epochs=6)),
},
)  # fmt: skip
