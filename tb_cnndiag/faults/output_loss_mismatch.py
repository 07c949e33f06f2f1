"""An output that the loss is not made for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from tb_cnndiag.faults.base import Fault, Held, Limit
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.payloads import LayerInfo

CATEGORICAL = ("categoricalcrossentropy", "sparsecategoricalcrossentropy")
BINARY = ("binarycrossentropy",)
RECTIFIED = ("relu", "relu6")


class OutputLossMismatch(Fault):
    """Activation and width of the output layer against what the loss expects of it."""

    id = "output_loss_mismatch"
    title = "Output does not fit the loss"
    what = "The loss reads the output as probabilities or as logits, and it is the other, or neither."
    why = "The loss is then computed of numbers that mean something else: training stalls or learns the wrong thing."
    advice = "Change the output's activation or width, or set from_logits in the loss."
    source = "NeuraLint (Nikanjam et al., TOSEM 2021), rules on last activation and loss; UMLAUT (CHI 2021)."
    diagnostic = "model_output"
    limits: ClassVar[Mapping[str, Limit]] = {
        "row_sum_error": Limit(0.01, "ratio", "mean |sum of outputs − 1| up to which outputs are a distribution")
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding; nothing for models of several outputs or losses of the user's own."""
        outputs = [layer for layer in history.layers if layer.output]
        name, from_logits = _loss(history)
        if len(outputs) != 1 or not name:
            return
        layer = outputs[0]
        row = history.layers.index(layer)
        series = history.series("model_output", "row_sum_error")
        error = float(series.values[-1, row]) if len(series) else float("nan")
        found = _mismatch(layer, name, from_logits, error <= limits["row_sum_error"])
        if found is None:
            return
        severity_is_error, message, parameter, current, proposed, reason = found
        evidence = {"units": Evidence(float(layer.units), None, "count")}
        if np.isfinite(error):
            evidence["row_sum_error"] = Evidence(error, limits["row_sum_error"], "ratio")
        where = None if parameter in ("from_logits", "loss") else layer.path
        yield self.finding(
            history,
            layer,
            "error" if severity_is_error else "warning",
            Held(0, history.last_step, True),
            f"{layer.path}: {message}",
            evidence=evidence,
            adjustments=(Adjustment(where, parameter, current, proposed, reason),),
        )


def _mismatch(
    layer: LayerInfo, loss: str, from_logits: bool, distribution: bool
) -> tuple[bool, str, str, str, str, str] | None:
    """(is an error, message, parameter, current, proposed, reason), or None when output and loss fit."""
    activation = layer.activation
    if loss in CATEGORICAL:
        if layer.units == 1:
            why = "one output cannot tell classes apart by softmax or categorical cross-entropy."
            return True, why, "units", "1", "number of classes", "one output per class"
        if activation in RECTIFIED:
            why = f"{activation} cuts off the negative half of the scores."
            return True, why, "activation", activation, "softmax", "gives probabilities"
        if activation == "softmax" and from_logits:
            why = "softmax is applied twice, in the layer and in the loss."
            return False, why, "from_logits", "True", "False", "the output is probabilities already"
        if activation == "linear" and not from_logits and not distribution:
            why = "the loss reads raw scores as probabilities."
            return True, why, "from_logits", "False", "True", "the output is logits"
        if activation in ("sigmoid", "tanh") and not from_logits and not distribution:
            why = f"{activation} outputs do not sum to 1, which categorical cross-entropy expects."
            return activation == "tanh", why, "activation", activation, "softmax", "gives a distribution over classes"
    if loss in BINARY and layer.role == "dense":
        if layer.units == 1 and activation == "softmax":
            return True, "softmax of one output is always 1.", "activation", "softmax", "sigmoid", "gives a probability"
        if activation in RECTIFIED or (activation == "tanh" and not from_logits):
            why = f"{activation} gives no probabilities."
            return True, why, "activation", activation, "sigmoid", "gives a probability"
        if activation == "sigmoid" and from_logits:
            why = "the sigmoid is applied twice, in the layer and in the loss."
            return False, why, "from_logits", "True", "False", "the output is a probability already"
        if activation == "linear" and not from_logits:
            why = "the loss reads raw scores as probabilities."
            return True, why, "from_logits", "False", "True", "the output is logits"
    if layer.units == 1 and activation == "softmax":
        return True, "softmax of one output is always 1.", "activation", "softmax", "linear", "can take any value"
    return None


def _loss(history: History) -> tuple[str, bool]:
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
