"""How the second round writes its cases down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import optimizers

from benchmarks.faults.case import Round, Trial, trial
from benchmarks.faults.second.data import second

Make = Callable[[], Trial]
faulty, healthy = Round("second").faulty, Round("second").healthy


def fit(data: str, net: Callable[..., Any], optimizer: Callable[[], Any] | None = None, **options: Any) -> Make:
    """A training of ``net`` on the data of this name.

    ``optimizer`` makes the optimizer; ``of`` are options of the network, or a function that makes them, so that what
    draws random numbers is made after the seed is set.
    """
    of = options.pop("of", {})

    def make() -> Trial:
        known = of() if callable(of) else of
        chosen = optimizer() if optimizer else optimizers.Adam(2e-3)
        return trial(second(data), net(second(data), **known), chosen, **options)

    return make


def split(model: Any, x: Any, y: Any, **options: Any) -> Trial:
    """A trial of a compiled model that holds out the last quarter."""
    border = 3 * len(x) // 4
    return Trial(model, x[:border], y[:border], (x[border:], y[border:]), **options)


def one_hot(classes: int) -> Callable[[Any], Any]:
    """Labels to rows of 0 and 1."""
    return lambda y: np.eye(classes, dtype="float32")[y]
