"""Keeps the samples that parts of a training are called with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope  # has no public place

from tb_cnndiag.capture.backends.base import SLOTS
from tb_cnndiag.capture.backends.torch.arrays import to_host
from tb_cnndiag.capture.guard import Guard, inputs_of


class KeptCalls:
    """The first samples of each model's first call in a step. Passes over the probe do not count."""

    def __init__(self, models: Mapping[str, Any]) -> None:
        """``models``: by name."""
        self._models = dict(models)
        self._latest: dict[str, Any] = {}
        self._called: set[str] = set()
        self._patched: list[Any] = []
        self._guard = Guard()

    def begin(self) -> None:
        """A step begins."""
        self._called.clear()

    def read(self) -> dict[str, Any]:
        """Of the latest step, as (x, None) by name."""
        return {name: (to_host(x), None) for name, x in self._latest.items()}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the inputs of calls inside the ``with``."""
        try:
            for name, model in self._models.items():
                if "call" not in model.__dict__:
                    model.__dict__["call"] = self._kept(model.call, name)
                    self._patched.append(model)
            yield
        finally:
            self._unpatch()

    def stop(self) -> None:
        """Keep nothing more."""
        self._unpatch()
        self._models, self._latest = {}, {}

    def _unpatch(self) -> None:
        for model in self._patched:
            model.__dict__.pop("call", None)
        self._patched.clear()

    def _kept(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(call)
        def kept(*args: Any, **kwargs: Any) -> Any:
            inputs = args[0] if args else next(iter(kwargs.values()), None)
            if name not in self._called and not in_stateless_scope():
                self._guard.run(inputs_of(name), self._keep, name, inputs)
            return call(*args, **kwargs)

        return kept

    def _keep(self, name: str, inputs: Any) -> None:
        if all(keras.ops.is_tensor(each) for each in keras.tree.flatten(inputs) if each is not None):
            self._called.add(name)
            self._latest[name] = keras.tree.map_structure(
                lambda a: None if a is None else a[:SLOTS].detach().clone(), inputs
            )
