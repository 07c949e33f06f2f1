"""Compiles a model as another one was, with its optimizer and loss changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

_WITH_LOGITS = {
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "binary_crossentropy": "BinaryCrossentropy",
}


def compiled(old: Any, new: Any, changes: Mapping[str, str]) -> None:
    """Compile ``new`` like ``old``; ``changes`` are of learning_rate, clipnorm, weight_decay, loss, from_logits."""
    if getattr(old, "optimizer", None) is None:
        return
    config = old.get_compile_config() or {}
    given = {k: keras.saving.deserialize_keras_object(v) for k, v in config.items() if k not in ("optimizer", "loss")}
    new.compile(**given | {"optimizer": _optimizer(old.optimizer, changes), "loss": _loss(old.loss, changes)})


def _optimizer(optimizer: Any, changes: Mapping[str, str]) -> Any:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    settings = inner.get_config()
    for name in ("learning_rate", "clipnorm", "weight_decay"):
        value = _number(changes.get(name, ""))
        if value is not None:
            settings[name] = value
    if settings.get("clipnorm"):
        settings |= {"clipvalue": None, "global_clipnorm": None}
    return type(inner).from_config(settings)


def _loss(loss: Any, changes: Mapping[str, str]) -> Any:
    if "loss" in changes:
        return changes["loss"]
    if "from_logits" not in changes:
        return loss
    logits = changes["from_logits"] == "True"
    if isinstance(loss, keras.losses.Loss):
        return type(loss).from_config(loss.get_config() | {"from_logits": logits})
    kind = _WITH_LOGITS.get(loss if isinstance(loss, str) else getattr(loss, "__name__", ""))
    return getattr(keras.losses, kind)(from_logits=logits) if kind else loss


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
