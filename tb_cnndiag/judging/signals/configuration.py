"""What a run was configured with: optimizer, learning rate, and the Keras config of a layer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, logged
from tb_cnndiag.payloads import LayerInfo


def _batch_size(signals: Signals) -> Track:
    size = signals.info.batch_size
    return Track.constant([size or np.nan], "the batch size is not known")


BATCH_SIZE = Signal("batch size", "count", _batch_size, fact=True)
"""Samples in the largest batch."""


def learning_rates(signals: Signals) -> Track:
    """The logged learning rate of each snapshot."""
    return logged(signals, "learning_rate")


def learning_rate(signals: Signals) -> float | None:
    """The last learning rate; None when it is unknown."""
    rates = learning_rates(signals)
    if len(rates):
        return rates.last()
    value = optimizer_config(signals).get("learning_rate")
    return float(value) if isinstance(value, int | float) else None


def optimizer_config(signals: Signals) -> Mapping[str, Any]:
    """Config of the optimizer, or of the inner one when the outer one scales the loss. Empty when unknown."""
    config = _json(signals.info.optimizer).get("config", {})
    inner = config.get("inner_optimizer")
    return dict(inner.get("config", {}) if isinstance(inner, dict) else config)


def optimizer_name(signals: Signals) -> str:
    """Class name of the optimizer, e.g. ``"SGD"``, or of the inner one when the outer one scales the loss.

    Empty when unknown.
    """
    known = _json(signals.info.optimizer)
    inner = known.get("config", {}).get("inner_optimizer")
    return str((inner if isinstance(inner, dict) else known).get("class_name", ""))


def scales_updates(signals: Signals) -> bool:
    """Whether the optimizer scales the update of each weight, so that the size of the gradient does not matter."""
    return optimizer_name(signals) not in ("", "SGD")


def has_cyclical_learning_rate(signals: Signals) -> bool:
    """Whether a schedule has raised the learning rate after lowering it: the loss follows the schedule then."""
    changes = np.diff(learning_rates(signals).values[:, 0])
    signs = np.sign(changes[changes != 0])
    return bool((np.diff(signs) > 0).any())


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
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
