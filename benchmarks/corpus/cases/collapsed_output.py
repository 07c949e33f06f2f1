"""One answer to everything."""

from typing import Any

import keras
import numpy as np
from keras import constraints, layers, ops, optimizers, regularizers

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import Training, Trial, faulty, fit, shows
from benchmarks.corpus.data import load


def _by_class(y: Any) -> Any:
    return np.argsort(y, kind="stable")


def _few_but_first(y: Any) -> Any:
    return (y == 0) | (np.arange(len(y)) % 5 == 0)


def _counts(y: Any) -> Any:
    """Class weights that are counts instead of their inverse."""
    counts = np.bincount(y)
    return {k: float((counts[k] / counts.max()) ** 2) for k in range(3)}


def _only_alike() -> Any:
    """Pairs of the same letter only: the best answer is one vector for everything."""
    data = load("glyphs")
    rng = np.random.default_rng(12)
    a = rng.integers(0, len(data.x), 800)
    b = np.array([rng.choice(np.flatnonzero(data.y == k)) for k in data.y[a]])
    shared = net.encoder(data.shape)
    left, right = keras.Input(data.shape, name="left"), keras.Input(data.shape, name="right")
    apart = layers.Lambda(lambda ab: ops.sum((ab[0] - ab[1]) ** 2, axis=-1, keepdims=True), name="distance")
    model = keras.Model([left, right], apart([shared(left), shared(right)]))
    model.compile(optimizers.Adam(2e-3), lambda same, far: same * far + (1 - same) * ops.relu(1 - far))
    return Trial(model, [data.x[a], data.x[b]], np.ones((800, 1), "float32"), epochs=8)


CASES = faulty(
    "collapsed_output",
    known={
        "collapsed: L2 of 10 on digits": shows(sym.one_answer, "head", also="dead_units").of(
            fit("digits", net.plain(penalty=regularizers.L2(10.0)), epochs=6)),
        "collapsed: class weight 1000 on mnist": shows(sym.one_answer, "head").of(
            fit("mnist", net.plain(), epochs=6, class_weight=dict.fromkeys(range(10), 1.0) | {3: 1000.0})),
        "collapsed: class weight 3000 on shapes": shows(sym.one_answer, "head").of(
            fit("shapes", net.plain(), epochs=6, class_weight=dict.fromkeys(range(4), 1.0) | {1: 3000.0})),
    },
    first={
        "collapsed: sample weights of one class, signals": shows(sym.one_answer, "out").of(
            fit("signals", net.chain(), epochs=6, sample_weight=lambda y: np.where(y == 3, 50.0,
                0.01).astype("float32"))),
        "collapsed: decay of 30 by AdamW, volumes": shows(sym.one_answer, "out", also="dead_units underfitting").of(
            fit("volumes", net.chain(), by.adamw(5e-3, weight_decay=30.0), epochs=7)),
    },
    second={
        "collapsed: sorted by class and never shuffled": shows(sym.one_answer, "predictions").of(
            fit("glyphs", net.blocks(), by.sgd(0.02, 0.9), pick=_by_class, epochs=5, shuffle=False)),
        "collapsed: class weights the wrong way round": shows(sym.one_answer_balanced, "dense_1").of(
            fit("heartbeats", net.tutorial(widths=(12, 16)), by.adam(1e-3), pick=_few_but_first, epochs=5,
                class_weight=_counts)),
        "collapsed: a siamese net shown no pairs that differ":
            shows(sym.same_vector("encoder"), "distance encoder embedding").of(
                Training(_only_alike)),
        "collapsed: an L2 of 1 on every layer of a digit classifier":
            shows(sym.one_answer, "dense_1", also="underfitting dead_units").of(
                fit("digits", net.tutorial(penalty=regularizers.L2(1.0)), by.adam(2e-3))),
    },
    third={
        "collapsed: faces that weigh 5000 times as much": shows(sym.one_answer, "output").of(
            fit("faces", net.convnet(widths=(12, 16), hidden=(24,)), by.adam(1e-3), epochs=12,
                class_weight={0: 1.0, 1: 5000.0})),
        "collapsed: weights of the head held to a length of 0.0001, views":
            shows(sym.one_answer & sym.at_chance, "output", also="underfitting").of(
                fit("views", net.convnet(head={"kernel_constraint": constraints.MaxNorm(1e-4)}), by.sgd(0.05, 0.9),
                    epochs=5)),
    },
    fourth={
        "collapsed: a class of prints that weighs a thousand times as much":
            shows(sym.one_answer & sym.at_chance, "predictions").of(
                fit("prints", net.vgg(each=1), by.adam(1e-3), epochs=4, class_weight={0: 1.0, 1: 1.0, 2: 1000.0,
                    3: 1.0})),
        "collapsed: materials one after the other, never shuffled":
            shows(sym.one_answer & sym.at_chance, "predictions").of(
                fit("materials", net.simple(widths=(16, 24)), by.sgd(0.02, 0.9), pick=_by_class, epochs=5,
                    shuffle=False)),
    },
)  # fmt: skip
