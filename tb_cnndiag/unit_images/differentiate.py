"""Gradients with respect to an input, from arrays to arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.payloads import FloatArray


class Differentiated(Protocol):
    """Takes arrays; returns what the function returned besides the total, and the total's gradient by ``x``."""

    def __call__(self, x: FloatArray, *arguments: Any) -> tuple[Any, FloatArray]:
        """What the function returned besides the total, and the gradient, as arrays."""


def differentiated(function: Callable[..., tuple[Any, Any]], *, few: bool = False) -> Differentiated:
    """The gradient of ``function(x, *arguments) → (total, more)`` by ``x``, for many or ``few`` passes."""
    passed = backend().input_gradient(function, few=few)

    def measure(x: FloatArray, *arguments: Any) -> tuple[Any, FloatArray]:
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, (x, *arguments))
        found: tuple[Any, FloatArray] = to_host(passed(*tensors))
        return found

    return measure
