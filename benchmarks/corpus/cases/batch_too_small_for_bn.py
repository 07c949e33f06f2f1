"""Batches too small for their normalization."""

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows
from benchmarks.corpus.lazy import layer

CASES = faulty(
    "batch_too_small_for_bn",
    known={
        f"batch of {batch} with batch normalisation on {data}": shows(sym.always).of(
            fit(data, network, batch=batch, samples=min(300 * batch, 1280), epochs=6))
        for data, batch, network in (
            ("digits", 1, net.plain(norm="batch")),
            ("shapes", 2, net.plain(norm="batch")),
            ("mnist", 2, net.plain(norm="batch")),
            ("digits", 2, net.residual()),
        )
    },
    first={
        f"batch of {batch} with batch normalisation, {data}": shows(sym.noisy_statistics(norm, batch)).of(
            fit(data, network, batch=batch, samples=min(240 * batch, 600), epochs=5))
        for data, network, norm, batch in (
            ("photos", net.chain(norm="batch"), "c2_norm", 2),
            ("materials", net.mobile(), "pw2_norm", 1),
            ("volumes", net.shortcut(), "r1b_norm", 2),
        )
    },
    second={
        "batches of 1 through a mobile net, toys": shows(sym.differs_in_inference).of(
            fit("toys", net.mobilenet(), batch=1, samples=300, epochs=4)),
        "batches of 2, normalised behind the mean, letters":
            shows(sym.noisy_statistics("batch_normalization", 2) & sym.differs_in_inference).of(
                fit("glyphs",
                    net.sequential(*(layer.Conv2D(width, 3, strides=2, activation="relu") for width in (16, 32)),
                    layer.GlobalAveragePooling2D(), layer.BatchNormalization(momentum=0.9)), batch=2, samples=400,
                    epochs=5)),
        "batches of 3, normalised dense layers, heartbeats": shows(sym.noisy_statistics("batch_normalization_3", 3)).of(
            fit("heartbeats", net.tutorial(norm="batch", hidden=(32, 32)), batch=3, samples=450, epochs=5)),
        "batches of 2, normalised dense layer, clips too large for memory":
            shows(sym.noisy_statistics("batch_normalization_2", 2)).of(
                fit("clips", net.tutorial(norm="batch", widths=(8, 12)), batch=2, samples=300, epochs=4)),
    },
    third={
        "batches of 2, a normalised table": shows(sym.noisy_statistics("bn1", 2) & sym.differs_in_inference).of(
            fit("cancer", net.mlp(norm="batch", hidden=(48, 24)), by.adam(2e-3), batch=2, epochs=5)),
        "batches of 1, of which nothing is left but the shift, digits": shows(sym.never_reaches(0.25)).of(
            fit("digits", net.mlp(norm="batch"), by.adam(1e-3), batch=1, samples=400, epochs=3)),
    },
    fourth={
        "batches of 2 in a normalised LeNet, glyphs":
            shows(sym.noisy_statistics("F5_bn", 2) & sym.never_reaches(0.5)).of(
                fit("glyphs", net.lenet(norm=True), batch=2, samples=380, epochs=4)),
        "batches of 2 through normalised dense layers, photos":
            shows(sym.noisy_statistics("bn1", 2) & sym.never_reaches(0.5)).of(
                fit("photos", net.mlp(norm="batch", hidden=(64, 32)), by.adam(2e-3), batch=2, samples=480, epochs=4)),
    },
)  # fmt: skip
