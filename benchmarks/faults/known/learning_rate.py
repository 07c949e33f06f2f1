"""Steps too large or too small."""

from __future__ import annotations

from keras import optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, trial
from benchmarks.faults.data import load
from benchmarks.faults.known.make import ADAM, LOW, SGD
from benchmarks.faults.networks import plain

RATE_HIGH = [
    Case(
        f"learning rate {rate} of {kind.__name__} on {name}",
        lambda name=name, kind=kind, rate=rate, norm=norm: trial(
            load(name), plain(load(name), norm=norm), kind(rate), epochs=8
        ),
        shows.both(shows.either(shows.swings, shows.at_chance), shows.worse_than(0.8)),
        "learning_rate_too_high",
        (),
        ("nan_or_inf",),
    )
    for name, kind, rate, norm in [
        ("mnist", ADAM, 0.1, None),
        ("digits", ADAM, 0.3, None),
        ("shapes", ADAM, 0.1, None),
        ("mnist", SGD, 2.0, None),
        ("digits", SGD, 3.0, None),
        ("shapes", SGD, 1.0, None),
        ("digits", optimizers.RMSprop, 0.1, None),
        ("mnist", optimizers.RMSprop, 0.05, None),
        ("shapes", ADAM, 0.03, None),
        ("mnist", ADAM, 1.0, None),
    ]
]


RATE_LOW = [
    Case(
        f"learning rate {rate} of {kind.__name__} on {name}",
        lambda name=name, kind=kind, rate=rate: trial(load(name), plain(load(name)), kind(rate), epochs=6),
        shows.both(shows.hardly_moved(), LOW),
        "learning_rate_too_low",
    )
    for name, kind, rate in [
        ("mnist", ADAM, 1e-6),
        ("digits", ADAM, 1e-7),
        ("shapes", ADAM, 3e-6),
        ("digits", SGD, 1e-5),
        ("mnist", SGD, 1e-6),
        ("shapes", SGD, 1e-4),
        ("digits", optimizers.RMSprop, 1e-6),
    ]
]
