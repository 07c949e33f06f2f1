"""Arrays of JAX."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np
from jax._src import core  # which computation a tracer belongs to has no public place

from tb_cnndiag.capture.layers import is_variable


def to_host(structure: Any) -> Any:
    """Arrays for tensors and variables, fetched together."""
    values = [each.value if is_variable(each) else each for each in keras.tree.flatten(structure)]
    return keras.tree.pack_sequence_as(structure, [np.asarray(each) for each in jax.device_get(values)])


def same_graph(tensor: Any) -> bool:
    """False for a tensor of an inner computation that has ended, such as the body of a loop."""
    if not isinstance(tensor, jax.core.Tracer):
        return True
    trace = core.trace_ctx.trace
    while trace is not None:
        if tensor._trace is trace:
            return True
        trace = getattr(trace, "parent_trace", None)
    return False
