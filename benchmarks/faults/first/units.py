"""Units that are saturated or dead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import constraints, initializers, optimizers, regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Trial
from benchmarks.faults.first import symptoms as also_shows
from benchmarks.faults.first.make import Cases, fitted
from benchmarks.faults.first.networks import attentive, chain

CASES = Cases()


CASES.faulty(
    "saturated: tanh over weights a hundred times too large, signals",
    lambda: fitted(
        "signals",
        chain,
        of={"activation": "tanh", "init": "glorot_uniform", "widths": (16, 24, 24),
            "of": {"c2": {"kernel_initializer": initializers.VarianceScaling(1e4)}}},
        epochs=5,
    ),
    shows.pinned("c2", 0.95),
    "saturated_activation",
    ("c2",),
    ("bad_init",),
)  # fmt: skip

CASES.faulty(
    "saturated: a hard sigmoid far from its slope, volumes",
    lambda: fitted(
        "volumes",
        chain,
        of={"flat": True, "dense": (32,),
            "of": {"d1": {"activation": "hard_sigmoid", "bias_initializer": initializers.Constant(15.0)}}},
        epochs=5,
    ),
    shows.pinned("d1", bounds=(0, 1)),
    "saturated_activation",
    ("d1",),
)  # fmt: skip


def _burnt(name: str, net: Callable[..., Any], rate: float, **of: Any) -> Trial:
    """A few steps far too large, then a sensible learning rate: what is dead stays dead."""
    schedule = optimizers.schedules.PiecewiseConstantDecay([3], [rate, 2e-3])
    return fitted(name, net, optimizers.Adam(schedule), of=of, epochs=7)


_POSITIVE = {
    "kernel_constraint": constraints.NonNeg(),
    "bias_constraint": constraints.MaxNorm(0.0),
    "kernel_initializer": initializers.RandomUniform(0, 0.3),
}


def _some(share: float, value: float) -> Callable[..., Any]:
    return lambda shape, dtype=None: np.where(np.arange(shape[0]) >= (1 - share) * shape[0], value, 0).astype("float32")


CASES.faulty(
    "dead: a shift of -6 after group normalisation",
    lambda: fitted(
        "photos", chain, of={"norm": "group", "of_norm": {"beta_initializer": initializers.Constant(-6.0)}}, epochs=5
    ),
    also_shows.any_dead("c1_act", "c2_act"),
    "dead_units",
    ("c1", "c1_norm", "c1_act", "c2", "c2_norm", "c2_act"),
)

CASES.faulty(
    "dead: weights kept positive under negative inputs",
    lambda: fitted(
        "materials",
        chain,
        of={"flat": True, "of": {"c1": _POSITIVE}},
        x=lambda x: x - 1,
        epochs=5,
    ),
    shows.dead("c1"),
    "dead_units",
    ("c1",),
)

CASES.faulty(
    "dead: three steps at rate 1, then 0.002, faces",
    lambda: _burnt("faces", chain, 1.0, flat=True, widths=(16, 24, 24), dense=(32,)),
    also_shows.any_dead("c1", "c2", "c3", "d1"),
    "dead_units",
    ("c1", "c2", "c3", "d1"),
    ("learning_rate_too_high",),
)

CASES.faulty(
    "dead: 19 of 20 dense units behind attention",
    lambda: fitted("signals", attentive, of={"of": {"bias_initializer": _some(0.95, -20.0)}}, epochs=6),
    shows.dead("d1", 0.9),
    "dead_units",
    ("d1",),
)

CASES.faulty(
    "dead: two thirds of a Conv3D",
    lambda: fitted("volumes", chain, of={"of": {"c2": {"bias_initializer": _some(0.67, -8.0)}}}, epochs=5),
    shows.dead("c2"),
    "dead_units",
    ("c2",),
)

CASES.faulty(
    "dead: channels whose scale an L1 penalty takes (network slimming)",
    lambda: fitted(
        "materials", chain, optimizers.Adam(5e-3),
        of={"widths": (16, 32), "norm": "batch", "of_norm": {"gamma_regularizer": regularizers.L1(0.02)}},
        epochs=12,
    ),
    shows.either(also_shows.faint_scale("c1_norm"), also_shows.faint_scale("c2_norm")),
    "dead_units",
    ("c1", "c1_norm", "c1_act", "c2", "c2_norm", "c2_act"),
)  # fmt: skip
