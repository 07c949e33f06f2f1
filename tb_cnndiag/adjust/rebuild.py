"""A new model with the graph of another, in which layers are changed, or have new layers before or after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras

_FUNCTIONS = ("activation", "initializer", "regularizer", "constraint")


class RebuildError(ValueError):
    """The model cannot be rebuilt; the message says why."""


@dataclass(frozen=True)
class Replacement:
    """What takes the place of a layer: another layer, and new ones before and after it."""

    layer: Any
    before: tuple[Any, ...] = ()
    after: tuple[Any, ...] = ()


class Rebuilt(NamedTuple):
    """A new model, and each layer of the old one with the layer that took its place; nested models are opened."""

    model: Any
    layers: tuple[tuple[Any, Any], ...]


def layers_of(model: Any, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, layer, model that the layer is called in) of all layers that :func:`rebuild` can replace, once each.

    Paths are those of findings: names joined by ``/``, without the name of ``model``.
    """
    seen: set[int] = set()

    def within(model: Any, prefix: str) -> Iterator[tuple[str, Any, Any]]:
        for layer in model.layers:
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            if isinstance(layer, keras.Model):
                yield from within(layer, f"{prefix}{layer.name}/")
            else:
                yield f"{prefix}{layer.name}", layer, model

    yield from within(model, prefix)


def rebuild(model: Any, replace: Callable[[Any], Replacement]) -> Rebuilt:
    """A new Sequential or Functional model with new weights, in which ``replace`` says what stands for each layer.

    A layer or nested model that is called several times is replaced once.

    Raises:
        RebuildError: If the model, or one nested in it, is a subclass, whose layers cannot be replaced, or if the
            new layers do not fit together.
    """
    made: dict[int, Replacement] = {}
    pairs: list[tuple[Any, Any]] = []

    def replaced(layer: Any) -> Replacement:
        if id(layer) not in made:
            if isinstance(layer, keras.Model):
                made[id(layer)] = Replacement(rebuilt(layer))
            else:
                made[id(layer)] = replace(layer)
                pairs.append((layer, made[id(layer)].layer))
        return made[id(layer)]

    def rebuilt(model: Any) -> Any:
        if isinstance(model, keras.Sequential):
            return _sequential(model, replaced)
        if type(model).__name__ == "Functional":
            return _functional(model, replaced)
        raise RebuildError(f"{model.name} is a subclass of keras.Model: change its code")

    try:
        return Rebuilt(rebuilt(model), tuple(pairs))
    except RebuildError:
        raise
    except ValueError as error:  # of Keras, which checks shapes
        raise RebuildError(f"the changed layers do not fit together: {error}") from error


def _sequential(model: Any, replaced: Callable[[Any], Replacement]) -> Any:
    stack = [keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype)]
    for layer in model.layers:
        new = replaced(layer)
        stack += [*new.before, new.layer, *new.after]
    return keras.Sequential(stack, name=model.name)


def _functional(model: Any, replaced: Callable[[Any], Replacement]) -> Any:
    places: dict[int, tuple[Any, Replacement]] = {}

    def clone(operation: Any) -> Any:
        if not isinstance(operation, keras.layers.Layer):
            return operation
        new = replaced(operation)
        places[id(new.layer)] = operation, new
        return new.layer

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        old, new = places.get(id(operation), (operation, Replacement(operation)))
        for layer in new.before:
            args = (layer(args[0]), *args[1:])
        # A layer of another class need not know the arguments that the graph holds, such as mask.
        result = operation(*args, **(kwargs if isinstance(operation, type(old)) else {}))
        for layer in new.after:
            result = layer(result)
        return result

    names = {id(layer.output): layer.name for layer in model.layers if isinstance(layer, keras.layers.InputLayer)}
    inputs = keras.tree.map_structure(
        lambda tensor: keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=names.get(id(tensor))),
        model.input,
    )
    # clone_model compiles like the original, which fails for functions of the user's own; a view is not compiled.
    view = keras.Model(model.input, model.output, name=model.name)
    return keras.models.clone_model(view, input_tensors=inputs, clone_function=clone, call_function=call)


def copy(layer: Any, **changed: Any) -> Any:
    """A layer with the same config, except for what is changed, and without weights."""
    config = layer.get_config()
    # A config holds the user's own functions by name only: hand them on as they are.
    own = {
        key: getattr(layer, key)
        for key, value in config.items()
        if key.endswith(_FUNCTIONS) and isinstance(value, dict) and value.get("class_name") == "function"
    }
    return type(layer).from_config(config | own | changed)


def keep_weights(weights: Sequence[Any], layer: Any) -> None:
    """Set the weights of a layer, if all shapes fit."""
    if [w.shape for w in weights] == [w.shape for w in layer.weights]:
        layer.set_weights(weights)
