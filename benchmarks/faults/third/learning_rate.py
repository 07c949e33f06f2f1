"""Steps far too long, or so short that nothing comes of them."""

from __future__ import annotations

from typing import Any

from keras import optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial
from benchmarks.faults.second.symptoms import diverges
from benchmarks.faults.third.data import third
from benchmarks.faults.third.make import Make, faulty, fit, onto_itself
from benchmarks.faults.third.networks import conv_autoencoder, convnet, lenet, mlp
from benchmarks.faults.third.symptoms import tells_less_than

_SCHEDULES = optimizers.schedules
_HURT = shows.both(shows.either(shows.swings, shows.at_chance), shows.worse_than(0.75))
_IDLE = shows.both(shows.hardly_moved(), shows.worse_than(0.7))


def _high(name: str, make: Make, symptom: Any = _HURT, also: tuple[str, ...] = ()) -> Case:
    return faulty(f"rate too high: {name}", make, symptom, "learning_rate_too_high", (), ("nan_or_inf", *also))


def _low(name: str, make: Make, symptom: Any = _IDLE) -> Case:
    return faulty(f"rate too low: {name}", make, symptom, "learning_rate_too_low")


def _idle_images() -> Trial:
    """Keras' SGD at a tenth of its usual rate, for a loss that is small by itself."""
    return onto_itself("digits", conv_autoencoder(third("digits")), optimizers.SGD(1e-3), epochs=6)


CASES: tuple[Case, ...] = (
    _high(
        "SGD 0.5 with momentum, miles per gallon",
        fit(
            "cars",
            mlp,
            lambda: optimizers.SGD(0.5, momentum=0.9),
            y=lambda y: y / 10,
            of={"hidden": (50, 30), "activation": "elu"},
            epochs=8,
        ),
        diverges,
        ("exploding_gradient",),
    ),
    _high("Adam 0.2, LeNet", fit("mnist", lenet, lambda: optimizers.Adam(0.2), epochs=6), also=("dead_units",)),
    _high(
        "a warm-up to 3 where 0.003 was meant, views",
        fit(
            "views",
            convnet,
            lambda: optimizers.Adam(_SCHEDULES.CosineDecay(1e-4, 400, warmup_target=3.0, warmup_steps=30)),
            epochs=7,
        ),
        also=("dead_units",),
    ),
    _high(
        "RMSprop 0.5, tanh over digits",
        fit("digits", mlp, lambda: optimizers.RMSprop(0.5), of={"activation": "tanh"}, epochs=8),
        also=("saturated_activation",),
    ),
    _low("SGD 0.00001, mnist", fit("mnist", lenet, lambda: optimizers.SGD(1e-5), epochs=5)),
    _low(
        "Adam with an epsilon of 1000, prints",
        fit("prints", convnet, lambda: optimizers.Adam(1e-3, epsilon=1e3), epochs=5),
    ),
    _low("SGD 0.001, an autoencoder", _idle_images, shows.both(shows.hardly_moved(), tells_less_than(0.9))),
)
