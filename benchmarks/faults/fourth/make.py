"""How the fourth round writes its cases down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers, optimizers

from benchmarks.faults.case import Round, Trial, trial
from benchmarks.faults.fourth.data import fourth

Make = Callable[[], Trial]
faulty, healthy = Round("fourth").faulty, Round("fourth").healthy


def fit(data: str, net: Callable[..., Any], optimizer: Callable[[], Any] | None = None, **options: Any) -> Make:
    """A training of ``net`` on the data of this name, with the loss that its targets call for where none is named.

    ``optimizer`` makes the optimizer; ``of`` are options of the network, or a function that makes them, so that what
    draws random numbers is made after the seed is set.
    """
    of = options.pop("of", {})

    def make() -> Trial:
        known = of() if callable(of) else of
        model = net(fourth(data), **known)
        loss = "sparse_categorical_crossentropy"
        if fourth(data).classes < 3 and model.output_shape[-1] == 1:
            loss = "mse" if fourth(data).classes == 1 else "binary_crossentropy"
        usual: dict[str, Any] = {"loss": loss} | ({"metrics": ("mae",)} if loss == "mse" else {})
        chosen = optimizer() if optimizer else optimizers.Adam(1e-3)
        return trial(fourth(data), model, chosen, **(usual | options))

    return make


def adam(rate: Any) -> Callable[[], Any]:
    """What makes an Adam of this rate."""
    return lambda: optimizers.Adam(rate)


def sgd(rate: Any, momentum: float = 0.9) -> Callable[[], Any]:
    """What makes an SGD of this rate and momentum."""
    return lambda: optimizers.SGD(rate, momentum=momentum)


def usual_norm(name: str) -> Any:
    """A batch normalisation that forgets in tens of steps, not in hundreds."""
    return layers.BatchNormalization(momentum=0.9, name=name)
