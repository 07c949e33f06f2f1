"""The TensorFlow backend; see :class:`tb_cnndiag.capture.backends.base.Backend`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from tb_cnndiag.capture.backends.base import Differentiated
from tb_cnndiag.capture.backends.tensorflow.arrays import to_host
from tb_cnndiag.capture.backends.tensorflow.distribution import replicas, spans_machines, writes_the_log
from tb_cnndiag.capture.backends.tensorflow.graph import same_graph
from tb_cnndiag.capture.backends.tensorflow.loop import TappedLoop
from tb_cnndiag.capture.backends.tensorflow.taps import TappedTraining
from tb_cnndiag.capture.layers import KernelLayer

__all__ = [
    "compiled",
    "constant_value",
    "differentiated",
    "gradients",
    "random_state",
    "replicas",
    "same_graph",
    "spans_machines",
    "tap_fit",
    "tap_loop",
    "to_host",
    "trace",
    "writes_the_log",
]


def constant_value(tensor: Any) -> Any:
    """The value of a constant of the graph; None if it has none."""
    return tf.get_static_value(tensor)


def compiled(model: Any, function: Callable[[Any], Any], x: Any, samples: int | None) -> Callable[[Any], Any]:
    """Compiled once, for any number of samples, unless the model must know that number."""
    text = {np.dtype(object): tf.string}
    specs = keras.tree.map_structure(lambda a: tf.TensorSpec((samples, *a.shape[1:]), text.get(a.dtype, a.dtype)), x)
    passed = _stateless(function)
    try:
        return tf.function(passed, autograph=False, input_signature=[specs]).get_concrete_function()  # type: ignore[no-any-return]
    except (TypeError, ValueError):  # a model may need to know the number of samples
        return tf.function(passed, autograph=False, reduce_retracing=True)  # type: ignore[no-any-return]


def trace(model: Any, function: Callable[[Any], Any], inputs: Sequence[Any]) -> None:
    """Trace a graph that never runs."""
    given = [tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype) for tensor in inputs]
    passed = tf.function(_stateless(function), autograph=False)
    passed.get_concrete_function(given[0] if len(given) == 1 else given)


def differentiated(model: Any, variables: Sequence[Any], loss: Callable[[Any, Any], Any]) -> Differentiated:
    """Compiled for any number of samples."""

    def differentiate(x: Any, y: Any) -> tuple[list[Any], Any, Any]:
        with keras.StatelessScope(), tf.GradientTape() as tape:
            value = loss(x, y)
        raw = tape.gradient(value, [variable.value for variable in variables], unconnected_gradients="zero")
        found = [tf.cast(gradient, tf.float32) for gradient in raw]
        norms = tf.stack([tf.norm(g) for g in found])
        zeros = tf.stack([tf.reduce_mean(tf.cast(tf.equal(g, 0), tf.float32)) for g in found])
        return found, norms, zeros

    return tf.function(differentiate, autograph=False, reduce_retracing=True)  # type: ignore[no-any-return]


def gradients(loss: Callable[[], Any], variables: Sequence[Any]) -> tuple[float, list[Any]]:
    """From a tape; sparse gradients are made dense."""
    with tf.GradientTape() as tape:
        value = loss()
    raw = tape.gradient(value, [variable.value for variable in variables], unconnected_gradients="zero")
    return float(value), [np.asarray(tf.convert_to_tensor(gradient)) for gradient in raw]


def tap_fit(
    model: Any,
    layers: Sequence[KernelLayer],
    *,
    collect: bool,
    parts: Mapping[str, Any],
    charged: Callable[[], AbstractContextManager[None]],
) -> TappedTraining:
    """Taps inside the train step that Keras compiles."""
    return TappedTraining(model, layers, collect=collect, parts=parts)


def tap_loop(
    models: Sequence[Any], layers: Sequence[KernelLayer], optimizers: Sequence[Any], parts: Mapping[str, Any]
) -> TappedLoop:
    """Taps inside the optimizers and models, which the loop may compile."""
    return TappedLoop(models, layers, optimizers, parts)


def random_state() -> Callable[[], None]:
    """The generator of seeds for operations without one."""
    generator = getattr(context.context(), "_rng", None)
    if generator is None:
        return lambda: None
    state = generator.getstate()
    return lambda: generator.setstate(state)


def _stateless(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def passed(x: Any) -> Any:
        with keras.StatelessScope():
            return function(x)

    return passed
