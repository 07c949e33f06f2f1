"""Networks, optimizers and initializers as they are written down: made for each trial, with its own random seeds."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import numpy as np
from keras import initializers, layers

from benchmarks.corpus.data import Data

P = ParamSpec("P")


@dataclass(frozen=True)
class Lazy:
    """A call that is yet to be made."""

    call: Callable[..., Any]
    args: tuple[Any, ...]
    options: Mapping[str, Any]


def lazily(call: Callable[..., Any]) -> Callable[..., Lazy]:
    """A function whose calls are made by :func:`made`."""
    return lambda *args, **options: Lazy(call, args, options)


def made(value: Any) -> Any:
    """The value with all lazy calls in it made."""
    if isinstance(value, Lazy):
        return value.call(*made(value.args), **made(value.options))
    if isinstance(value, dict):
        return {name: made(part) for name, part in value.items()}
    return type(value)(made(part) for part in value) if isinstance(value, tuple | list) else value


normal, uniform = lazily(initializers.RandomNormal), lazily(initializers.RandomUniform)
truncated_normal, orthogonal = lazily(initializers.TruncatedNormal), lazily(initializers.Orthogonal)
scaled = lazily(initializers.VarianceScaling)


class Layers:
    """``layer.Conv2D(…)`` is a lazy ``keras.layers.Conv2D(…)``."""

    def __getattr__(self, kind: str) -> Callable[..., Lazy]:
        return lazily(getattr(layers, kind))


layer = Layers()
LINEAR: dict[str, Any] = {"activation": None}


def partly(share: float, low: float, high: float) -> Callable[..., Any]:
    """An initializer that gives ``low`` to this share of a vector, from its beginning, and ``high`` to the others."""
    return lambda shape, dtype=None: np.where(np.arange(shape[0]) < share * shape[0], low, high).astype("float32")


def bias(value: float) -> dict[str, Any]:
    """Options of a layer whose biases begin at this value."""
    return {"bias_initializer": initializers.Constant(value)}


def kernel(initializer: Any) -> dict[str, Any]:
    """Options of a layer with this initializer."""
    return {"kernel_initializer": initializer}


def activation(name: Any) -> dict[str, Any]:
    """Options of a layer with this activation."""
    return {"activation": name}


Network = Callable[[Data], Any]


def network(build: Callable[Concatenate[Data, P], Any]) -> Callable[P, Network]:
    """Let a network be written down before its data are known: ``net(data, …)`` becomes ``net(…)(data)``."""

    @functools.wraps(build)
    def described(*args: P.args, **options: P.kwargs) -> Network:
        return lambda data: build(data, *made(args), **made(options))

    return described


@network
def frozen(data: Data, net: Network, *patterns: str) -> Any:
    """The network with layers of these names frozen; ``*`` stands for any letters."""
    model = net(data)
    for part in model.layers:
        if any(fnmatch.fnmatch(part.name, pattern) for pattern in patterns):
            part.trainable = False
    return model


@network
def trained(data: Data, /, net: Network, optimizer: Any, **options: Any) -> Any:
    """The network after a training on the same data."""
    model = net(data)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(data.x, data.y, verbose=0, **options)
    return model
