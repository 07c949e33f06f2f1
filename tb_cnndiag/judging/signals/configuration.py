"""What a run was configured with: optimizer, learning rate, and the Keras config of a layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tb_cnndiag.history import History
from tb_cnndiag.payloads import LayerInfo


def learning_rate(history: History) -> float | None:
    """The last learning rate; None when it is unknown."""
    _, logged = history.scalars("training_curve", "learning_rate")
    if logged.size:
        return float(logged[-1])
    value = optimizer_config(history).get("learning_rate")
    return float(value) if isinstance(value, int | float) else None


def optimizer_config(history: History) -> Mapping[str, Any]:
    """Config of the optimizer, or of the inner one when the outer one scales the loss. Empty when unknown."""
    config = _json(history.info.optimizer if history.info else "").get("config", {})
    inner = config.get("inner_optimizer")
    return dict(inner.get("config", {}) if isinstance(inner, dict) else config)


def optimizer_name(history: History) -> str:
    """Class name of the optimizer, e.g. ``"SGD"``, or of the inner one when the outer one scales the loss.

    Empty when unknown.
    """
    known = _json(history.info.optimizer if history.info else "")
    inner = known.get("config", {}).get("inner_optimizer")
    return str((inner if isinstance(inner, dict) else known).get("class_name", ""))


def layer_config(layer: LayerInfo) -> Mapping[str, Any]:
    """Keras config of a layer; empty when unknown."""
    return _json(layer.config)


def bias_initializer(layer: LayerInfo) -> str:
    """Name of the initializer of a layer's bias, e.g. ``"zeros"``; empty when unknown."""
    bias = layer_config(layer).get("bias_initializer")
    name = bias.get("class_name", "") if isinstance(bias, dict) else str(bias or "")
    return "zeros" if name == "Zeros" else name


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
