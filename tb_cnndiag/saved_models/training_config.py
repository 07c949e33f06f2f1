"""The training configuration of an HDF5 model, in the words of Keras 3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import keras

# Arguments of optimizers that Keras 2 had under other names, or that Keras 3 no longer has.
_RENAMED = {"lr": "learning_rate", "epsilon_hat": "epsilon"}
_GONE = ("decay", "jit_compile", "is_legacy_optimizer")
# Former values of ``reduction``.
_REDUCTIONS = {"auto": "sum_over_batch_size", "sum_over_batch": "sum_over_batch_size"}


def compile_as_saved(model: Any, text: str | None, name: str) -> tuple[str, ...]:
    """Compile a model as its file says; returns what could not be translated, one sentence each.

    Metrics are left out: they change nothing that is audited.
    """
    if text is None:
        return (f"{name} has no training configuration: its loss is not known.",)
    try:
        config = json.loads(text)
    except ValueError:
        return (f"The training configuration of {name} is no JSON: its loss is not known.",)
    notes = []
    loss, reason = _loss(config.get("loss"))
    if reason:
        notes.append(f"The loss of {name} cannot be loaded ({reason}).")
    optimizer, reason = _optimizer(config.get("optimizer_config"))
    if reason:
        notes.append(f"The optimizer of {name} cannot be loaded ({reason}).")
    if loss is not None:
        try:
            model.compile(optimizer=optimizer or "sgd", loss=loss)
        except Exception as error:  # Keras passes on any error of its parts
            notes.append(f"{name} cannot be compiled as it was saved ({type(error).__name__}): its loss is not known.")
    return tuple(notes)


def _loss(value: Any) -> tuple[Any, str]:
    """(loss in the words of Keras 3, why it cannot be translated)."""
    if value is None:
        return None, "it is not in the file"
    try:
        return _translated(value), ""
    except Exception as error:  # Keras passes on any error of its parts
        named = value.get("class_name") if isinstance(value, Mapping) else value
        return None, f"{named}: {type(error).__name__}"


def _translated(value: Any) -> Any:
    if isinstance(value, list):
        return [_translated(each) for each in value]
    if isinstance(value, Mapping) and "class_name" not in value:
        return {name: _translated(each) for name, each in value.items()}
    if isinstance(value, Mapping):
        config = dict(value.get("config") or {})
        if "reduction" in config:
            reduction = str(config["reduction"]).lower()
            config["reduction"] = _REDUCTIONS.get(reduction, reduction)
        inner = config.pop("fn", None)  # of a wrapper around a function
        if value["class_name"] == "LossFunctionWrapper" and inner is not None:
            return _translated(inner)
        return keras.losses.deserialize({"class_name": value["class_name"], "config": config})
    keras.losses.get(value)  # raises an error if Keras does not know the name
    return value


def _optimizer(value: Any) -> tuple[Any, str]:
    if not isinstance(value, Mapping):
        return None, "it is not in the file"
    config = {_RENAMED.get(name, name): each for name, each in (value.get("config") or {}).items()}
    for name in _GONE:
        config.pop(name, None)
    name = str(value.get("class_name", "")).rpartition(">")[2]
    kind = getattr(keras.optimizers, name, None)
    if kind is None:
        return None, f"{name or 'its class'} is not known"
    known = {key: each for key, each in config.items() if not isinstance(each, Mapping)}
    try:
        return kind.from_config(known), ""
    except Exception:  # an argument that Keras 3 does not have
        rate = known.get("learning_rate")
        return (kind(learning_rate=rate) if isinstance(rate, int | float) else kind()), ""
