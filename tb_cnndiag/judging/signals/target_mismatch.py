"""Targets that an output cannot produce, or that the loss cannot compare with the output."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from tb_cnndiag.history import History
from tb_cnndiag.judging.signals.loss import ABSOLUTE, BINARY, CATEGORICAL, SQUARED, training_loss
from tb_cnndiag.numerics.activations import facts_of
from tb_cnndiag.payloads import LayerInfo, Targets
from tb_cnndiag.wording import number

DIVERGENCE = ("kld", "kldivergence", "kullbackleiblerdivergence")
REGRESSION = (*SQUARED, *ABSOLUTE, "huber", "logcosh", "mape", "meanabsolutepercentageerror")
SPARSE = "sparsecategoricalcrossentropy"
# Share of the target range outside the output range above which most of the training is wasted.
WASTED = 0.25
# A cross-entropy of probabilities is not negative, except for rounding.
TOLERANCE = 0.01


class Mismatch(NamedTuple):
    """What does not fit, as a sentence, and the one change that makes it fit."""

    error: bool
    message: str
    parameter: str
    current: str
    proposed: str
    reason: str


def target_mismatch(history: History, layer: LayerInfo, loss: str, outside: float) -> Mismatch | None:
    """How the targets do not fit the output layer or the loss; None when they fit.

    ``outside`` is the share of the target range that may lie outside the range of the activation.
    """
    counts = history.info.probe.class_counts if history.info else ()
    classes = sum(count > 0 for count in counts)
    if loss in CATEGORICAL and 1 < layer.units < len(counts):
        classes_of = f"the {layer.units:,} outputs of {layer.path} stand for classes 0 to {layer.units - 1:,}"
        why = f"Labels go up to {len(counts) - 1:,}, but {classes_of}."
        return Mismatch(True, why, "units", str(layer.units), str(len(counts)), "one output per class")
    if loss in BINARY and layer.units == 1 and classes > 2:
        why = f"The single output of {layer.path} cannot distinguish {classes:,} classes."
        return Mismatch(True, why, "units", "1", str(classes), "one output per class")
    targets = history.info.probe.targets if history.info else None
    ignored = bool(re.search(r'"ignore_class": -?\d', history.info.loss if history.info else ""))
    found = _mismatch(layer, loss, targets, classes, outside, ignored=ignored) if targets else None
    if found is not None:
        return found
    _, values = training_loss(history)
    if loss in BINARY and values.size and values[-1] < -TOLERANCE:
        why = f"The loss of {layer.path} is negative, so labels lie outside 0 … 1."
        return Mismatch(True, why, "labels", "outside 0 … 1", "0 or 1", "binary cross-entropy compares probabilities")
    return None


def _mismatch(
    layer: LayerInfo, loss: str, targets: Targets, classes: int, outside: float, *, ignored: bool
) -> Mismatch | None:
    span = f"{targets.low:.4g} … {targets.high:.4g}"
    labels = f"labels lie {_between(targets.low, targets.high)}"
    if loss == SPARSE and ((targets.low < 0 and not ignored) or not targets.whole):
        why = f"The loss of {layer.path} expects class indices, but {labels}."
        return Mismatch(True, why, "labels", span, f"0 … {layer.units - 1}", "each label is the number of a class")
    if loss in BINARY and (targets.low < -TOLERANCE or targets.high > 1 + TOLERANCE):
        why = f"The loss of {layer.path} expects labels between 0 and 1, but {labels}."
        return Mismatch(True, why, "labels", span, "0 or 1", "binary cross-entropy compares probabilities")
    several = math.prod(targets.shape) == layer.units > 1
    if loss in CATEGORICAL and loss != SPARSE and several and targets.whole and not targets.distribution:
        why = (
            f"Samples have several labels or none, but softmax makes the outputs of {layer.path} compete for one label."
        )
        return Mismatch(True, why, "loss", loss, "binary_crossentropy", "each label is independent")
    if loss not in REGRESSION:
        return None
    if (
        layer.role == "dense"
        and layer.units > 1
        and layer.output_shape == (layer.units,)
        and targets.shape in ((), (1,))
    ):
        why = f"The loss compares each of the {layer.units:,} outputs of {layer.path} with the same single target."
        if layer.activation == "softmax" and classes == layer.units:
            return Mismatch(True, why, "loss", loss, "sparse_categorical_crossentropy", "targets are class numbers")
        return Mismatch(True, why, "units", str(layer.units), "1", "one output for one target")
    if layer.activation == "softmax" and several and not targets.distribution:
        why = f"The softmax outputs of {layer.path} sum to 1, but the targets of a sample do not."
        bounded = targets.low >= 0 and targets.high <= 1
        return Mismatch(
            True, why, "activation", "softmax", "sigmoid" if bounded else "linear", "lets outputs differ freely"
        )
    return _out_of_range(layer, targets, span, outside)


def _out_of_range(layer: LayerInfo, targets: Targets, span: str, outside: float) -> Mismatch | None:
    """Targets outside the range of the activation."""
    ends = facts_of(layer.activation).range
    low, high = (-math.inf if ends[0] is None else ends[0], math.inf if ends[1] is None else ends[1])
    share = max(low - targets.low, targets.high - high, 0.0) / max(targets.high - targets.low, 1e-12)
    if share <= outside:
        return None
    produced = _between(low, high) if high < math.inf else f"above {number(low)}"
    lie = f"Targets lie {_between(targets.low, targets.high)}"
    why = f"{lie}, but the {layer.activation} of {layer.path} only produces values {produced}."
    return Mismatch(share >= WASTED, why, "activation", layer.activation, "linear", "can take any value")


def _between(low: float, high: float) -> str:
    return f"between {number(low)} and {number(high)}"


def reversed_loss(history: History, layer: LayerInfo, loss: str, one_class: float) -> Mismatch | None:
    """A custom loss that falls below 0 while the output collapses to one class: its sign is wrong.

    ``one_class`` is the predicted class share above which the output has collapsed.
    """
    _, values = training_loss(history)
    shares = history.series("model_output", "top_class_share")
    counts = history.info.probe.class_counts if history.info else ()
    if (
        loss in (*CATEGORICAL, *BINARY, *DIVERGENCE, *REGRESSION)
        or layer.units < 2
        or layer.activation != "softmax"
        or not len(shares)
    ):
        return None
    balanced = 2 * max(counts, default=0) <= sum(counts)
    collapsed = balanced and shares.values[-1, history.layers.index(layer)] > one_class
    if not collapsed or values.size < 2 or not values[-1] < min(float(values[0]), 0.0):
        return None
    falls = f"The loss falls to {number(float(values[-1]))} while {layer.path} predicts one class for all samples"
    why = f"{falls}: the loss rewards wrong predictions."
    return Mismatch(True, why, "loss", loss, "categorical_crossentropy", "is minimal for correct predictions")
