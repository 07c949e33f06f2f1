"""The training loss: which loss it is, its prior loss, and how it develops."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.history import History
from tb_cnndiag.payloads import FloatArray, IntArray, LayerInfo

# Relative loss below which the network has learned.
LEARNED = 0.5
CATEGORICAL = ("categoricalcrossentropy", "sparsecategoricalcrossentropy")
BINARY = ("binarycrossentropy",)
SQUARED = ("mse", "meansquarederror")
ABSOLUTE = ("mae", "meanabsoluteerror")
# The loss oscillates if it rises in this share of so many consecutive snapshots: noise does so less often.
OSCILLATION_SNAPSHOTS, OSCILLATION_SHARE = 5, 0.4


def loss_config(history: History) -> tuple[str, bool]:
    """(name without underscores, from_logits) of the loss; an empty name for a loss that is not one of Keras."""
    text = history.info.loss if history.info else ""
    try:
        value: Any = json.loads(text) if text else ""
    except ValueError:
        return "", False
    if isinstance(value, str):
        return value.replace("_", "").lower(), False
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        return str(value.get("class_name", "")).lower(), bool(value["config"].get("from_logits", False))
    return "", False


def output_layer(history: History) -> LayerInfo | None:
    """The output layer; None without an output layer or with several."""
    outputs = [layer for layer in history.layers if layer.output]
    return outputs[0] if len(outputs) == 1 else None


def prior_loss(history: History) -> float | None:
    """Loss of the best constant prediction; None where it is unknown.

    For a cross-entropy: ln K for K balanced classes. For a squared or absolute error: variance or mean absolute
    deviation of the targets.
    """
    head, (loss, _) = output_layer(history), loss_config(history)
    if head is None:
        return None
    targets = history.info.probe.targets if history.info else None
    if targets is not None and loss in (*SQUARED, *ABSOLUTE):
        return (targets.variance if loss in SQUARED else targets.deviation) or None
    if loss in CATEGORICAL and head.units > 1:
        return math.log(head.units)
    return math.log(2) if loss in BINARY else None


def training_loss(history: History) -> tuple[IntArray, FloatArray]:
    """(steps, training loss) of each snapshot that has one."""
    return history.scalars("training_curve", "loss")


def relative_loss(history: History) -> FloatArray:
    """The training loss relative to the prior loss at each snapshot, ``(snapshots,)``.

    Where the prior loss is unknown, relative to the first loss. For a regression relative to the larger of the two: its
    loss may start far above the prior loss while it learns.
    """
    _, values = training_loss(history)
    prior, first = prior_loss(history), float(values[0]) if values.size else 1.0
    if prior is None or loss_config(history)[0] not in (*CATEGORICAL, *BINARY):
        reference = max(prior or 0.0, first)
    else:
        reference = prior
    return values / reference if reference > 0 else np.full(len(values), np.nan)


def learns(history: History) -> bool:
    """Whether the loss is far enough below the prior loss that the network has learned."""
    relative = relative_loss(history)
    return bool(relative.size) and bool(relative[-1] < LEARNED)


def decrease_per_snapshot(loss: FloatArray, snapshots: int) -> float:
    """Mean decrease of the loss per snapshot over the last ``snapshots``, as a share; needs one snapshot more."""
    return float(1 - loss[-1] / loss[-1 - snapshots]) / snapshots


def oscillates(loss: FloatArray, rise: float) -> NDArray[np.bool_]:
    """Where the loss is ``rise`` times the previous one in many of the latest snapshots, ``(snapshots,)``."""
    window = OSCILLATION_SNAPSHOTS
    rises = np.concatenate([[False], loss[1:] >= rise * loss[:-1]])
    recent = np.array([rises[max(i - window + 1, 0) : i + 1].sum() for i in range(len(loss))])
    return recent >= OSCILLATION_SHARE * window
