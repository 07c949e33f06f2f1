"""Taps of a hand-written loop on JAX: what the loop hands over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import keras
import numpy as np

from tb_cnndiag.capture.backends.base import NoTaps
from tb_cnndiag.capture.backends.eager import NormLog, first_samples
from tb_cnndiag.capture.backends.jax.arrays import to_host
from tb_cnndiag.capture.backends.jax.shadow import data_gradient
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import FloatArray


class TappedLoop(NoTaps):
    """Gradients and state of a loop whose step JAX compiles: nothing in it can be read from outside."""

    not_collected = (
        "a step that JAX compiles does not show what it calls a model with, and the loop has not handed that to "
        "watched.step(batch=…)"
    )

    def __init__(self, models: Sequence[Any], layers: Sequence[KernelLayer], parts: Mapping[str, Any]) -> None:
        """``parts``: Models by name for which a probe is collected."""
        self._parts = set(parts)
        self._trainable = [variable for model in models for variable in model.trainable_variables]
        self._others = [variable for model in models for variable in model.non_trainable_variables]
        self._rows: dict[int, list[int]] = {}
        for row, layer in enumerate(layers):
            self._rows.setdefault(id(layer.variable), []).append(row)
        self._layers = len(layers)
        self._norms = NormLog()
        self._state: Any = None
        self._batch: Mapping[str, Any] = {}

    def after_step(self, gradients: Any, state: Any, batch: Mapping[str, Any]) -> None:
        """Keep the norms of these gradients, and the state and the batch until they are needed."""
        self._state = state
        self._batch = {name: pair for name, pair in batch.items() if name in self._parts}
        if gradients is not None:
            self._norms.add(*self._norms_of(keras.tree.flatten(gradients)))

    def sync(self) -> None:
        """Copy the state into the models; the loop may donate its own arrays to the next step."""
        state, self._state = self._state, None
        if state is None:
            return
        for variables, values in zip((self._trainable, self._others), state, strict=False):
            values = keras.tree.flatten(values)
            if len(values) != len(variables):
                raise ValueError(f"The state has {len(values)} values for {len(variables)} variables.")
            for variable, value in zip(variables, values, strict=True):
                variable.assign(jnp.array(value, copy=True))

    def batch(self) -> dict[str, Any]:
        """What the loop handed over with the latest step."""
        taken = keras.tree.map_structure(lambda a: None if a is None else to_host(a), first_samples(self._batch))
        return dict(taken)

    def stop_collecting(self) -> None:
        """What the loop hands over is not kept any more."""
        self._parts, self._batch = set(), {}

    def gradients(self) -> FloatArray | None:
        """Of the steps whose gradients were handed over."""
        return self._norms.read(to_host)

    def stop(self) -> None:
        """Nothing was patched."""

    def _norms_of(self, gradients: Sequence[Any]) -> tuple[Any, Any]:
        if len(gradients) != len(self._trainable):
            raise ValueError(f"There are {len(gradients)} gradients for {len(self._trainable)} variables.")
        norms: list[Any] = [jnp.nan] * self._layers
        present = np.zeros(self._layers)
        for variable, gradient in zip(self._trainable, gradients, strict=True):
            for row in self._rows.get(id(variable), ()):
                value = variable.value
                norms[row] = jnp.linalg.norm(data_gradient(gradient, variable, value).reshape(-1))
                present[row] = 1
        return jnp.stack([jnp.asarray(n, "float32") for n in norms]), present
