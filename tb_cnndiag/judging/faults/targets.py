"""Targets that an output cannot answer, or that a loss cannot compare with it."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.loss_progress import ABSOLUTE, BINARY, CATEGORICAL, SQUARED, losses
from tb_cnndiag.payloads import LayerInfo, Targets

DIVERGENCE = ("kld", "kldivergence", "kullbackleiblerdivergence")
REGRESSION = (*SQUARED, *ABSOLUTE, "huber", "logcosh", "mape", "meanabsolutepercentageerror")
SPARSE = "sparsecategoricalcrossentropy"
# What each activation can answer.
BOUNDS = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu6": (0.0, 6.0),
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
    "exponential": (0.0, math.inf),
    "elu": (-1.0, math.inf),
    "selu": (-1.76, math.inf),
}
# Share of the range of the targets beyond the bounds from which most of the training is lost.
MUCH = 0.25
# A cross-entropy of probabilities is never below 0, but for rounding.
NEGATIVE = 0.01


class Mismatch(NamedTuple):
    """What does not fit, and the one change that makes it fit."""

    error: bool
    message: str
    parameter: str
    current: str
    proposed: str
    reason: str


def unanswerable(history: History, layer: LayerInfo, loss: str, outside: float) -> Mismatch | None:
    """What of the targets does not fit the output layer and the loss; None when all does.

    ``outside`` is the share of the targets' range up to which they may lie beyond what the activation can give.
    """
    counts = history.info.probe.class_counts if history.info else ()
    classes = sum(count > 0 for count in counts)
    if loss in CATEGORICAL and 1 < layer.units < len(counts):
        why = f"labels reach {len(counts) - 1}, the {layer.units} outputs stand for classes 0 to {layer.units - 1}."
        return Mismatch(True, why, "units", str(layer.units), str(len(counts)), "one output per class")
    if loss in BINARY and layer.units == 1 and classes > 2:
        why = f"one output cannot tell {classes} classes apart."
        return Mismatch(True, why, "units", "1", str(classes), "one output per class")
    targets = history.info.probe.targets if history.info else None
    ignored = bool(re.search(r'"ignore_class": -?\d', history.info.loss if history.info else ""))
    found = _unfit(layer, loss, targets, classes, outside, ignored=ignored) if targets else None
    if found is not None:
        return found
    _, values = losses(history)
    if loss in BINARY and values.size and values[-1] < -NEGATIVE:
        why = "the loss is negative, so labels lie outside 0 … 1."
        return Mismatch(True, why, "labels", "outside 0 … 1", "0 or 1", "binary cross-entropy compares probabilities")
    return None


def _unfit(
    layer: LayerInfo, loss: str, targets: Targets, classes: int, outside: float, *, ignored: bool
) -> Mismatch | None:
    span = f"{targets.low:.4g} … {targets.high:.4g}"
    if loss == SPARSE and ((targets.low < 0 and not ignored) or not targets.whole):
        why = f"labels from {span} are no class numbers."
        return Mismatch(True, why, "labels", span, f"0 … {layer.units - 1}", "each label is the number of a class")
    if loss in BINARY and (targets.low < -NEGATIVE or targets.high > 1 + NEGATIVE):
        why = f"labels reach from {span}, probabilities from 0 to 1."
        return Mismatch(True, why, "labels", span, "0 or 1", "binary cross-entropy compares probabilities")
    several = math.prod(targets.shape) == layer.units > 1
    if loss in CATEGORICAL and loss != SPARSE and several and targets.whole and not targets.distribution:
        why = "samples have several labels or none, but softmax lets the outputs compete for one."
        return Mismatch(True, why, "loss", loss, "binary_crossentropy", "each label is a question of its own")
    if loss not in REGRESSION:
        return None
    if (
        layer.role == "dense"
        and layer.units > 1
        and layer.output_shape == (layer.units,)
        and targets.shape in ((), (1,))
    ):
        why = f"the loss compares each of the {layer.units} outputs with the same one target."
        if layer.activation == "softmax" and classes == layer.units:
            return Mismatch(True, why, "loss", loss, "sparse_categorical_crossentropy", "targets are class numbers")
        return Mismatch(True, why, "units", str(layer.units), "1", "one output for one target")
    if layer.activation == "softmax" and several and not targets.distribution:
        why = "softmax outputs sum to 1, the targets of a sample do not."
        bounded = targets.low >= 0 and targets.high <= 1
        return Mismatch(
            True, why, "activation", "softmax", "sigmoid" if bounded else "linear", "lets outputs differ freely"
        )
    return _beyond(layer, targets, span, outside)


def _beyond(layer: LayerInfo, targets: Targets, span: str, outside: float) -> Mismatch | None:
    """Targets beyond what the activation can give."""
    low, high = BOUNDS.get(layer.activation, (-math.inf, math.inf))
    beyond = max(low - targets.low, targets.high - high, 0.0) / max(targets.high - targets.low, 1e-12)
    if beyond <= outside:
        return None
    bounds = f"{low:g} … {high:g}" if high < math.inf else f"no less than {low:g}"
    why = f"targets reach from {span}, but {layer.activation} gives {bounds}."
    return Mismatch(beyond >= MUCH, why, "activation", layer.activation, "linear", "can take any value")


def rewarded(history: History, layer: LayerInfo, loss: str, one_class: float) -> Mismatch | None:
    """A loss of the user's own that falls below 0 while the network gives up telling classes apart: its sign is wrong.

    ``one_class`` is the share of samples given the same class above which it has.
    """
    _, values = losses(history)
    shares = history.series("model_output", "top_class_share")
    counts = history.info.probe.class_counts if history.info else ()
    if (
        loss in (*CATEGORICAL, *BINARY, *DIVERGENCE, *REGRESSION)
        or layer.units < 2
        or layer.activation != "softmax"
        or not len(shares)
    ):
        return None
    alike = shares.values[-1, history.layers.index(layer)] > one_class and 2 * max(counts, default=0) <= sum(counts)
    if not alike or values.size < 2 or not values[-1] < min(float(values[0]), 0.0):
        return None
    why = f"the loss falls to {values[-1]:.3g} while all samples are given one class: it rewards wrong answers."
    return Mismatch(True, why, "loss", loss, "categorical_crossentropy", "is least where the answers are right")
