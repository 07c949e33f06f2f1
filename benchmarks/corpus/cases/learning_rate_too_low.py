"""Steps so small that nothing comes of them, by the optimizer or by a schedule gone wrong."""

from keras import callbacks

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import FROM_LOGITS, faulty, fit, itself, shows

IDLE = sym.hardly_moved() & sym.worse_than(0.7)
HARDLY = sym.hardly_moved(0.02) & sym.loss_stays(0.9)
_BACKWARD = {"monitor": "accuracy", "mode": "min", "factor": 0.1, "patience": 1, "min_delta": 0}

CASES = faulty(
    "learning_rate_too_low",
    known={
        f"learning rate {rate} of {kind} on {data}": shows(sym.hardly_moved() & sym.worse_than(0.6)).of(
            fit(data, net.plain(), by.BY_NAME[kind](rate), epochs=6))
        for data, kind, rate in (
            ("mnist", "Adam", 1e-6), ("digits", "Adam", 1e-7), ("shapes", "Adam", 3e-6), ("digits", "SGD", 1e-5),
            ("mnist", "SGD", 1e-6), ("shapes", "SGD", 1e-4), ("digits", "RMSprop", 1e-6),
        )
    },
    first={
        f"learning rate: {name}": shows(IDLE).of(training)
        for name, training in {
            "Adam 1e-7, GroupNorm and GELU":
                fit("signals", net.chain(norm="group", activation="gelu"), by.adam(1e-7), epochs=5),
            "Keras' Adadelta as it comes": fit("materials", net.chain(), by.adadelta(), epochs=5),
            "halved every two steps": fit("photos", net.chain(), by.sgd(by.exponential(1e-3, 2, 0.5)), epochs=5),
            "SGD 1e-5 on volumes": fit("volumes", net.shortcut(norm=None), by.sgd(1e-5), epochs=5),
        }.items()
    },
    second={
        "rate too low: SGD 0.0001, letters": shows(IDLE).of(fit("glyphs", net.tutorial(), by.sgd(1e-4), epochs=6)),
        "rate too low: Adam 0.000001 as for fine-tuning, but from scratch": shows(IDLE).of(
            fit("toys", net.resnet(), by.adam(1e-6), epochs=6)),
        "rate too low: Adagrad 0.0001, written as a class, gratings": shows(IDLE).of(
            fit("gratings", net.written_as_class(), by.adagrad(1e-4), loss=FROM_LOGITS, epochs=6)),
        "rate too low: a warm-up of 200,000 steps, sounds": shows(IDLE).of(
            fit("sounds", net.blocks(), by.adamw(by.cosine(0.0, 10 ** 6, warmup_target=1e-3, warmup_steps=200_000)),
                epochs=5)),
        "rate too low: a cosine over ten steps instead of ten epochs, spectra": shows(IDLE).of(
            fit("spectra", net.branches(), by.sgd(by.cosine(0.01, 10)), epochs=6)),
        "rate too low: lowered whenever accuracy rises (mode min), gratings":
            shows(sym.rate_below(1e-6) & sym.worse_than(0.7)).of(
                fit("gratings", net.tutorial(), by.sgd(1e-3, 0.9),
                    callbacks=(callbacks.ReduceLROnPlateau(**_BACKWARD),), epochs=9)),
    },
    third={
        "rate too low: SGD 0.00001, mnist": shows(IDLE).of(fit("mnist", net.lenet(), by.sgd(1e-5), epochs=5)),
        "rate too low: Adam with an epsilon of 1000, prints": shows(IDLE).of(
            fit("prints", net.convnet(), by.adam(1e-3, epsilon=1e3), epochs=5)),
        "rate too low: SGD 0.001, an autoencoder": shows(sym.hardly_moved() & sym.explains_less_than(0.9)).of(
            fit("digits", net.conv_autoencoder(), by.sgd(1e-3), loss="mse", target=itself, epochs=6)),
    },
    fourth={
        "rate too low: SGD 0.00002, a VGG on grounds": shows(HARDLY & sym.worse_than(0.7)).of(
            fit("grounds", net.vgg(each=1), by.sgd(2e-5), epochs=4)),
        "rate too low: Adam 0.0000005, dense layers on mnist": shows(HARDLY & sym.worse_than(0.5)).of(
            fit("mnist", net.mlp(), by.adam(5e-7), epochs=6)),
    },
)  # fmt: skip
