"""Units that never fire, and filters of which one is as good as several."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import constraints, initializers, layers, ops, optimizers, regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.second.data import crowds, second
from benchmarks.faults.second.make import faulty, fit, split
from benchmarks.faults.second.networks import tutorial, vgg

_FOCAL_BIAS = {"bias_initializer": initializers.Constant(-4.6)}


class Pruned(constraints.Constraint):
    """Keeps a share of the filters at zero, as after pruning."""

    def __init__(self, share: float) -> None:
        self._share = share

    def __call__(self, w: Any) -> Any:
        """The kernel with its first filters zero."""
        return w * ops.cast(ops.arange(w.shape[-1]) >= round(self._share * w.shape[-1]), w.dtype)


def _prices() -> Trial:
    """Targets far below zero in their raw unit; the first steps drive the hidden units out of reach."""
    x, y = crowds()
    model = tutorial(second("gratings"), units=1, head=None, filters=(12, 16), dense=(32, 16))
    model.compile(optimizers.SGD(1e-3), "mse", metrics=["mae"])
    return split(model, x, 10 * y - 90, epochs=5)


def _widened() -> Trial:
    """A net trained for a while, then made twice as wide by copying filters (Net2Net without noise to speak of)."""
    data = second("toys")
    small = tutorial(data, filters=(12, 12), dense=())
    small.compile(optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    small.fit(data.x, data.y, epochs=3, verbose=0)
    (k1, b1), (k2, b2) = (small.get_layer(name).get_weights() for name in ("conv2d", "conv2d_1"))
    keras.backend.clear_session()
    model = tutorial(data, filters=(12, 36), dense=())
    rng = np.random.default_rng(3)
    wide = np.tile(k2, 3)
    model.get_layer("conv2d").set_weights([k1, b1])
    model.get_layer("conv2d_1").set_weights([wide + rng.normal(0, 0.01 * k2.std(), wide.shape), np.tile(b2, 3)])
    return trial(data, model, optimizers.SGD(0.01, momentum=0.9), epochs=4)


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


CASES: tuple[Case, ...] = (
    faulty(
        "dead: ReLU(threshold=6) for ReLU6, sounds",
        fit(
            "sounds",
            vgg,
            of={"act": lambda name: layers.ReLU(threshold=6.0, name=name), "widths": (12, 16)},
            epochs=4,
        ),
        also_shows.any_dead("block1_conv1_act", "block2_conv2_act"),
        "dead_units",
        tuple(f"block{b}_conv{i}{what}" for b in (1, 2) for i in (1, 2) for what in ("", "_act")),
    ),
    faulty(
        "dead: a penalty on activities, letters",
        fit(
            "glyphs",
            tutorial,
            of={"filters": (16, 32), "of": {"conv2d_1": {"activity_regularizer": regularizers.L1(0.02)}}},
            epochs=6,
        ),
        shows.dead("conv2d_1", 0.6),
        "dead_units",
        ("conv2d_1",),
    ),
    faulty(
        "dead: 60 % of a layer's filters pruned away, toys",
        fit(
            "toys",
            tutorial,
            lambda: optimizers.AdamW(2e-3),
            of=lambda: {"of": {"conv2d_1": {"kernel_constraint": Pruned(0.6), "bias_constraint": Pruned(0.6)}}},
            epochs=5,
        ),
        shows.dead("conv2d_1", 0.55),
        "dead_units",
        ("conv2d_1",),
    ),
    faulty(
        "dead: the bias of a rare class (focal loss) in every hidden layer",
        fit(
            "spectra",
            vgg,
            lambda: optimizers.RMSprop(1e-3),
            of={"of": dict.fromkeys(("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"), _FOCAL_BIAS)},
            epochs=5,
        ),
        also_shows.any_dead("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", share=0.9),
        "dead_units",
        ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"),
        ("bad_init",),
    ),
    faulty(
        "dead: regression to raw targets from -90 to -10",
        _prices,
        shows.both(shows.finite, also_shows.any_dead("conv2d", "conv2d_1", "dense", "dense_1", share=0.9)),
        "dead_units",
        ("conv2d", "conv2d_1", "dense", "dense_1"),
        ("learning_rate_too_high",),
    ),
    faulty(
        "alike: widened threefold by copying, toys",
        _widened,
        shows.alike("conv2d_1", 0.6),
        "redundant_filters",
        ("conv2d_1",),
    ),
    faulty(
        "alike: a bank of one Gabor filter, gratings",
        fit(
            "gratings",
            tutorial,
            of={"size": 7, "filters": (24, 16), "of": {"conv2d": {"kernel_initializer": _gabors}}},
            epochs=4,
        ),
        shows.alike("conv2d", 0.6),
        "redundant_filters",
        ("conv2d",),
    ),
    faulty(
        "alike: every filter one direction, heartbeats",
        fit(
            "heartbeats",
            tutorial,
            lambda: optimizers.SGD(0.02, momentum=0.9),
            of={"size": 5, "filters": (16, 32), "of": {"conv1d_1": {"kernel_initializer": _one_direction}}},
            epochs=4,
        ),
        shows.alike("conv1d_1", 0.6),
        "redundant_filters",
        ("conv1d_1",),
        ("bad_init",),
    ),
)
