"""Passes through a model on JAX: compiled, with the values of its variables as arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from tb_cnndiag.capture.backends.base import Differentiated, blank_shape
from tb_cnndiag.capture.backends.jax.arrays import to_host

# What JAX raises if a model needs values where a compiled function has none.
NEEDS_VALUES = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.NonConcreteBooleanIndexError,
)


def compiled(
    model: Any, function: Callable[[Any, Any], Any], x: Any, samples: int | None
) -> Callable[[Any, bool], Any]:
    """Compiled for each number of samples; a model that cannot be compiled is called operation by operation."""
    variables = _state(model)

    def passed(values: Sequence[Any], x: Any, flag: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(x, flag)

    fast = jax.jit(passed)
    failed = any(array.dtype.kind in "OSU" for array in keras.tree.flatten(x))

    def call(x: Any, flag: bool) -> Any:
        nonlocal failed
        values = [variable.value for variable in variables]
        if not failed:
            try:
                return fast(values, x, flag)
            except NEEDS_VALUES:
                failed = True
        return passed(values, x, flag)

    return call


def trace(model: Any, function: Callable[[Any], Any], inputs: Sequence[Any]) -> None:
    """Trace a computation that never runs."""
    given = [jax.ShapeDtypeStruct(blank_shape(tensor), tensor.dtype) for tensor in inputs]
    variables = _state(model)

    def passed(values: Sequence[Any], x: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(x)

    jax.eval_shape(passed, [variable.value for variable in variables], given[0] if len(given) == 1 else given)


def differentiated(model: Any, variables: Sequence[Any], loss: Callable[[Any, Any], Any]) -> Differentiated:
    """Compiled for each number of samples."""
    own = {id(variable) for variable in variables}
    others = [variable for variable in _state(model) if id(variable) not in own]

    def differentiate(values: Sequence[Any], rest: Sequence[Any], x: Any, y: Any) -> Any:
        def value(values: Sequence[Any]) -> Any:
            known = [*zip(variables, values, strict=True), *zip(others, rest, strict=True)]
            with keras.StatelessScope(state_mapping=known):
                return loss(x, y)

        found = [jnp.asarray(gradient, "float32") for gradient in jax.grad(value)(values)]
        norms = jnp.stack([jnp.linalg.norm(g.reshape(-1)) for g in found])
        return found, norms, jnp.stack([jnp.mean(g == 0) for g in found])

    fast = jax.jit(differentiate)

    def call(x: Any, y: Any) -> tuple[list[Any], Any, Any]:
        found, norms, zeros = fast([v.value for v in variables], [v.value for v in others], x, y)
        return found, norms, zeros

    return call


def gradients(loss: Callable[[], Any], variables: Sequence[Any]) -> tuple[float, list[Any]]:
    """From a function of the variables' values."""

    def value(values: Sequence[Any]) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return loss()

    found, slopes = jax.value_and_grad(value)([variable.value for variable in variables])
    return float(to_host(found)), [np.asarray(slope) for slope in to_host(slopes)]


def input_gradient(function: Callable[..., tuple[Any, Any]], *, few: bool = False) -> Callable[..., tuple[Any, Any]]:
    """Compiled for each number of samples; each operation alone, as for ``few`` passes, would take longer."""
    passed = jax.jit(jax.value_and_grad(function, has_aux=True))

    def measure(x: Any, *arguments: Any) -> tuple[Any, Any]:
        (_, more), gradient = passed(x, *arguments)
        return more, gradient

    return measure


def _state(model: Any) -> list[Any]:
    """The variables that a pass through the model reads, in an order that stays."""
    return [*model.trainable_variables, *model.non_trainable_variables]
