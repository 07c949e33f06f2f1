"""Steps too large or too small."""

from __future__ import annotations

from typing import Any

from keras import optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.first.make import Cases, fitted
from benchmarks.faults.first.networks import attentive, chain, shortcut, squeezed

CASES = Cases()


for _name, _make in (
    (
        "Nadam 0.3 of a residual net without norm",
        lambda: fitted("photos", shortcut, optimizers.Nadam(0.3), of={"norm": None}, epochs=7),
    ),
    (
        "SGD 1.0 with momentum 0.95 on signals",
        lambda: fitted("signals", chain, optimizers.SGD(1.0, momentum=0.95), epochs=7),
    ),
    ("RMSprop 0.2 on volumes", lambda: fitted("volumes", chain, optimizers.RMSprop(0.2), of={"flat": True}, epochs=7)),
    ("Adagrad 5 on squeezed materials", lambda: fitted("materials", squeezed, optimizers.Adagrad(5.0), epochs=7)),
    ("AdamW 0.5 with attention", lambda: fitted("signals", attentive, optimizers.AdamW(0.5), epochs=7)),
    (
        "Adam 1.0 on faces",
        lambda: fitted("faces", chain, optimizers.Adam(1.0), of={"flat": True, "dense": (32,)}, epochs=10),
    ),
):
    CASES.faulty(
        f"learning rate: {_name}",
        _make,
        shows.both(shows.either(shows.swings, shows.at_chance), shows.worse_than(0.85)),
        "learning_rate_too_high",
        (),
        ("nan_or_inf",),
    )


def _soon_zero() -> Any:
    return optimizers.schedules.ExponentialDecay(1e-3, 2, 0.5)


for _name, _make in (
    (
        "Adam 1e-7, GroupNorm and GELU",
        lambda: fitted("signals", chain, optimizers.Adam(1e-7), of={"norm": "group", "activation": "gelu"}, epochs=5),
    ),
    ("Keras' Adadelta as it comes", lambda: fitted("materials", chain, optimizers.Adadelta(), epochs=5)),
    ("halved every two steps", lambda: fitted("photos", chain, optimizers.SGD(_soon_zero()), epochs=5)),
    ("SGD 1e-5 on volumes", lambda: fitted("volumes", shortcut, optimizers.SGD(1e-5), of={"norm": None}, epochs=5)),
):
    CASES.faulty(
        f"learning rate: {_name}",
        _make,
        shows.both(shows.hardly_moved(), shows.worse_than(0.7)),
        "learning_rate_too_low",
    )
