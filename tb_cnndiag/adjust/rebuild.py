"""A model anew, with some of its layers changed, preceded or followed by others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

Pieces = Callable[[Any], Sequence[Any]]
"""A layer → the layers that take its place, in order."""


_FUNCTIONS = ("activation", "initializer", "regularizer", "constraint")


class RebuildError(ValueError):
    """The model cannot be rebuilt; the message says why."""


def rebuild(model: Any, pieces: Pieces) -> Any:
    """A new Sequential or Functional model in which each layer is what ``pieces`` says; its weights are new.

    Raises:
        RebuildError: When the model is written as a class, so that its layers cannot be exchanged.
    """
    made: dict[int, Sequence[Any]] = {}

    def replaced(layer: Any) -> Sequence[Any]:
        if id(layer) not in made:
            made[id(layer)] = [rebuild(layer, pieces)] if isinstance(layer, keras.Model) else pieces(layer)
        return made[id(layer)]

    if isinstance(model, keras.Sequential):
        stack = [piece for layer in model.layers for piece in replaced(layer)]
        return keras.Sequential(
            [keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype), *stack], name=model.name
        )
    if not _is_functional(model):
        raise RebuildError(f"{model.name} is written as a class: change its code")

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        for piece in replaced(layer) if isinstance(layer, keras.layers.Layer) else [layer]:
            # What the graph hands on beside the inputs (mask, training) is meant for a layer of this kind.
            args = (piece(*args, **(kwargs if isinstance(piece, type(layer)) else {})),)
        return args[0]

    inputs = keras.tree.map_structure(
        lambda t: keras.Input(batch_shape=t.shape, dtype=t.dtype, name=t._keras_history.operation.name),
        model._inputs_struct,
    )
    outputs = model._run_through_graph(inputs, operation_fn=lambda operation: _caller(call, operation))
    return keras.Model(inputs, outputs, name=model.name)


def _caller(call: Callable[..., Any], operation: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: call(operation, *args, **kwargs)


def _is_functional(model: Any) -> bool:
    return type(model).__name__ == "Functional" or (type(model) is keras.Model and bool(model.inputs))


def copy(layer: Any, **changed: Any) -> Any:
    """A layer of the same config but for what is changed; without weights."""
    config = layer.get_config()
    # Functions of the user's own are written into a config by name only: hand them on as they are.
    own = {
        key: getattr(layer, key)
        for key, value in config.items()
        if key.endswith(_FUNCTIONS) and isinstance(value, dict) and value.get("class_name") == "function"
    }
    return type(layer).from_config(config | own | changed)


def keep_weights(old: Any, new: Any) -> None:
    """Give layers of ``new`` the weights of those of the same name in ``old``, where shapes allow."""
    before = {layer.name: layer for layer in old._flatten_layers(include_self=False)}
    for layer in new._flatten_layers(include_self=False):
        was = before.get(layer.name)
        if was is not None and [w.shape for w in was.weights] == [w.shape for w in layer.weights]:
            layer.set_weights(was.get_weights())
