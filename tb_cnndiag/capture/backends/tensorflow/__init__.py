"""The TensorFlow backend; see :class:`tb_cnndiag.capture.backends.base.Backend`."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.ops import stateful_random_ops

from tb_cnndiag.capture.backends.tensorflow.arrays import to_host
from tb_cnndiag.capture.backends.tensorflow.distribution import spans_machines, writes_the_log
from tb_cnndiag.capture.backends.tensorflow.graph import computation
from tb_cnndiag.capture.backends.tensorflow.loop import TappedLoop
from tb_cnndiag.capture.backends.tensorflow.passes import compiled, differentiated, gradients, input_gradient, trace
from tb_cnndiag.capture.backends.tensorflow.taps import TappedTraining
from tb_cnndiag.capture.layers import KernelLayer

# A seed that no user is likely to have.
OTHER_SEED = 0x5EED_0F_D1A6

# For 401 convolutions of one kind.
compilation_per_layer = 0.01

__all__ = [
    "compilation_per_layer",
    "compiled",
    "computation",
    "constant_value",
    "differentiated",
    "every",
    "first_maximum",
    "gradients",
    "in_one_piece",
    "input_gradient",
    "random_state",
    "search_if",
    "shared",
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


def every(x: Any, step: int) -> Any:
    """Slices with a step take ten times as long."""
    return tf.gather(x, tf.range(0, tf.shape(x)[0], step)) if step > 1 else x


def first_maximum(values: Any, indices: Any) -> Any:
    """``keras.ops`` takes five times as many operations."""
    return tf.argmax(tf.gather(values, indices), axis=-1, output_type=tf.int32)


@functools.lru_cache(maxsize=256)
def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """A call in the graph, which is not put in line: a graph of a large network takes longer to make than to run."""
    return tf.function(function, autograph=False, experimental_attributes={"_noinline": True})  # type: ignore[no-any-return]


def search_if(wanted: Any, search: Callable[[Any, Any], Any], maxima: Any, most: int) -> Any:
    """A search of no samples for nothing, if it is not wanted: a choice takes much longer to make."""
    some = tf.cast(wanted, tf.int32)
    return search(maxima[: some * tf.shape(maxima)[0]], some * most)


def tap_fit(
    model: Any,
    layers: Sequence[KernelLayer],
    *,
    collect: bool,
    parts: Mapping[str, Any],
    charged: Callable[..., AbstractContextManager[None]],
) -> TappedTraining:
    """Taps inside the train step that Keras compiles."""
    return TappedTraining(model, layers, collect=collect, parts=parts)


def tap_loop(
    models: Sequence[Any], layers: Sequence[KernelLayer], optimizers: Sequence[Any], parts: Mapping[str, Any]
) -> TappedLoop:
    """Taps inside the optimizers and models, which the loop may compile."""
    return TappedLoop(models, layers, optimizers, parts)


def in_one_piece(function: Callable[..., Any]) -> Callable[..., Any]:
    """Operations run at once."""
    return function


def random_state() -> Callable[[], None]:
    """The generator of seeds for operations without one, and the global ``tf.random.Generator``.

    Until they are restored, another seed is in use: an eager operation goes on where the last one with its seeds ended.
    """
    eager, drawn = context.context(), stateful_random_ops.global_generator
    before = {name: vars(eager)[name] for name in ("_seed", "_rng") if name in vars(eager)}
    numbers = to_host(drawn.state) if drawn is not None else None
    if len(before) == 2:
        eager._seed, eager._rng = OTHER_SEED, random.Random(OTHER_SEED)

    def restore() -> None:
        vars(eager).update(before)
        stateful_random_ops.global_generator = drawn
        if drawn is not None:
            drawn.state.assign(numbers)

    return restore
