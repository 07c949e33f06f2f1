"""Copies of a model to experiment with, and everything else left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from tb_cnndiag.adjust.compiling import compile_like
from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.random_states import unchanged_random_states


class NoCopyError(ValueError):
    """The model cannot be copied; the message says why."""


def copied(model: Any, x: Any) -> Any:
    """A compiled copy with the same weights and a new optimizer of the same settings.

    Args:
        model: A compiled model.
        x: A few samples, with which a copy without declared inputs is built.

    Raises:
        NoCopyError: If Keras cannot build the model from its configuration.
    """
    try:
        plain = type(model) in (keras.Sequential, keras.Model) or type(model).__name__ == "Functional"
        new = _clone(model) if plain else type(model).from_config(model.get_config())
        if not new.built or len(new.weights) != len(model.weights):
            new(keras.tree.map_structure(lambda a: a[:1], x))
        new.set_weights(model.get_weights())
        for ours, theirs in zip(model.variables, new.variables, strict=False):
            if tuple(ours.shape) == tuple(theirs.shape) and ours.dtype == theirs.dtype:
                theirs.assign(np.array(to_host(ours)))  # a step of JAX gives away the array that it is given
        for layer in new._flatten_layers():
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()  # it computes with constants that it derives from its weights
        _compile(model, new)
    except Exception as error:  # a model of the user's own may raise anything
        raise NoCopyError(f"the model cannot be copied ({type(error).__name__}: {str(error)[:120]})") from None
    return new


def _clone(model: Any) -> Any:
    """A copy of a Sequential or Functional model that is not compiled: Keras would need to know its loss by name."""
    model.compiled, compiled = False, model.compiled
    try:
        return keras.models.clone_model(model, clone_function=_layer_copy)
    finally:
        model.compiled = compiled


def _layer_copy(layer: Any) -> Any:
    """A layer of the same configuration; initializers that Keras does not know are left out, for weights are copied."""
    config = layer.get_config()
    try:
        return type(layer).from_config(config)
    except Exception:  # a function or class of the user's own
        plain = {name: "zeros" for name in config if name.endswith("_initializer")}
        return type(layer).from_config(config | plain)


def _compile(model: Any, new: Any) -> None:
    """Compile a copy like the model; with the loss alone if Keras does not know the metrics."""
    try:
        compile_like(model, new, {})
    except Exception:  # a function or class of the user's own
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        weights = getattr(getattr(model, "_compile_loss", None), "_user_loss_weights", None)
        new.compile(type(optimizer).from_config(optimizer.get_config()), model.loss, loss_weights=weights)


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Leave all random states, Keras' automatic names and the variables of a model as they are."""
    before = [to_host(variable) for variable in _variables(model)]
    with unchanged_random_states():
        try:
            yield
        finally:
            for variable, value in zip(_variables(model), before, strict=False):
                if not np.array_equal(to_host(variable), value, equal_nan=True):
                    variable.assign(value)


def _variables(model: Any) -> list[Any]:
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *(optimizer.variables if optimizer is not None and optimizer.built else ())]
