"""The JAX backend; see :class:`tb_cnndiag.capture.backends.base.Backend`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp

from tb_cnndiag.capture.backends.jax.arrays import computation, to_host
from tb_cnndiag.capture.backends.jax.loop import TappedLoop
from tb_cnndiag.capture.backends.jax.passes import compiled, differentiated, gradients, input_gradient, trace
from tb_cnndiag.capture.backends.jax.taps import TappedTraining
from tb_cnndiag.capture.layers import KernelLayer

# For a VGG-like network; XLA mostly takes longer.
compilation_per_layer = 0.03

__all__ = [
    "compilation_per_layer",
    "compiled",
    "computation",
    "constant_value",
    "differentiated",
    "every",
    "first_maximum",
    "gradients",
    "in_one_piece",
    "input_gradient",
    "random_state",
    "search_if",
    "shared",
    "spans_machines",
    "tap_fit",
    "tap_loop",
    "to_host",
    "trace",
    "writes_the_log",
]


def constant_value(tensor: Any) -> Any:
    """None: JAX keeps no graph of the operations between layers."""
    return None


def every(x: Any, step: int) -> Any:
    """A slice."""
    return x[::step]


def first_maximum(values: Any, indices: Any) -> Any:
    """The indices are known to be within bounds."""
    return jnp.argmax(values.at[indices].get(mode="promise_in_bounds"), axis=-1).astype("int32")


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """As it is: XLA puts calls in line."""
    return function


def search_if(wanted: Any, search: Callable[[Any, Any], Any], maxima: Any, most: int) -> Any:
    """A choice: numbers of samples are fixed."""
    blank = (maxima.shape[1], most, 3)
    return jax.lax.cond(wanted, lambda: search(maxima, most), lambda: jnp.zeros(blank, "float32"))


def tap_fit(
    model: Any,
    layers: Sequence[KernelLayer],
    *,
    collect: bool,
    parts: Mapping[str, Any],
    charged: Callable[..., AbstractContextManager[None]],
) -> TappedTraining:
    """Taps next to the train step: some steps are taken twice, once without effect."""
    return TappedTraining(model, layers, parts if collect else {}, charged)


def tap_loop(
    models: Sequence[Any], layers: Sequence[KernelLayer], optimizers: Sequence[Any], parts: Mapping[str, Any]
) -> TappedLoop:
    """What the loop hands over."""
    return TappedLoop(models, layers, parts)


def in_one_piece(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled: each operation by itself would take longer to compile."""
    compiled_function: Callable[..., Any] = jax.jit(function)
    return compiled_function


def random_state() -> Callable[[], None]:
    """JAX has none: Keras keeps its seeds in variables."""
    return lambda: None


def spans_machines(model: Any) -> bool:
    """Whether several processes train the model together."""
    return int(jax.process_count()) > 1


def writes_the_log(model: Any) -> bool:
    """The first process."""
    return int(jax.process_index()) == 0
