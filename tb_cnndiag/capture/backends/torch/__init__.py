"""The torch backend; see :class:`tb_cnndiag.capture.backends.base.Backend`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from tb_cnndiag.capture.backends.torch.arrays import to_host
from tb_cnndiag.capture.backends.torch.passes import compiled, differentiated, gradients, input_gradient, trace
from tb_cnndiag.capture.backends.torch.taps import TappedLoop, TappedTraining
from tb_cnndiag.capture.layers import KernelLayer

# Nothing is compiled.
compilation_per_layer = 0.0

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


def computation() -> Any:
    """None: operations run at once."""
    return None


def constant_value(tensor: Any) -> Any:
    """None: torch keeps no graph of the operations between layers."""
    return None


def every(x: Any, step: int) -> Any:
    """A view."""
    return x[::step]


def first_maximum(values: Any, indices: Any) -> Any:
    """Of equal values, torch takes the first."""
    return torch.argmax(values[indices], dim=-1).int()


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """As it is: there is no graph."""
    return function


def search_if(wanted: Any, search: Callable[[Any, Any], Any], maxima: Any, most: int) -> Any:
    """Run, or not."""
    return search(maxima, most) if wanted else torch.zeros(maxima.shape[1], most, 3)


def tap_fit(
    model: Any,
    layers: Sequence[KernelLayer],
    *,
    collect: bool,
    parts: Mapping[str, Any],
    charged: Callable[..., AbstractContextManager[None]],
) -> TappedTraining:
    """Taps inside the train step, which runs operation by operation."""
    return TappedTraining(model, layers, parts if collect else {})


def tap_loop(
    models: Sequence[Any], layers: Sequence[KernelLayer], optimizers: Sequence[Any], parts: Mapping[str, Any]
) -> TappedLoop:
    """Taps inside the optimizers, of Keras or of torch, and the models."""
    return TappedLoop(layers, optimizers, parts)


def in_one_piece(function: Callable[..., Any]) -> Callable[..., Any]:
    """Operations run at once."""
    return function


def random_state() -> Callable[[], None]:
    """The state of torch's default generator."""
    state = torch.get_rng_state()
    return lambda: torch.set_rng_state(state)


def spans_machines(model: Any) -> bool:
    """Whether several processes train the model together."""
    return _distributed() and torch.distributed.get_world_size() > 1


def writes_the_log(model: Any) -> bool:
    """The first process."""
    return not _distributed() or torch.distributed.get_rank() == 0


def _distributed() -> bool:
    return bool(torch.distributed.is_available() and torch.distributed.is_initialized())
