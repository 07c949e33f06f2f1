"""How a training as a whole is going: what its loss was, what chance would give, how large its steps are."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tb_cnndiag.history import History, Series
from tb_cnndiag.payloads import FloatArray, IntArray, LayerInfo

# A loss below this share of chance: the network has learned.
LEARNED = 0.5
CATEGORICAL = ("categoricalcrossentropy", "sparsecategoricalcrossentropy")
BINARY = ("binarycrossentropy",)
SQUARED = ("mse", "meansquarederror")
ABSOLUTE = ("mae", "meanabsoluteerror")


def loss_config(history: History) -> tuple[str, bool]:
    """(name without underscores, from_logits) of the loss; an empty name when it is not one of Keras' own."""
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
    """The output layer; None when there is none or more than one."""
    outputs = [layer for layer in history.layers if layer.output]
    return outputs[0] if len(outputs) == 1 else None


def chance_loss(history: History) -> float | None:
    """What the loss is of an answer that knows nothing of the input; None where that is not known.

    Of a cross-entropy ln(classes), every class being thought equally likely; of a squared or absolute error that of the
    best constant.
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


def losses(history: History) -> tuple[IntArray, FloatArray]:
    """(steps, training loss) of each snapshot that has one."""
    return history.scalars("training_curve", "loss")


def progress(history: History) -> FloatArray:
    """The training loss at each snapshot over that of chance, or where that is not known over the first; ``(snapshots,)``.

    Regressions may start far above chance, and are on their way then: they are seen from where they start.
    """
    _, values = losses(history)
    chance, first = chance_loss(history), float(values[0]) if values.size else 1.0
    if chance is None or loss_config(history)[0] not in (*CATEGORICAL, *BINARY):
        start = max(chance or 0.0, first)
    else:
        start = chance
    return values / start if start > 0 else np.full(len(values), np.nan)


def learns(history: History) -> bool:
    """Whether the loss is well below chance."""
    course = progress(history)
    return bool(course.size) and bool(course[-1] < LEARNED)


def gain_per_snapshot(course: FloatArray, snapshots: int) -> float:
    """Mean share by which the loss fell at each of the last snapshots; needs one snapshot more than that."""
    return float(1 - course[-1] / course[-1 - snapshots]) / snapshots


def trained_rows(history: History) -> list[int]:
    """Rows of the layers that training may change."""
    return [row for row, layer in enumerate(history.layers) if layer.trainable]


def step_sizes(history: History) -> Series:
    """‖Δw‖/‖w‖ per step of the layers that training may change, at snapshots that have it; ``(snapshots, trained layers)``."""
    series = history.series("update_ratio", "update_ratio")
    values = series.values[:, trained_rows(history)]
    known = np.isfinite(values).any(axis=1)
    return Series(series.steps[known], values[known])


def norms_as_drawn(history: History, rows: list[int]) -> FloatArray | None:
    """‖w‖ of these layers' kernels at step 0, ``(rows,)``, never 0; None where the run was not looked at then."""
    sizes = history.series("weight_health", "rms")
    if not len(sizes) or sizes.steps[0] > 0:
        return None
    counts = np.array([history.layers[row].units * history.layers[row].fan_in for row in rows])
    return np.asarray(np.maximum(sizes.values[0, rows] * np.sqrt(counts), 1e-12))


def middle(values: FloatArray) -> FloatArray:
    """Median over layers at each snapshot, without those not measured; ``(snapshots,)``."""
    return _over_layers(np.nanmedian, values)


def largest(values: FloatArray) -> FloatArray:
    """Maximum over layers at each snapshot, without those not measured; ``(snapshots,)``."""
    return _over_layers(np.nanmax, values)


def _over_layers(function: Callable[..., FloatArray], values: FloatArray) -> FloatArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(function(values, axis=1))


def at(steps: IntArray, given: IntArray, values: FloatArray) -> FloatArray:
    """``values`` known at the steps ``given``, at ``steps``: the latest before each; NaN before the first."""
    position = np.searchsorted(given, steps, side="right") - 1
    return (
        np.where(position >= 0, values[np.maximum(position, 0)], np.nan) if len(given) else np.full(len(steps), np.nan)
    )
