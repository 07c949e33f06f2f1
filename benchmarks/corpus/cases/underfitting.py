"""Too bad a fit of the training samples themselves."""

from keras import regularizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows
from benchmarks.corpus.lazy import layer

CASES = faulty(
    "underfitting",
    known={
        "underfitting: one unit in fc1 on mnist": shows(sym.worse_than(0.75), "fc1").of(
            fit("mnist", net.plain(hidden=(1,)), epochs=24)),
        "underfitting: a tanh unit in fc1 on digits": shows(sym.worse_than(0.75), "fc1").of(
            fit("digits", net.plain(hidden=(1,), activation="tanh"), epochs=24)),
        "underfitting: dropout 0.95 on digits": shows(sym.worse_than(0.75)).of(
            fit("digits", net.plain(dropout=0.95), epochs=24)),
        "underfitting: L2 of 0.3 on mnist": shows(sym.worse_than(0.75), also="collapsed_output").of(
            fit("mnist", net.plain(penalty=regularizers.L2(0.3)), epochs=24)),
        "underfitting: one filter in conv1 on shapes": shows(sym.worse_than(0.75), also="dead_units").of(
            fit("shapes", net.plain(widths=(1, 1), hidden=(1,)), epochs=24)),
    },
    first={
        "underfitting: one filter for five kinds of signal": shows(sym.worse_than(0.7), "c1 c2", also="dead_units").of(
            fit("signals", net.chain(widths=(1, 1)), by.adam(5e-3), epochs=24)),
        "underfitting: dropout of 0.97 before the head": shows(sym.ends_below(0.5)).of(
            fit("photos", net.chain(dropout=0.97, activation="leaky_relu"), epochs=24)),
        "underfitting: strong L2 on a Conv3D net": shows(sym.worse_than(0.75), also="collapsed_output").of(
            fit("volumes", net.chain(penalty=regularizers.L2(0.4)), by.adam(3e-3), epochs=24)),
    },
    second={
        "underfitting: everything averaged at the start": shows(sym.ends_below(0.6)).of(
            fit("gratings", net.sequential(layer.AveragePooling2D(10), layer.Conv2D(16, 2, activation="relu"),
                layer.Flatten(), layer.Dense(32, activation="relu")), by.adam(3e-3), epochs=25)),
        "underfitting: windows of one pixel": shows(sym.ends_below(0.75)).of(
            fit("sounds", net.sequential(*(layer.Conv2D(16, 1, activation="gelu") for _ in "ab"),
                layer.GlobalAveragePooling2D()), by.adam(0.01), samples=500, epochs=20)),
        "underfitting: a single unit before the head, letters": shows(sym.ends_below(0.6), "dense").of(
            fit("glyphs", net.tutorial(widths=(8, 8), hidden=(1,), activation="tanh"), by.adam(2e-3), epochs=25)),
    },
    third={
        "underfitting: a straight line between two circles": shows(sym.never_reaches(0.65)).of(
            fit("circles", net.mlp(hidden=()), by.adam(0.01), epochs=20)),
        "underfitting: mnist through two tanh units": shows(sym.never_reaches(0.75), "hidden1").of(
            fit("mnist", net.mlp(hidden=(2,), activation="tanh"), by.adam(3e-3), epochs=14)),
        "underfitting: four fifths dropped behind every layer, digits": shows(sym.never_reaches(0.6)).of(
            fit("digits", net.mlp(hidden=(32, 32, 32), dropout=0.8, activation="elu"), by.adam(2e-3), epochs=25)),
    },
    fourth={
        "underfitting: photos by three filters of one pixel and their means":
            shows(sym.never_reaches(0.75), "block1_conv1").of(
                fit("photos", net.vgg(widths=(3,), each=1, size=1, hidden=(), flat=False, activation="elu"),
                    by.adam(0.02), epochs=14)),
        "underfitting: mnist shrunk to three by three pixels": shows(sym.never_reaches(0.8)).of(
            fit("mnist", net.mlp(hidden=(16,), before=(layer.AveragePooling2D(9, name="shrink"),)), by.adam(0.03),
                epochs=22)),
    },
)  # fmt: skip
