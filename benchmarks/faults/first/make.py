"""How the first round writes its cases down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import optimizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.first.data import first
from benchmarks.faults.first.symptoms import well
from benchmarks.faults.symptoms import Symptom

LOW = shows.worse_than(0.6)
OK = well(0.75)
SCHEDULES = optimizers.schedules


class Cases(list[Case]):
    """The cases of one file."""

    def faulty(
        self,
        name: str,
        make: Callable[[], Trial],
        symptom: Symptom,
        fault: str,
        layers: tuple[str, ...] = (),
        also: tuple[str, ...] = (),
    ) -> None:
        """Add a training with a fault."""
        self.append(Case(f"fresh: {name}", make, symptom, fault, layers, also, round="first"))

    def healthy(self, name: str, make: Callable[[], Trial], symptom: Symptom = OK) -> None:
        """Add a training that is well."""
        self.append(Case(f"fresh healthy: {name}", make, symptom, round="first"))


def fitted(data: str, net: Callable[..., Any], optimizer: Any = None, *, of: Any = None, **options: Any) -> Trial:
    """A trial with options of the network in ``of``."""
    optimizer = optimizers.Adam(2e-3) if optimizer is None else optimizer
    return trial(first(data), net(first(data), **(of or {})), optimizer, **options)


def fit(data: str, net: Callable[..., Any], optimizer: Any = None, **options: Any) -> Callable[[], Trial]:
    """What makes a trial; ``optimizer`` is a function, ``of`` has options of the network."""
    of = options.pop("of", {})
    make = optimizer or (lambda: optimizers.Adam(2e-3))
    return lambda: trial(first(data), net(first(data), **of), make(), **options)


def one_hot(classes: int) -> Callable[[Any], Any]:
    """Labels to rows of 0 and 1."""
    return lambda y: np.eye(classes, dtype="float32")[y]


def centred(x: Any) -> Any:
    """Pixels around 0: a 1 × 1 filter over positive pixels of one channel is dead by half at its start."""
    return 4 * (x - 0.5)
