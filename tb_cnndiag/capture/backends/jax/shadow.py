"""The shadow step: the model's own train step, taken once more on the same state and batch, and without effect.

The training's executable is not touched, so it computes what it would compute alone. The shadow is a program of its own
that returns only norms of gradients and which units fired; XLA leaves out the update that nothing reads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from tb_cnndiag.capture.backends.eager import units_that_fire
from tb_cnndiag.capture.backends.jax.calls import KeptCalls
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.optimizers import inner_optimizer, outer_optimizers
from tb_cnndiag.capture.recorder import recording


class ShadowStep:
    """Computes what a train step would, from the state before it."""

    def __init__(self, model: Any, layers: Sequence[KernelLayer], parts: Mapping[str, Any]) -> None:
        """``parts``: Models by name whose own inputs are kept."""
        self.calls = KeptCalls(parts)
        self.compiled = False
        """Whether a step was taken."""
        self._model = model
        self._layers = list(layers)
        self._rows: dict[int, list[int]] = {}
        for row, layer in enumerate(layers):
            self._rows.setdefault(id(layer.variable), []).append(row)
        self._compiled = self._shadow if model.run_eagerly else jax.jit(self._shadow)

    def __call__(self, state: Any, data: Any) -> tuple[Any, Any, dict[int, Any]]:
        """Norm of each kernel's gradient, 1 where there is one, both ``(layers,)``; and the units that fired, by row.

        The gradients are those of the data loss, without loss scaling and without the regularizer's gradient.
        """
        result: tuple[Any, Any, dict[int, Any]] = self._compiled(state, data)
        for array in jax.tree.leaves(result):
            array.block_until_ready()
        self.compiled = True
        return result

    def _shadow(self, state: Any, data: Any) -> tuple[Any, Any, dict[int, Any]]:
        taken: list[tuple[Any, Sequence[Any], Sequence[Any], Sequence[Any]]] = []
        with self._patched(taken), self.calls.kept():
            _, after = self._model.train_step(state, data)
        rest = list(after[1]) if isinstance(after, tuple) and len(after) > 1 else []
        fired = rest[-1] if rest and isinstance(rest[-1], dict) else {}
        norms, present = self._norms(taken)
        return norms, present, fired

    @contextmanager
    def _patched(self, taken: list[tuple[Any, Sequence[Any], Sequence[Any], Sequence[Any]]]) -> Iterator[None]:
        optimizers = outer_optimizers(self._model)
        try:
            for optimizer in optimizers:
                optimizer.__dict__["stateless_apply"] = self._tapped(optimizer, taken)
            self._model.__dict__["compute_loss_and_updates"] = self._observed(self._model.compute_loss_and_updates)
            yield
        finally:
            self._model.__dict__.pop("compute_loss_and_updates", None)
            for optimizer in optimizers:
                optimizer.__dict__.pop("stateless_apply", None)

    def _tapped(self, optimizer: Any, taken: list[Any]) -> Callable[..., Any]:
        apply = optimizer.stateless_apply

        @functools.wraps(apply)
        def tapped(optimizer_variables: Any, grads: Any, trainable_variables: Any) -> Any:
            taken.append((optimizer, list(grads), list(trainable_variables), list(optimizer_variables)))
            return apply(optimizer_variables, grads, trainable_variables)

        return tapped

    def _observed(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        """Hand the units that fired out of the differentiated function, as one more non-trainable variable."""

        @functools.wraps(compute)
        def observed(*args: Any, **kwargs: Any) -> Any:
            with recording(self._model) as record:
                loss, (unscaled, y_pred, variables, metrics) = compute(*args, **kwargs)
            fired = units_that_fire(record, self._layers)
            return loss, (unscaled, y_pred, [*variables, fired], metrics)

        return observed

    def _norms(self, taken: Sequence[tuple[Any, Any, Any, Any]]) -> tuple[Any, Any]:
        norms: list[Any] = [jnp.nan] * len(self._layers)
        present: list[Any] = [0.0] * len(self._layers)
        for optimizer, grads, values, state in taken:
            scale, skipped = _scale(optimizer, state), _skips(optimizer, grads)
            for variable, gradient, value in zip(
                inner_optimizer(optimizer)._trainable_variables, grads, values, strict=False
            ):
                for row in self._rows.get(id(variable), ()):
                    if gradient is not None:
                        norms[row] = jnp.linalg.norm(data_gradient(gradient / scale, variable, value).reshape(-1))
                        present[row] = 1.0 - skipped
        return jnp.stack([jnp.asarray(n, "float32") for n in norms]), jnp.stack([jnp.asarray(p) for p in present])


def _scale(optimizer: Any, state: Sequence[Any]) -> Any:
    """What the loss was multiplied with."""
    dynamic = getattr(optimizer, "dynamic_scale", None)
    if dynamic is not None:
        return next(value for own, value in zip(optimizer.variables, state, strict=False) if own is dynamic)
    return getattr(optimizer, "loss_scale_factor", None) or 1.0


def _skips(optimizer: Any, grads: Sequence[Any]) -> Any:
    """1 if an optimizer that scales the loss applies nothing, because a gradient overflowed; else 0."""
    if not hasattr(optimizer, "dynamic_scale"):
        return 0.0
    finite = [jnp.all(jnp.isfinite(gradient)) for gradient in grads if gradient is not None]
    return 1.0 - jnp.asarray(jnp.all(jnp.stack(finite)), "float32")


def data_gradient(gradient: Any, variable: Any, value: Any) -> Any:
    """The float32 gradient minus that of the variable's regularizer."""
    gradient = jnp.asarray(gradient, "float32")
    regularizer = getattr(variable, "regularizer", None)
    if regularizer is None:
        return gradient
    return gradient - jax.grad(lambda v: jnp.asarray(regularizer(v), "float32").sum())(jnp.asarray(value, "float32"))
