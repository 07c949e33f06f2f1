"""Tensors of TensorFlow's graphs."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def computation() -> Any:
    """The graph that is being made."""
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def same_graph(tensor: Any) -> bool:
    """False for a tensor of an inner graph, e.g. a loop over time steps: reading it would fail the whole snapshot."""
    if tf.executing_eagerly():
        return True
    return getattr(tensor, "graph", None) is tf.compat.v1.get_default_graph()
