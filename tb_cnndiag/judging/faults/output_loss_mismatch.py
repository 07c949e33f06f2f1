"""An output layer that does not provide what the loss expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import Change, SetParameter, SetTraining
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit
from tb_cnndiag.judging.signals.loss import BINARY, CATEGORICAL, loss_config, output_layer
from tb_cnndiag.judging.signals.persistence import Streak
from tb_cnndiag.judging.signals.target_mismatch import DIVERGENCE, Mismatch, reversed_loss, target_mismatch
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import LayerInfo


class OutputLossMismatch(Fault):
    """Activation and width of the output layer, compared with what the loss and the targets require."""

    id = "output_loss_mismatch"
    title = "Output does not fit the loss"
    what = (
        "The output layer does not provide what the loss expects: logits instead of probabilities or the reverse, a "
        "wrong number of outputs, or a range that does not contain the targets."
    )
    why = "The loss is then computed from numbers with another meaning: training stalls, or learns the wrong thing."
    advice = "Change the activation or the width of the output layer, or set from_logits in the loss."
    source = "NeuraLint (Nikanjam et al., TOSEM 2021), rules on last activation and loss; UMLAUT (CHI 2021)."
    diagnostic = "model_output"
    limits: ClassVar[Mapping[str, Limit]] = {
        "row_sum_error": Limit(0.01, "ratio", "Mean |sum of outputs − 1| below which the outputs are a distribution."),
        "one_class": Limit(
            0.95, "share", "Predicted class share above which a negative loss rewards wrong predictions."
        ),
        "outside": Limit(
            0.05, "share", "Share of the target range outside the output range above which they do not fit."
        ),
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding per output. With several outputs or a custom loss, only constant outputs are found."""
        layer = output_layer(history)
        name, from_logits = loss_config(history)
        if layer is None or not name:
            yield from self._constant(history)
            return
        row = history.layers.index(layer)
        series = history.series("model_output", "row_sum_error")
        error = float(series.values[-1, row]) if len(series) else float("nan")
        found = target_mismatch(history, layer, name, limits["outside"])
        found = found or _mismatch(layer, name, from_logits, error <= limits["row_sum_error"])
        found = found or _another_axis(layer, name, error > limits["row_sum_error"])
        found = found or reversed_loss(history, layer, name, limits["one_class"])
        if found is None:
            return
        evidence = {"units": Evidence(float(layer.units), None, "count")}
        if np.isfinite(error):
            evidence["row_sum_error"] = Evidence(error, limits["row_sum_error"], "ratio")
        yield self.finding(
            history,
            layer,
            "error" if found.error else "warning",
            Streak(0, history.last_step, True),
            found.message,
            evidence=evidence,
            adjustments=(_adjustment(layer, found), *_with_it(layer, found, name)),
        )

    def _constant(self, history: History) -> Iterator[Finding]:
        """Softmax of a single output: wrong with any loss."""
        for layer in history.layers:
            if layer.output and layer.units == 1 and layer.activation == "softmax":
                yield self.finding(
                    history,
                    layer,
                    "error",
                    Streak(0, history.last_step, True),
                    _always_one(layer),
                    evidence={"units": Evidence(1.0, None, "count")},
                    adjustments=(_activation(layer, "sigmoid", "gives a probability"),),
                )


def _adjustment(layer: LayerInfo, found: Mismatch) -> Adjustment:
    """The one change that makes output and loss fit; advice where it is about the labels, or has no number."""
    if found.parameter == "from_logits":
        change: Change | None = SetTraining("from_logits", found.proposed == "True")
    elif found.parameter == "loss":
        change = SetTraining("loss", found.proposed)
    elif found.parameter == "activation":
        change = SetParameter(layer.path, "activation", found.proposed)
    elif found.parameter == "units" and found.proposed.isdigit():
        change = SetParameter(layer.path, "units", int(found.proposed))
    else:
        change = None
    if change is not None:
        return Adjustment.of(change, found.current, found.reason)
    place = None if found.parameter == "labels" else layer.path
    return Adjustment(place, found.parameter, found.current, found.proposed, found.reason)


def _activation(layer: LayerInfo, proposed: str, reason: str) -> Adjustment:
    return Adjustment.of(SetParameter(layer.path, "activation", proposed), layer.activation, reason)


def _with_it(layer: LayerInfo, found: Mismatch, loss: str) -> tuple[Adjustment, ...]:
    """Changes that the number of outputs or the loss needs in addition."""
    if found.proposed == "binary_crossentropy":
        return (_activation(layer, "sigmoid", "gives a probability for each label"),)
    if found.parameter != "units" or loss not in (*BINARY, *CATEGORICAL):
        return ()
    reason = "several outputs that exclude each other"
    softmax = _activation(layer, "softmax", reason)
    if loss not in BINARY:
        return (softmax,) if layer.units == 1 else ()
    sparse = SetTraining("loss", "sparse_categorical_crossentropy")
    return softmax, Adjustment.of(sparse, "binary_crossentropy", reason)


def _always_one(layer: LayerInfo) -> str:
    return f"The softmax of the single output of {layer.path} is always 1."


def _another_axis(layer: LayerInfo, loss: str, no_distribution: bool) -> Mismatch | None:
    """A softmax over positions or samples: the outputs for one sample do not sum to 1."""
    if loss not in CATEGORICAL or layer.activation != "softmax" or not no_distribution:
        return None
    axis = f"The softmax of {layer.path} runs over an axis other than the classes"
    why = f"{axis}: the outputs of a sample do not sum to 1."
    return Mismatch(True, why, "axis", "another", "-1", "gives a distribution over classes")


def _mismatch(layer: LayerInfo, loss: str, from_logits: bool, distribution: bool) -> Mismatch | None:
    """How the activation or the width of the output does not fit the loss; None when they fit."""
    activation = layer.activation
    if loss in CATEGORICAL:
        if layer.units == 1:
            why = f"The single output of {layer.path} cannot distinguish classes under categorical cross-entropy."
            return Mismatch(True, why, "units", "1", "number of classes", "one output per class")
        if activation in RECTIFIED:
            why = f"The {activation} of {layer.path} cuts off negative logits."
            fitting = "linear" if from_logits else "softmax"
            return Mismatch(True, why, "activation", activation, fitting, "allows logits of both signs")
        if from_logits and (activation == "softmax" or distribution):
            why = f"Softmax is applied twice: in {layer.path} and in the loss."
            return Mismatch(False, why, "from_logits", "True", "False", "the outputs are probabilities already")
        if activation == "linear" and not from_logits and not distribution:
            why = f"The loss reads the logits of {layer.path} as probabilities."
            return Mismatch(True, why, "from_logits", "False", "True", "the output is logits")
        if activation in ("sigmoid", "tanh") and from_logits:
            why = f"The {activation} of {layer.path} bounds the logits: no class can be predicted with certainty."
            return Mismatch(False, why, "activation", activation, "linear", "the loss applies softmax itself")
        if activation in ("sigmoid", "tanh") and not from_logits and not distribution:
            why = (
                f"The {activation} outputs of {layer.path} do not sum to 1, but categorical cross-entropy expects that."
            )
            return Mismatch(
                activation == "tanh", why, "activation", activation, "softmax", "gives a distribution over classes"
            )
    if loss in DIVERGENCE and not distribution and activation != "softmax":
        why = f"The {activation} outputs of {layer.path} do not sum to 1, but the divergence compares distributions."
        return Mismatch(True, why, "activation", activation, "softmax", "gives a distribution over classes")
    if loss in BINARY:
        if layer.units == 1 and activation == "softmax":
            return Mismatch(True, _always_one(layer), "activation", "softmax", "sigmoid", "gives a probability")
        if layer.units > 1 and activation == "softmax":
            why = f"The loss treats each output of {layer.path} as independent, but softmax makes the outputs compete."
            return Mismatch(
                False, why, "loss", loss, "categorical_crossentropy", "fits outputs that exclude each other"
            )
        if activation in RECTIFIED or (activation == "tanh" and not from_logits):
            why = f"The {activation} outputs of {layer.path} are not probabilities."
            return Mismatch(True, why, "activation", activation, "sigmoid", "gives a probability")
        if activation == "sigmoid" and from_logits:
            why = f"The sigmoid is applied twice: in {layer.path} and in the loss."
            return Mismatch(False, why, "from_logits", "True", "False", "the output is a probability already")
        if activation == "linear" and not from_logits:
            why = f"The loss reads the logits of {layer.path} as probabilities."
            return Mismatch(True, why, "from_logits", "False", "True", "the output is logits")
    if layer.units == 1 and activation == "softmax":
        return Mismatch(True, _always_one(layer), "activation", "softmax", "linear", "can take any value")
    return None
