"""Norms of the gradients that optimizers of torch or of Keras apply."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from tb_cnndiag.capture.backends.eager import mean_norms
from tb_cnndiag.capture.backends.torch.arrays import to_host
from tb_cnndiag.capture.guard import GRADIENTS, Guard
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import FloatArray

# Steps after which the norms are fetched from the device: they must not pile up.
FETCH = 256


class GradientNorms:
    """The norm of each kernel's gradient in each step.

    Gradients are those of the data loss, without loss scaling and without the regularizer's gradient.
    """

    def __init__(self, layers: Sequence[KernelLayer]) -> None:
        self._layers = list(layers)
        self._rows: dict[int, list[int]] = {}
        for row, layer in enumerate(layers):
            self._rows.setdefault(id(layer.variable), []).append(row)
        self._waiting: list[tuple[list[int], Any]] = []
        self._fetched: list[tuple[FloatArray, FloatArray]] = []
        self._guard = Guard()

    def read(self) -> FloatArray:
        """Mean norm, number of finite and of non-finite steps per kernel since the last call, ``(layers, 3)``."""
        self._fetch()
        found, self._fetched = self._fetched, []
        if not found:
            return np.stack([np.full(len(self._layers), np.nan), *np.zeros((2, len(self._layers)))], axis=1)
        norms, present = zip(*found, strict=True)
        return mean_norms(np.stack(norms), np.stack(present))

    @contextmanager
    def tapped(self, optimizers: Sequence[Any]) -> Iterator[None]:
        """Context in which what these optimizers of Keras apply is measured."""
        try:
            for optimizer in optimizers:
                optimizer.__dict__["apply"] = self._tapped(optimizer, optimizer.apply)
            yield
        finally:
            for optimizer in optimizers:
                optimizer.__dict__.pop("apply", None)

    def add_parameters(self, parameters: Sequence[Any]) -> None:
        """Measure the gradients that torch keeps at these parameters."""
        self._guard.run(GRADIENTS, self._add_parameters, parameters)

    def _add_parameters(self, parameters: Sequence[Any]) -> None:
        known = {id(parameter) for parameter in parameters}
        variables = {id(layer.variable): layer.variable for layer in self._layers}.values()
        mine = [variable for variable in variables if id(variable.value) in known]
        self._add([variable.value.grad for variable in mine], mine)

    def _tapped(self, optimizer: Any, apply: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(apply)
        def tapped(grads: Any, trainable_variables: Any = None) -> Any:
            grads = list(grads)
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
            self._guard.run(GRADIENTS, self._add_applied, optimizer, grads, trainable_variables)
            return apply(grads, trainable_variables=trainable_variables)

        return tapped

    def _add_applied(self, optimizer: Any, grads: Sequence[Any], variables: Sequence[Any] | None) -> None:
        variables = optimizer._trainable_variables if variables is None else variables
        self._add(grads, variables, getattr(optimizer, "loss_scale_factor", None) or 1.0)

    def _add(self, grads: Sequence[Any], variables: Sequence[Any], scale: float = 1.0) -> None:
        rows: list[int] = []
        norms: list[Any] = []
        with torch.no_grad():
            for gradient, variable in zip(grads, variables, strict=False):
                if gradient is not None and id(variable) in self._rows:
                    norm = torch.linalg.vector_norm(_data_gradient(gradient, variable, scale))
                    for row in self._rows[id(variable)]:
                        rows.append(row)
                        norms.append(norm)
            if rows:
                self._waiting.append((rows, torch.stack(norms)))
        if len(self._waiting) >= FETCH:
            self._fetch()

    def _fetch(self) -> None:
        waiting, self._waiting = self._waiting, []
        for (rows, _), values in zip(waiting, to_host([norms for _, norms in waiting]), strict=True):
            norms, present = np.full(len(self._layers), np.nan), np.zeros(len(self._layers))
            norms[rows], present[rows] = values, 1
            self._fetched.append((norms, present))


def _data_gradient(gradient: Any, variable: Any, scale: float) -> Any:
    """The dense float32 gradient minus that of the variable's regularizer."""
    gradient = (gradient.to_dense() if gradient.is_sparse else gradient).detach().float()
    if scale != 1:
        gradient = gradient / scale
    regularizer = getattr(variable, "regularizer", None)
    if regularizer is None:
        return gradient
    with torch.enable_grad():
        value = variable.value.detach().float().requires_grad_()
        penalty = regularizer(value)
        (slope,) = torch.autograd.grad(penalty, [value], allow_unused=True) if penalty.requires_grad else (None,)
    return gradient if slope is None else gradient - slope
