"""Data, width and batches that do not fit each other."""

from __future__ import annotations

from keras import layers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.fourth.make import adam, faulty, fit
from benchmarks.faults.fourth.networks import vgg, xception
from benchmarks.faults.second.networks import resnet
from benchmarks.faults.second.symptoms import told_apart
from benchmarks.faults.third.networks import mlp
from benchmarks.faults.third.symptoms import falls_short

CASES: tuple[Case, ...] = (
    faulty(
        "overfitting: forty snaps in a wide VGG",
        fit(
            "snaps",
            vgg,
            of={"widths": (32, 48), "per_block": 1, "dense": (256,)},
            samples=40,
            batch=10,
            epochs=40,
        ),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "overfitting: sixty houses in three wide layers",
        fit("housing", mlp, adam(2e-3), of={"hidden": (256, 256, 128)}, samples=60, batch=16, epochs=120),
        shows.overfits,
        "overfitting",
    ),
    faulty(
        "underfitting: eight letters by two filters and their means",
        fit("glyphs", vgg, adam(5e-3), of={"widths": (2,), "per_block": 1, "dense": (), "mean": True}, epochs=14),
        falls_short(0.5),
        "underfitting",
        ("block1_conv1",),
    ),
    faulty(
        "underfitting: mnist shrunk to three by three pixels",
        fit(
            "mnist",
            mlp,
            adam(5e-3),
            of=lambda: {"hidden": (16,), "before": (layers.AveragePooling2D(9, name="shrink"),)},
            epochs=25,
        ),
        falls_short(0.8),
        "underfitting",
    ),
    faulty(
        "batches of 2 in a residual net, toys",
        fit("toys", resnet, adam(2e-3), batch=2, samples=400, epochs=3),
        told_apart,
        "batch_too_small_for_bn",
    ),
    faulty(
        "batches of 3 through separable convolutions, photos",
        fit("photos", xception, adam(3e-3), batch=3, samples=450, epochs=4),
        told_apart,
        "batch_too_small_for_bn",
    ),
)
