"""Gradients with respect to an input: the only code of this package that differs between backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.payloads import FloatArray


class Differentiated(Protocol):
    """Takes arrays; returns what the function returned besides the total, and the total's gradient by ``x``."""

    def __call__(self, x: FloatArray, *arguments: Any) -> tuple[Any, FloatArray]:
        """What the function returned besides the total, and the gradient, as arrays."""


def differentiated(function: Callable[..., tuple[Any, Any]]) -> Differentiated:
    """The gradient of ``function(x, *arguments) → (total, more)`` by ``x``, compiled where the backend compiles.

    A compiled pass leaves out what the total does not depend on, so a model is cut behind the layer that is used.
    """
    passed = _PASSES[keras.backend.backend()](function)

    def measure(x: FloatArray, *arguments: Any) -> tuple[Any, FloatArray]:
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, arguments)
        more, gradient = passed(keras.ops.convert_to_tensor(x), *tensors)
        found: tuple[Any, FloatArray] = to_host((more, gradient))
        return found

    return measure


def _tensorflow(function: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    import tensorflow as tf

    def passed(x: Any, *arguments: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total, more = function(x, *arguments)
        return more, tape.gradient(total, x, unconnected_gradients="zero")

    compiled: dict[Any, Any] = {}

    def measure(*tensors: Any) -> tuple[Any, Any]:
        """The pass for any number of samples; it is compiled for just this number if the model needs to know it."""
        flat = keras.tree.flatten(tensors)
        key = tuple((tensor.shape[1:], tensor.dtype) for tensor in flat)
        if key not in compiled:
            specs = keras.tree.map_structure(lambda t: tf.TensorSpec((None, *t.shape[1:]), t.dtype), tensors)
            try:
                compiled[key] = tf.function(passed, autograph=False, input_signature=specs).get_concrete_function()
            except (TypeError, ValueError):
                compiled[key] = tf.function(passed, autograph=False, reduce_retracing=True)
        found: tuple[Any, Any] = compiled[key](*tensors)
        return found

    return measure


def _jax(function: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    import jax

    passed = jax.jit(jax.value_and_grad(function, has_aux=True))

    def measure(x: Any, *arguments: Any) -> tuple[Any, Any]:
        (_, more), gradient = passed(x, *arguments)
        return more, gradient

    return measure


def _torch(function: Callable[..., tuple[Any, Any]]) -> Callable[..., tuple[Any, Any]]:
    import torch

    def passed(x: Any, *arguments: Any) -> tuple[Any, Any]:
        with torch.enable_grad():
            x = x.detach().clone().requires_grad_(True)
            total, more = function(x, *arguments)
            (gradient,) = torch.autograd.grad(total, x, allow_unused=True)
        return keras.tree.map_structure(lambda a: a.detach(), more), torch.zeros_like(
            x
        ) if gradient is None else gradient

    return passed


_PASSES = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
