"""Data, width and batches that do not fit each other."""

from __future__ import annotations

from keras import layers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.first.symptoms import noisy_statistics
from benchmarks.faults.fourth.make import adam, faulty, fit
from benchmarks.faults.fourth.networks import vgg
from benchmarks.faults.third.networks import lenet, mlp
from benchmarks.faults.third.symptoms import falls_short

CASES: tuple[Case, ...] = (
    faulty(
        "overfitting: forty snaps in a wide VGG",
        fit(
            "snaps",
            vgg,
            of={"widths": (24, 32), "per_block": 1, "dense": (192,)},
            samples=40,
            batch=10,
            epochs=26,
        ),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "overfitting: eighty letters in two wide dense layers",
        fit("glyphs", mlp, adam(2e-3), of={"hidden": (512, 256)}, samples=80, batch=16, epochs=40),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "underfitting: photos by three filters of one pixel and their means",
        fit(
            "photos",
            vgg,
            adam(0.02),
            of={"widths": (3,), "per_block": 1, "size": 1, "dense": (), "mean": True, "activation": "elu"},
            epochs=14,
        ),
        falls_short(0.75),
        "underfitting",
        ("block1_conv1",),
    ),
    faulty(
        "underfitting: mnist shrunk to three by three pixels",
        fit(
            "mnist",
            mlp,
            adam(0.03),
            of=lambda: {"hidden": (16,), "before": (layers.AveragePooling2D(9, name="shrink"),)},
            epochs=22,
        ),
        falls_short(0.8),
        "underfitting",
    ),
    faulty(
        "batches of 2 in a normalised LeNet, glyphs",
        fit("glyphs", lenet, adam(2e-3), of={"norm": True}, batch=2, samples=380, epochs=4),
        shows.both(noisy_statistics("F5_bn", 2), falls_short(0.5)),
        "batch_too_small_for_bn",
    ),
    faulty(
        "batches of 2 through normalised dense layers, photos",
        fit("photos", mlp, adam(2e-3), of={"norm": True, "hidden": (64, 32)}, batch=2, samples=480, epochs=4),
        shows.both(noisy_statistics("bn1", 2), falls_short(0.5)),
        "batch_too_small_for_bn",
    ),
)
