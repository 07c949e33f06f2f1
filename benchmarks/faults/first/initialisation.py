"""Weights that start alike, too large or too small."""

from __future__ import annotations

from keras import initializers, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.first.make import LOW, Cases, fitted
from benchmarks.faults.first.networks import chain, mobile

CASES = Cases()


CASES.faulty(
    "ones in the second Conv1D (DeepCrime)",
    lambda: fitted(
        "signals", chain, optimizers.RMSprop(1e-3), of={"of": {"c2": {"kernel_initializer": "ones"}}}, epochs=5
    ),
    shows.alike("c2"),
    "bad_init",
    ("c2",),
)

CASES.faulty(
    "zeros in a pointwise convolution",
    lambda: fitted("materials", mobile, of={"norm": None, "activation": "relu", "pointwise": "zeros"}, epochs=6),
    shows.alike("pw2"),
    "bad_init",
    ("pw2",),
)

CASES.faulty(
    "unit normal in every Conv3D",
    lambda: fitted(
        "volumes",
        chain,
        of={"widths": (16, 24, 24), "dense": (32,), "init": initializers.RandomNormal(stddev=1.0)},
        epochs=5,
    ),
    also_shows.starts_badly,
    "bad_init",
    ("c1", "c2", "c3", "d1"),
    ("exploding_gradient",),
)

CASES.faulty(
    "a constant in a dense layer of faces",
    lambda: fitted(
        "faces",
        chain,
        of={"flat": True, "dense": (32,), "of": {"d1": {"kernel_initializer": initializers.Constant(0.02)}}},
        epochs=6,
    ),
    shows.alike("d1"),
    "bad_init",
    ("d1",),
)

CASES.faulty(
    "random numbers from 0 to 1 as weights of photos",
    lambda: fitted("photos", chain, of={"widths": (16, 16, 16), "init": initializers.RandomUniform(0, 1)}, epochs=5),
    also_shows.starts_badly,
    "bad_init",
    ("c1", "c2", "c3"),
    ("exploding_gradient",),
)

CASES.faulty(
    "tiny weights before tanh in signals",
    lambda: fitted(
        "signals",
        chain,
        optimizers.SGD(0.05, momentum=0.9),
        of={"widths": (16, 16, 16, 16), "activation": "tanh", "init": initializers.RandomNormal(stddev=1e-3)},
        epochs=6,
    ),
    shows.both(LOW, shows.hardly_moved(0.5)),
    "bad_init",
    ("c1", "c2", "c3", "c4"),
    ("vanishing_gradient",),
)
