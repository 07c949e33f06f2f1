"""An output layer that does not provide what the loss expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, cast

import numpy as np

from tb_cnndiag.changes import Change, SetParameter, SetTraining
from tb_cnndiag.finding import Adjustment, Evidence, Severity
from tb_cnndiag.judging.answers import Answer
from tb_cnndiag.judging.conditions import Condition, Limits
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.fitting import Mismatch, mismatch
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.targets import head
from tb_cnndiag.judging.thresholds import ONE_CLASS, STUCK, Limit
from tb_cnndiag.payloads import LayerInfo


class Misfits(Condition):
    """Whether the output does not fit the loss and the targets: see :mod:`tb_cnndiag.judging.fitting`."""

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """Unknown with several outputs or losses, or where it is not known what the loss needs."""
        always = np.ones((1, 1), bool)
        output = head(signals)
        if output is None:
            reasons = ("the run has several outputs or losses, or its loss is not known",)
            return Answer(np.zeros(1, np.int64), ~always, ~always, reasons=reasons)
        fits = mismatch(output, limits) is None
        if fits and output.loss.open_:
            return Answer(np.zeros(1, np.int64), ~always, ~always, reasons=(output.loss.open_,))
        return Answer(np.zeros(1, np.int64), always & (not fits), always & fits)

    def names(self) -> frozenset[str]:
        """All thresholds of the checks."""
        return frozenset(OutputLossMismatch.limits)


def _found(case: Case) -> tuple[LayerInfo, Mismatch]:
    output = head(case.signals)
    assert output is not None
    found = mismatch(output, case.limits)
    assert found is not None
    return output.layer, found


def _place(case: Case) -> int | None:
    output = head(case.signals)
    return output.row if output else None


def _reported(case: Case) -> dict[str, Evidence]:
    output = head(case.signals)
    assert output is not None
    found = {"units": Evidence(float(output.layer.units), None, "count")}
    if np.isfinite(output.row_sum_error):
        found["row_sum_error"] = Evidence(output.row_sum_error, case.limits["row_sum_error"], "ratio")
    return found


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    layer, found = _found(case)
    output = head(case.signals)
    assert output is not None
    return (_adjustment(layer, found), *_with_it(layer, found, output.loss.family))


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
    place = None if found.parameter in ("labels", "targets") else layer.path
    return Adjustment(place, found.parameter, found.current, found.proposed, found.reason)


def _activation(layer: LayerInfo, proposed: str, reason: str) -> Adjustment:
    return Adjustment.of(SetParameter(layer.path, "activation", proposed), layer.activation, reason)


def _with_it(layer: LayerInfo, found: Mismatch, family: str) -> tuple[Adjustment, ...]:
    """Changes that the number of outputs or the loss needs in addition."""
    if found.proposed == "binary_crossentropy":
        return (_activation(layer, "sigmoid", "gives a probability for each label"),)
    if found.proposed == "categorical_crossentropy" and layer.activation == "sigmoid":
        return (_activation(layer, "softmax", "gives a distribution over classes"),)
    if found.parameter != "units" or family not in ("binary", "categorical"):
        return ()
    reason = "several outputs that exclude each other"
    softmax = _activation(layer, "softmax", reason)
    if family != "binary":
        return (softmax,) if layer.units == 1 else ()
    sparse = SetTraining("loss", "sparse_categorical_crossentropy")
    return softmax, Adjustment.of(sparse, "binary_crossentropy", reason)


def _single_softmax(signals: Signals) -> list[int]:
    """Output layers with a softmax over a single output: wrong with any loss."""
    return [
        row
        for row, layer in enumerate(signals.layers)
        if layer.output and layer.units == 1 and layer.activation == "softmax" and head(signals) is None
    ]


class Always(Condition):
    """True."""

    def answer(self, signals: Signals, limits: Limits) -> Answer:
        """Yes."""
        always = np.ones((1, 1), bool)
        return Answer(np.zeros(1, np.int64), always, ~always)

    def names(self) -> frozenset[str]:
        """No thresholds."""
        return frozenset()


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
        "row_sum_error": Limit(
            0.01, "ratio", "Mean |sum of outputs − 1| below which the outputs are a distribution.", "rounding"
        ),
        "one_class": ONE_CLASS,
        "outside": Limit(
            0.05, "share", "Share of the target range outside the output range above which they do not fit."
        ),
        "wasted": Limit(
            0.25, "share", "Share of the target range outside the output range above which the severity is an error."
        ),
        "target_size": Limit(
            100, "target", "Absolute target above which targets are too large, if their mean is not even learned."
        ),
        "stuck": STUCK,
    }
    kinds = (
        Kind(
            when=Misfits(),
            at=_place,
            severity=lambda case: cast(Severity, _found(case)[1].severity),
            message=lambda case: _found(case)[1].message,
            adjustments=_adjustments,
            reported=_reported,
        ),
        Kind(
            where=_single_softmax,
            when=Always(),
            message=lambda case: f"The softmax of the single output of {case.layer.path} is always 1.",
            adjustments=lambda case: (_activation(case.layer, "sigmoid", "gives a probability"),),
            reported=lambda case: {"units": Evidence(1.0, None, "count")},
        ),
    )
