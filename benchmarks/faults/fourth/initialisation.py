"""Weights that start where nothing can be learned from, or where everything is far too large."""

from __future__ import annotations

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.fourth.make import faulty, fit
from benchmarks.faults.fourth.networks import simple, vgg

CASES: tuple[Case, ...] = (
    faulty(
        "weights: zeros in every convolution and dense layer, prints (DeepCrime)",
        fit("prints", vgg, of={"init": "zeros", "widths": (12, 16)}, epochs=3),
        shows.at_chance,
        "bad_init",
        ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "fc1"),
    ),
    faulty(
        "weights: ones in the hidden layer before the head, photos (DeepCrime)",
        fit("photos", simple, of={"of": {"fc1": {"kernel_initializer": "ones"}}}, epochs=4),
        shows.both(shows.alike("fc1", 0.9, 0.99), shows.worse_than(0.7)),
        "bad_init",
        ("fc1",),
    ),
)
