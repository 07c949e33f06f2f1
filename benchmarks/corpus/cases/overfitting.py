"""A fit of the training samples that does not hold for others."""

from typing import Any

import numpy as np

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows
from benchmarks.corpus.data import Data, load

_WIDE = {"widths": (24, 48), "hidden": (128,)}


def _permuted(seed: Any) -> Any:
    """Labels given to the wrong samples; the seed is this above their number."""
    return lambda y: np.random.default_rng(len(y) + seed).permutation(y)


def _noisy_points() -> Any:
    """Forty gratings and their directions as points on the circle, in noise."""
    data = load("directions")
    x, turn = np.concatenate([data.x, data.xv]), np.concatenate([data.y, data.yv])
    y = np.stack([np.sin(2 * turn), np.cos(2 * turn)], axis=1) + np.random.default_rng(2).normal(0, 0.4, (1000, 2))
    y = y.astype("float32")
    return Data(x[:40], y[:40], x[-250:], y[-250:], 1)


_KNOWN = net.plain(widths=(32, 64), hidden=(256,))

CASES = faulty(
    "overfitting",
    known={
        f"overfitting: {samples} samples of {data}, 40 epochs": shows(sym.overfits).of(
            fit(data, _KNOWN, samples=samples, epochs=40, batch=16))
        for data, samples in (("mnist", 40), ("digits", 30), ("shapes", 24))
    }
    | {
        f"overfitting: random labels on {data}": shows(sym.overfits).of(
            fit(data, _KNOWN, y=lambda y: np.random.default_rng(5).permutation(y), samples=400, epochs=25))
        for data in ("digits", "shapes")
    },
    first={
        "overfitting: 36 photographs, wide and long": shows(sym.overfits).of(
            fit("photos", net.chain(widths=(32, 64), flat=True, hidden=(256,)), samples=36, batch=12, epochs=40)),
        "overfitting: labels of materials shuffled": shows(sym.overfits).of(
            fit("materials", net.chain(widths=(32, 64), flat=True, hidden=(256,)),
                y=lambda y: np.random.default_rng(9).permutation(y), samples=200, epochs=30)),
        "overfitting: 40 signals, Conv1D with GELU": shows(sym.overfits).of(
            fit("signals", net.chain(widths=(48, 64), activation="gelu", flat=True), samples=40, batch=10, epochs=40)),
    },
    second={
        "overfitting: 30 heartbeats": shows(sym.overfits).of(
            fit("heartbeats", net.tutorial(**_WIDE), samples=30, batch=10, epochs=30)),
        "overfitting: 48 letters by RMSprop, two blocks": shows(sym.overfits).of(
            fit("glyphs", net.blocks(hidden=(128,)), by.rmsprop(1e-3), samples=48, epochs=32)),
        "overfitting: labels of toys lost their order": shows(sym.overfits).of(
            fit("toys", net.tutorial(**_WIDE), y=_permuted(0), samples=200, epochs=20)),
        "overfitting: five scenes segmented": shows(sym.overfits).of(
            fit("few_pixels", net.segmenter(classes=5, head="softmax"), by.adam(5e-3), epochs=48, batch=4)),
        "overfitting: forty noisy directions": shows(sym.overfits).of(
            fit(_noisy_points, net.tutorial(units=2, head=None, **_WIDE), by.adamw(2e-3), loss="mse", metrics=("mae",),
                epochs=30, batch=10)),
    },
    third={
        "overfitting: thirty patches of four pictures": shows(sym.overfits).of(
            fit("prints", net.convnet(widths=(16, 24), hidden=(192,)), by.adam(3e-3), samples=30, batch=10, epochs=36)),
        "overfitting: progression of a disease by two wide layers": shows(sym.overfits).of(
            fit("diabetes", net.mlp(hidden=(256, 256)), by.adam(2e-3), y=lambda y: y / 100, epochs=60)),
        "overfitting: diagnoses given to the wrong patients": shows(sym.overfits).of(
            fit("cancer", net.mlp(hidden=(256, 128)), y=_permuted(1), epochs=40)),
    },
    fourth={
        "overfitting: forty snaps in a wide VGG": shows(sym.overfits).of(
            fit("snaps", net.vgg(widths=(24, 32), each=1, hidden=(192,)), by.adam(1e-3), samples=40, batch=10,
                epochs=26)),
        "overfitting: eighty letters in two wide dense layers": shows(sym.overfits).of(
            fit("glyphs", net.mlp(hidden=(512, 256)), by.adam(2e-3), samples=80, batch=16, epochs=40)),
    },
)  # fmt: skip
