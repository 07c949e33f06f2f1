"""What depends on Keras' backend, behind one protocol: see :mod:`tb_cnndiag.capture.backends.base`."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any, cast

import keras

from tb_cnndiag.capture.backends.base import Backend


@functools.cache
def backend() -> Backend:
    """The backend that Keras uses; only its module imports TensorFlow, JAX or torch."""
    return cast(Backend, import_module(f"tb_cnndiag.capture.backends.{keras.backend.backend()}"))


def to_host(structure: Any) -> Any:
    """The same structure with a NumPy array for each tensor or variable, in one transfer where the backend can."""
    return backend().to_host(structure)
