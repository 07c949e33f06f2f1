"""Finds the optimizers of a model."""

from __future__ import annotations

from typing import Any

import keras


def find_optimizers(model: Any) -> list[Any]:
    """Optimizers among the model's attributes; for one that scales the loss, its inner optimizer."""
    return list({id(inner): inner for inner in map(inner_optimizer, outer_optimizers(model))}.values())


def outer_optimizers(model: Any) -> list[Any]:
    """Optimizers among the model's attributes, as the model calls them."""
    candidates = [getattr(model, "optimizer", None), *vars(model).values()]
    found = {id(each): each for each in candidates if isinstance(each, keras.optimizers.Optimizer)}
    return list(found.values())


def inner_optimizer(optimizer: Any) -> Any:
    """The optimizer inside one that scales the loss, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)
