"""How the third round writes its cases down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import optimizers

from benchmarks.faults.case import Round, Trial, trial
from benchmarks.faults.third.data import third

Make = Callable[[], Trial]
faulty, healthy = Round("third").faulty, Round("third").healthy


def fit(data: str, net: Callable[..., Any], optimizer: Callable[[], Any] | None = None, **options: Any) -> Make:
    """A training of ``net`` on the data of this name.

    Where no loss is named it is that of the data: squares for numbers, one chance for two classes, shares for more.
    ``optimizer`` makes the optimizer; ``of`` are options of the network, or a function that makes them, so that what
    draws random numbers is made after the seed is set.
    """
    of = options.pop("of", {})

    def make() -> Trial:
        known = of() if callable(of) else of
        loss = {1: "mse", 2: "binary_crossentropy"}.get(third(data).classes, "sparse_categorical_crossentropy")
        usual: dict[str, Any] = {"loss": loss} | ({"metrics": ("mae",)} if loss == "mse" else {})
        chosen = optimizer() if optimizer else optimizers.Adam(2e-3)
        return trial(third(data), net(third(data), **known), chosen, **(usual | options))

    return make


def onto_itself(
    name: str, model: Any, optimizer: Any, loss: Any = "mse", *, noise: Any = None, **options: Any
) -> Trial:
    """Images to the same images, ``noise`` having been put over those that go in."""
    data = third(name)
    model.compile(optimizer, loss)
    spoilt = noise or (lambda x: x)
    return Trial(model, spoilt(data.x), data.x, (spoilt(data.xv), data.xv), **options)
