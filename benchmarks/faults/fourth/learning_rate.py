"""Steps far too long, or so short that nothing comes of them."""

from __future__ import annotations

from typing import Any

from keras import optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case
from benchmarks.faults.fourth.make import Make, adam, faulty, fit, sgd
from benchmarks.faults.fourth.networks import simple, vgg
from benchmarks.faults.fourth.symptoms import loss_keeps
from benchmarks.faults.third.networks import mlp

_HURT = shows.both(shows.either(shows.swings, shows.at_chance), shows.worse_than(0.6))
_IDLE = shows.both(shows.hardly_moved(0.02), loss_keeps(0.9))


def _high(name: str, make: Make, symptom: Any = _HURT, also: tuple[str, ...] = ()) -> Case:
    return faulty(f"rate too high: {name}", make, symptom, "learning_rate_too_high", (), ("nan_or_inf", *also))


CASES: tuple[Case, ...] = (
    _high("Adam 0.1, a VGG on snaps", fit("snaps", vgg, adam(0.1), epochs=5), also=("dead_units",)),
    _high(
        "RMSprop 0.3, a first example on digits",
        fit("digits", simple, lambda: optimizers.RMSprop(0.3), of={"padding": "same"}, epochs=6),
        also=("dead_units",),
    ),
    _high(
        "SGD 1.0 with momentum, leaky dense layers on photos",
        fit("photos", mlp, sgd(1.0), of={"hidden": (96, 48), "activation": "leaky_relu"}, epochs=6),
        also=("exploding_gradient",),
    ),
    faulty(
        "rate too low: SGD 0.00002, a VGG on grounds",
        fit("grounds", vgg, sgd(2e-5, 0.0), of={"per_block": 1}, epochs=4),
        shows.both(_IDLE, shows.worse_than(0.7)),
        "learning_rate_too_low",
    ),
    faulty(
        "rate too low: Adam 0.0000005, dense layers on mnist",
        fit("mnist", mlp, adam(5e-7), epochs=6),
        shows.both(_IDLE, shows.worse_than(0.5)),
        "learning_rate_too_low",
    ),
)
