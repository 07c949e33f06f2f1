"""Keeps the samples that parts of a training are called with in a shadow step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax
import keras

from tb_cnndiag.capture.backends.jax.arrays import to_host

# Samples of each step that are kept: only a few steps of a training have a shadow.
SAMPLES = 128


class KeptCalls:
    """The first samples of each model's first call in the latest shadow step.

    A call may happen where gradients are made, out of which no array can be handed: the compiled shadow calls back
    with its values. The training's own step has no such calls in it.
    """

    def __init__(self, models: Mapping[str, Any]) -> None:
        """``models``: by name."""
        self._models = dict(models)
        self._latest: dict[str, Any] = {}
        self._called: set[str] = set()
        self._wanted = True

    def knows(self, models: Mapping[str, Any]) -> bool:
        """Whether the calls of all these models are kept."""
        return all(self._models.get(name) is model for name, model in models.items())

    def start(self) -> None:
        """Keep samples from now on."""
        self._wanted = True

    def stop(self) -> None:
        """Keep nothing more."""
        self._wanted = False
        self._latest = {}

    def read(self) -> dict[str, Any]:
        """What was kept since the last call, as (x, None) by name."""
        if not self._models:
            return {}
        jax.effects_barrier()
        latest, self._latest = self._latest, {}
        return {name: (to_host(x), None) for name, x in latest.items()}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the inputs of calls that are traced inside the ``with``."""
        self._called.clear()
        patched = []
        try:
            for name, model in self._models.items():
                if "call" not in model.__dict__:
                    model.__dict__["call"] = self._kept(model.call, name)
                    patched.append(model)
            yield
        finally:
            for model in patched:
                model.__dict__.pop("call", None)

    def _kept(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(call)
        def kept(*args: Any, **kwargs: Any) -> Any:
            inputs = args[0] if args else next(iter(kwargs.values()), None)
            tensors = [each for each in keras.tree.flatten(inputs) if each is not None]
            if name not in self._called and tensors and all(map(keras.ops.is_tensor, tensors)):
                self._called.add(name)
                first = keras.tree.map_structure(lambda a: None if a is None else a[:SAMPLES], inputs)
                jax.debug.callback(functools.partial(self._keep, name), first)
            return call(*args, **kwargs)

        return kept

    def _keep(self, name: str, x: Any) -> None:
        # Arrays are not read here: the thread that calls back may be the one that would have to finish them.
        if self._wanted:
            self._latest[name] = x
