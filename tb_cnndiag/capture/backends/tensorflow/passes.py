"""Passes through a model on TensorFlow: compiled for any number of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from tb_cnndiag.capture.backends.base import Differentiated


def compiled(
    model: Any, function: Callable[[Any, Any], Any], x: Any, samples: int | None
) -> Callable[[Any, bool], Any]:
    """Compiled once, for any number of samples, unless the model must know that number."""
    text = {np.dtype(object): tf.string}
    specs = keras.tree.map_structure(lambda a: tf.TensorSpec((samples, *a.shape[1:]), text.get(a.dtype, a.dtype)), x)
    passed = _as_traced(_compiled_for(_stateless(function), [specs, tf.TensorSpec((), tf.bool)]))
    return lambda x, flag: passed(x, tf.constant(flag))


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

    return _as_traced(tf.function(differentiate, autograph=False, reduce_retracing=True))


def gradients(loss: Callable[[], Any], variables: Sequence[Any]) -> tuple[float, list[Any]]:
    """From a tape; sparse gradients are made dense."""
    with tf.GradientTape() as tape:
        value = loss()
    raw = tape.gradient(value, [variable.value for variable in variables], unconnected_gradients="zero")
    return float(value), [np.asarray(tf.convert_to_tensor(gradient)) for gradient in raw]


def input_gradient(function: Callable[..., tuple[Any, Any]], *, few: bool = False) -> Callable[..., tuple[Any, Any]]:
    """Compiled once for each kind of arguments, for any number of samples, unless the model must know that number.

    Not compiled for ``few`` passes.
    """

    def passed(x: Any, *arguments: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total, more = function(x, *arguments)
        return more, tape.gradient(total, x, unconnected_gradients="zero")

    if few:
        return passed
    known: dict[Any, Callable[..., Any]] = {}

    def measure(*tensors: Any) -> tuple[Any, Any]:
        key = tuple((tensor.shape[1:], tensor.dtype) for tensor in keras.tree.flatten(tensors))
        if key not in known:
            specs = keras.tree.map_structure(lambda t: tf.TensorSpec((None, *t.shape[1:]), t.dtype), tensors)
            known[key] = _compiled_for(passed, specs)
        found: tuple[Any, Any] = known[key](*tensors)
        return found

    return measure


def _compiled_for(passed: Callable[..., Any], specs: Sequence[Any]) -> Callable[..., Any]:
    """Compiled for arguments of these specs; anew for each other size if the model must know the number of samples."""
    try:
        return tf.function(passed, autograph=False, input_signature=specs).get_concrete_function()  # type: ignore[no-any-return]
    except (TypeError, ValueError):
        return tf.function(passed, autograph=False, reduce_retracing=True)  # type: ignore[no-any-return]


def _stateless(function: Callable[..., Any]) -> Callable[..., Any]:
    def passed(*arguments: Any) -> Any:
        with keras.StatelessScope():
            return function(*arguments)

    return passed


def _as_traced(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, its graph not optimized: for a pass that runs a few times, that takes longer than it saves."""

    def run(*arguments: Any) -> Any:
        with _not_optimized():
            return function(*arguments)

    return run


@contextmanager
def _not_optimized() -> Iterator[None]:
    """Functions that this thread calls inside the ``with`` run as they were traced; other threads are not concerned."""
    here = context.context()
    before = here.function_call_options
    config = tf.compat.v1.ConfigProto.FromString(before.config_proto_serialized)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    here.function_call_options = context.FunctionCallOptions(before.executor_type, config)
    try:
        yield
    finally:
        here.function_call_options = before
