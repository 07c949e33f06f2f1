"""Arrays of JAX."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np

from tb_cnndiag.capture.layers import is_variable

try:
    from jax.extend.core import get_opaque_trace_state
except ImportError:  # before JAX 0.10
    from jax.core import get_opaque_trace_state


def to_host(structure: Any) -> Any:
    """Arrays for tensors and variables, fetched together."""
    values = [each.value if is_variable(each) else each for each in keras.tree.flatten(structure)]
    return keras.tree.pack_sequence_as(structure, [np.asarray(each) for each in jax.device_get(values)])


def computation() -> Any:
    """The trace that is being made."""
    return get_opaque_trace_state(convention="flax")  # an argument that old versions want and new ones ignore
