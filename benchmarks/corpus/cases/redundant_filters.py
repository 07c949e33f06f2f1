"""Filters of which one is as good as several."""

from typing import Any

import keras
import numpy as np

from benchmarks.corpus import networks as net
from benchmarks.corpus import optimizers as by
from benchmarks.corpus import symptoms as sym
from benchmarks.corpus.case import faulty, fit, shows
from benchmarks.corpus.lazy import kernel, network, trained


def _copies(own: Any, noise: Any, seed: Any = 51) -> Any:
    """``own`` filters of He's deviation, again and again, with noise of this share of the deviation over them."""
    return _drawn(lambda units: units % own, noise, seed)


def _repeated(times: Any, noise: Any) -> Any:
    """Each filter so many times in a row, with noise."""
    return _drawn(lambda units: units // times, noise, 3)


def _drawn(which: Any, noise: Any, seed: Any) -> Any:
    def draw(shape: Any, dtype: Any = None) -> Any:
        rng = np.random.default_rng(seed)
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        index = which(np.arange(shape[-1]))
        few = rng.normal(0, deviation, (*shape[:-1], index.max() + 1))
        return (few[..., index] + rng.normal(0, noise * deviation, shape)).astype("float32")

    return draw


@network
def _widened(data: Any) -> Any:
    """A net trained for a while, then made three times as wide by copying filters (Net2Net, hardly any noise)."""
    small = trained(net.tutorial(widths=(12, 12), hidden=()), by.adam(3e-3), epochs=3)(data)
    (k1, b1), (k2, b2) = (small.get_layer(name).get_weights() for name in ("conv2d", "conv2d_1"))
    keras.backend.clear_session()
    model = net.tutorial(widths=(12, 36), hidden=())(data)
    wide = np.tile(k2, 3)
    noise = np.random.default_rng(3).normal(0, 0.01 * k2.std(), wide.shape)
    model.get_layer("conv2d").set_weights([k1, b1])
    model.get_layer("conv2d_1").set_weights([wide + noise, np.tile(b2, 3)])
    return model


def _gabors(shape: Any, dtype: Any = None) -> Any:
    """Four directions of one Gabor filter, each many times over with hardly another phase."""
    size, count = shape[0], shape[-1]
    row, column = np.mgrid[:size, :size] - size // 2
    turn, phase = np.pi / 4 * (np.arange(count) % 4), 0.02 * np.arange(count)
    along = row[..., None] * np.sin(turn) + column[..., None] * np.cos(turn)
    bank = np.exp(-(row**2 + column**2) / 8)[..., None] * np.cos(1.2 * along + phase)
    return (0.2 * np.broadcast_to(bank[:, :, None], shape)).astype("float32")


def _one_direction(shape: Any, dtype: Any = None) -> Any:
    """Every filter the same blur, scaled and slightly disturbed."""
    rng = np.random.default_rng(4)
    one = rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), (*shape[:-1], 1))
    return (one * rng.uniform(0.6, 1.4, shape[-1]) + rng.normal(0, 0.02, shape)).astype("float32")


CASES = faulty(
    "redundant_filters",
    known={
        f"redundant: {layer}, each filter {repeat} times, noise {noise}, on {data}": shows(sym.alike(layer), layer).of(
            fit(data, net.plain(widths=(16, 32, 32), **{layer: kernel(_repeated(repeat, noise))}), epochs=5))
        for data, layer, repeat, noise in (("digits", "conv2", 2, 0.05), ("mnist", "conv3", 4, 0.05),
            ("shapes", "conv2", 3, 0.1), ("mnist", "fc1", 2, 0.02))
    },
    first={
        "alike: c2 tiled 3 times, signals": shows(sym.alike("c2"), "c2").of(
            fit("signals", net.chain(size=5, c2=kernel(_copies(8, 0.05, 11))), epochs=4)),
        "alike: c2 tiled 2 times, volumes": shows(sym.alike("c2"), "c2").of(
            fit("volumes", net.chain(c2=kernel(_copies(12, 0.05, 11))), epochs=4)),
        "alike: c3 tiled 4 times, photos": shows(sym.alike("c3"), "c3").of(
            fit("photos", net.chain(widths=(16, 24, 32), c3=kernel(_copies(8, 0.05, 11))), epochs=4)),
    },
    second={
        "alike: widened threefold by copying, toys": shows(sym.alike("conv2d_1", 0.6), "conv2d_1").of(
            fit("toys", _widened(), by.sgd(0.01, 0.9), epochs=4)),
        "alike: a bank of one Gabor filter, gratings": shows(sym.alike("conv2d", 0.6), "conv2d").of(
            fit("gratings", net.tutorial(size=7, widths=(24, 16), conv2d=kernel(_gabors)), epochs=4)),
        "alike: every filter one direction, heartbeats":
            shows(sym.alike("conv1d_1", 0.6), "conv1d_1", also="bad_init").of(
                fit("heartbeats", net.tutorial(size=5, widths=(16, 32), conv1d_1=kernel(_one_direction)),
                    by.sgd(0.02, 0.9), epochs=4)),
    },
    third={
        "alike: eight first filters, each four times":
            shows(sym.alike("conv1", 0.8) & sym.few_directions("conv1", 0.4), "conv1").of(
                fit("views", net.convnet(widths=(32, 24), size=5, conv1=kernel(_copies(8, 0.03))), by.sgd(0.01, 0.9),
                    epochs=5)),
        "alike: a dense layer of 96 made of 24":
            shows(sym.alike("hidden1", 0.8) & sym.few_directions("hidden1", 0.4), "hidden1").of(
                fit("mnist", net.mlp(hidden=(96, 48), hidden1=kernel(_copies(24, 0.02))), by.sgd(0.02), epochs=5)),
    },
    fourth={
        "alike: eight filters of the second block, each four times, snaps":
            shows(sym.alike("block2_conv1", 0.8) & sym.few_directions("block2_conv1", 0.4), "block2_conv1").of(
                fit("snaps", net.vgg(each=1, block2_conv1=kernel(_copies(8, 0.02))), by.adam(1e-3), epochs=4)),
        "alike: 48 first filters of 7 by 7 copied from six, photos":
            shows(sym.alike("block1_conv1", 0.8) & sym.few_directions("block1_conv1", 0.3), "block1_conv1").of(
                fit("photos",
                    net.simple(widths=(48, 24),
                    block1_conv1={"kernel_size": 7, "kernel_initializer": _copies(6, 0.02)}), by.sgd(5e-3, 0.9),
                    epochs=4)),
    },
)  # fmt: skip
