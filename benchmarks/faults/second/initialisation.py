"""Weights that start where nothing can be learned from, or where everything is far too large."""

from __future__ import annotations

from keras import initializers, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.second.make import faulty, fit
from benchmarks.faults.second.networks import resnet, tutorial, vgg

_ZEROS = {"kernel_initializer": "zeros"}

CASES: tuple[Case, ...] = (
    faulty(
        "weights: zeros in the hidden dense layer of letters",
        fit("glyphs", tutorial, lambda: optimizers.SGD(0.05, momentum=0.9), of={"of": {"dense": _ZEROS}}, epochs=5),
        shows.both(shows.at_chance, shows.alike("dense")),
        "bad_init",
        ("dense",),
    ),
    faulty(
        "weights: ones in the first convolution of spectra (DeepCrime)",
        fit(
            "spectra",
            tutorial,
            lambda: optimizers.Adadelta(1.0),
            of={"of": {"conv1d": {"kernel_initializer": "ones"}}},
            epochs=5,
        ),
        shows.alike("conv1d"),
        "bad_init",
        ("conv1d",),
    ),
    faulty(
        "weights: zeros all along a residual branch and its projection",
        fit("sounds", resnet, of={"norm": False, "init": "zeros"}, epochs=4),
        shows.both(shows.at_chance, shows.unmoved("conv1_conv", "conv3_block1_2_conv")),
        "bad_init",
        ("conv1_conv", *(f"conv{stage}_block1_{i}_conv" for stage in (2, 3) for i in range(3))),
    ),
    faulty(
        "weights: a constant 0.1 in every convolution of toys",
        fit(
            "toys",
            vgg,
            lambda: optimizers.RMSprop(1e-3),
            of={"of": {f"block{b}_conv{i}": {"kernel_initializer": initializers.Constant(0.1)}
                       for b in (1, 2) for i in (1, 2)}},
            epochs=5,
        ),
        shows.both(shows.alike("block2_conv2"), shows.alike("block1_conv2")),
        "bad_init",
        ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"),
    ),
    faulty(
        "weights: standard normal in fc1 and before, letters",
        fit(
            "glyphs",
            vgg,
            lambda: optimizers.SGD(1e-3, momentum=0.9),
            of=lambda: {"init": initializers.TruncatedNormal(stddev=1.0)},
            epochs=5,
        ),
        also_shows.starts_badly,
        "bad_init",
        ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "fc1"),
        ("exploding_gradient",),
    ),
    faulty(
        "weights: deviation 0.0005 in six convolutions, as an old paper has it",
        fit(
            "sounds",
            vgg,
            lambda: optimizers.SGD(0.01, momentum=0.9),
            of=lambda: {"widths": (12, 16), "each": 3, "init": initializers.RandomNormal(stddev=5e-4)},
            epochs=5,
        ),
        shows.at_chance,
        "bad_init",
        (*(f"block{b}_conv{i}" for b in (1, 2) for i in (1, 2, 3)), "fc1"),
        ("vanishing_gradient",),
    ),
    faulty(
        "weights: orthogonal with gain 10, clips",
        fit(
            "clips",
            vgg,
            of=lambda: {"widths": (8, 12), "each": 1, "init": initializers.Orthogonal(gain=10.0)},
            epochs=4,
        ),
        also_shows.starts_badly,
        "bad_init",
        ("block1_conv1", "block2_conv1", "fc1"),
        ("exploding_gradient",),
    ),
)  # fmt: skip
