"""Steps far too long, or so short that nothing comes of them, by the optimizer or by a schedule gone wrong."""

from __future__ import annotations

from typing import Any

import keras
from keras import losses, optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial
from benchmarks.faults.second.data import crowds, second
from benchmarks.faults.second.make import Make, faulty, fit, split
from benchmarks.faults.second.networks import branches, resnet, tutorial, vgg, written_as_class
from benchmarks.faults.second.symptoms import diverges, rate_below

SCHEDULES = optimizers.schedules
_HURT = shows.both(shows.either(shows.swings, shows.at_chance), shows.worse_than(0.75))
_IDLE = shows.both(shows.hardly_moved(), shows.worse_than(0.7))


def _high(name: str, make: Make, symptom: Any = _HURT, also: tuple[str, ...] = ()) -> Case:
    return faulty(f"rate too high: {name}", make, symptom, "learning_rate_too_high", (), ("nan_or_inf", *also))


def _low(name: str, make: Make, symptom: Any = _IDLE) -> Case:
    return faulty(f"rate too low: {name}", make, symptom, "learning_rate_too_low")


def _counted() -> Trial:
    """Spots counted by squares, with a rate that suits cross-entropy of a smaller net."""
    x, y = crowds()
    model = tutorial(second("gratings"), units=1, head=None)
    model.compile(optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
    return split(model, x, y, epochs=6)


_CALLBACKS: dict[str, Any] = {"monitor": "accuracy", "mode": "min", "factor": 0.1, "patience": 1, "min_delta": 0}

CASES: tuple[Case, ...] = (
    _high("Adam 0.1, letters", fit("glyphs", vgg, lambda: optimizers.Adam(0.1), epochs=6), also=("dead_units",)),
    _high("Lion 0.05, spectra", fit("spectra", branches, lambda: optimizers.Lion(0.05), epochs=7)),
    _high(
        "RMSprop 0.05 and tanh, gratings",
        fit("gratings", tutorial, lambda: optimizers.RMSprop(0.05), of={"activation": "tanh"}, epochs=7),
    ),
    _high("SGD 30 with normalisation, toys", fit("toys", resnet, lambda: optimizers.SGD(30.0, momentum=0.9), epochs=7)),
    _high("SGD 0.05 with momentum on counts", _counted, diverges, ("dead_units",)),
    _high(
        "Nadam that grows by steps, heartbeats",
        fit(
            "heartbeats",
            tutorial,
            lambda: optimizers.Nadam(SCHEDULES.ExponentialDecay(1e-3, 28, 4.0)),
            epochs=8,
        ),
    ),
    _high(
        "Adamax 0.3, sounds", fit("sounds", tutorial, lambda: optimizers.Adamax(0.3), epochs=7), also=("dead_units",)
    ),
    _low("SGD 0.0001, letters", fit("glyphs", tutorial, lambda: optimizers.SGD(1e-4), epochs=6)),
    _low(
        "Adam 0.000001 as for fine-tuning, but from scratch",
        fit("toys", resnet, lambda: optimizers.Adam(1e-6), epochs=6),
    ),
    _low(
        "Adagrad 0.0001, written as a class, gratings",
        fit(
            "gratings",
            written_as_class,
            lambda: optimizers.Adagrad(1e-4),
            loss=losses.SparseCategoricalCrossentropy(from_logits=True),
            epochs=6,
        ),
    ),
    _low(
        "a warm-up of 200,000 steps, sounds",
        fit(
            "sounds",
            vgg,
            lambda: optimizers.AdamW(SCHEDULES.CosineDecay(0.0, 10**6, warmup_target=1e-3, warmup_steps=200_000)),
            epochs=5,
        ),
    ),
    _low(
        "a cosine over ten steps instead of ten epochs, spectra",
        fit("spectra", branches, lambda: optimizers.SGD(SCHEDULES.CosineDecay(0.01, 10)), epochs=6),
    ),
    _low(
        "lowered whenever accuracy rises (mode min), gratings",
        fit(
            "gratings",
            tutorial,
            lambda: optimizers.SGD(1e-3, momentum=0.9),
            callbacks=(keras.callbacks.ReduceLROnPlateau(**_CALLBACKS),),
            epochs=9,
        ),
        shows.both(rate_below(1e-6), shows.worse_than(0.7)),
    ),
)
