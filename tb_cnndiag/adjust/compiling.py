"""Compiles a model like another one, with changes of the optimizer and the loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

_WITH_LOGITS = {
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "binary_crossentropy": "BinaryCrossentropy",
}


def compile_like(old: Any, new: Any, changes: Mapping[str, Any]) -> frozenset[str]:
    """Compile ``new`` like ``old``, with arguments of the optimizer and the loss changed.

    Args:
        old: A model; if it is not compiled, ``new`` is not compiled either.
        new: The model to compile.
        changes: Values as in :class:`tb_cnndiag.changes.SetTraining`, by parameter.

    Returns:
        The changes that the optimizer or loss does not take.
    """
    if getattr(old, "optimizer", None) is None:
        return frozenset(changes)
    config = old.get_compile_config() or {}
    given = {k: keras.saving.deserialize_keras_object(v) for k, v in config.items() if k not in ("optimizer", "loss")}
    loss = changes.get("loss", old.loss)
    if "from_logits" in changes:
        loss = _with_logits(loss, from_logits=changes["from_logits"])
    optimizer, left = _optimizer(old.optimizer, {k: v for k, v in changes.items() if k not in ("loss", "from_logits")})
    new.compile(**given | {"optimizer": optimizer, "loss": old.loss if loss is None else loss})
    return left | {"from_logits"} if loss is None else left


def _optimizer(optimizer: Any, changes: Mapping[str, Any]) -> tuple[Any, frozenset[str]]:
    """(an optimizer of the same kind without state, changes that it does not take)."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    settings = inner.get_config()
    settings |= {name: value for name, value in changes.items() if name in settings}
    if settings.get("clipnorm"):
        settings |= {"clipvalue": None, "global_clipnorm": None}  # Keras takes one kind of clipping only
    return type(inner).from_config(settings), frozenset(changes) - settings.keys()


def _with_logits(loss: Any, *, from_logits: bool) -> Any:
    """The same loss of logits or of probabilities; None if it makes no such difference."""
    if isinstance(loss, keras.losses.Loss):
        config = loss.get_config()
        return type(loss).from_config(config | {"from_logits": from_logits}) if "from_logits" in config else None
    kind = _WITH_LOGITS.get(loss if isinstance(loss, str) else getattr(loss, "__name__", ""))
    return getattr(keras.losses, kind)(from_logits=from_logits) if kind else None
