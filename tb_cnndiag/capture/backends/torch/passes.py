"""Passes through a model on torch: operation by operation, without a graph of gradients where none is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import torch

from tb_cnndiag.capture.backends.base import Differentiated, blank_shape
from tb_cnndiag.capture.backends.torch.arrays import to_host


def compiled(
    model: Any, function: Callable[[Any, Any], Any], x: Any, samples: int | None
) -> Callable[[Any, bool], Any]:
    """Not compiled: see the docs on what Keras does on torch."""

    def passed(x: Any, flag: bool) -> Any:
        with torch.no_grad(), keras.StatelessScope():
            return function(x, flag)

    return passed


def trace(model: Any, function: Callable[[Any], Any], inputs: Sequence[Any]) -> None:
    """Run on zeros."""
    zeros = [np.zeros(blank_shape(tensor), tensor.dtype) for tensor in inputs]
    with torch.no_grad(), keras.StatelessScope():
        function(zeros[0] if len(zeros) == 1 else zeros)


def differentiated(model: Any, variables: Sequence[Any], loss: Callable[[Any, Any], Any]) -> Differentiated:
    """Leaves the variables' own ``grad`` alone."""

    def differentiate(x: Any, y: Any) -> tuple[list[Any], Any, Any]:
        with keras.StatelessScope():
            _, raw = _gradients(lambda: loss(x, y), variables)
        found = [gradient.float() for gradient in raw]
        norms = torch.stack([torch.linalg.vector_norm(g) for g in found])
        return found, norms, torch.stack([(g == 0).float().mean() for g in found])

    return differentiate


def gradients(loss: Callable[[], Any], variables: Sequence[Any]) -> tuple[float, list[Any]]:
    """From the graph of the loss."""
    value, found = _gradients(loss, variables)
    return float(to_host(value)), to_host(found)


def input_gradient(function: Callable[..., tuple[Any, Any]], *, few: bool = False) -> Callable[..., tuple[Any, Any]]:
    """Not compiled."""

    def passed(x: Any, *arguments: Any) -> tuple[Any, Any]:
        with torch.enable_grad():
            x = x.detach().clone().requires_grad_(True)
            total, more = function(x, *arguments)
            (gradient,) = torch.autograd.grad(total, x, allow_unused=True)
        more = keras.tree.map_structure(lambda a: a.detach(), more)
        return more, torch.zeros_like(x) if gradient is None else gradient

    return passed


def _gradients(loss: Callable[[], Any], variables: Sequence[Any]) -> tuple[Any, list[Any]]:
    values = [variable.value for variable in variables]
    with torch.enable_grad():
        result = loss()
        found = torch.autograd.grad(result, values, allow_unused=True)
    pairs = zip(found, values, strict=True)
    return result.detach(), [torch.zeros_like(v) if g is None else g for g, v in pairs]
