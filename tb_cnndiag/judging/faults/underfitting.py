"""A loss on a high plateau in a network whose layers are healthy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Severity
from tb_cnndiag.judging.conditions import Above, Below, Flat, Is
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import WIDTH_PARAMETER
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.layers import NARROWEST, hidden_with_units, narrowest
from tb_cnndiag.judging.signals.loss import BEST_OF_FIRST_LOSS
from tb_cnndiag.judging.signals.loss_function import of_classes
from tb_cnndiag.judging.signals.prior_relative_loss import PRIOR_RELATIVE_LOSS
from tb_cnndiag.judging.signals.regularization import weaker_regularization
from tb_cnndiag.judging.signals.updates import MEDIAN_UPDATE_RATIO
from tb_cnndiag.judging.thresholds import EPOCHS, HARMLESS, PLATEAU, SMALL_UPDATES, STUCK, Limit
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.wording import percent, plural


def _regularized(signals: Signals) -> bool:
    """Whether regularization is strong."""
    return bool(weaker_regularization(signals))


def _regularized_or_linear(signals: Signals) -> bool:
    """Whether there is a reason why nothing may have been learned at all."""
    return _regularized(signals) or not hidden_with_units(signals)


def _has_hidden_layers(signals: Signals) -> bool:
    """Whether there are hidden layers of known width."""
    return bool(hidden_with_units(signals))


def _place(case: Case) -> int:
    """The strongly regularized layer, or else the narrowest one."""
    weaker = weaker_regularization(case.signals)
    for row in hidden_with_units(case.signals):
        layer = case.signals.layers[row]
        if weaker and weaker[0].layer in (layer.path, layer.dropout_at):
            return row
    return narrowest(case.signals)


def _severity(case: Case) -> Severity:
    """An info where nothing in the network says that it is too small: the data may not allow more."""
    limited = _regularized_or_linear(case.signals)
    return "warning" if limited or case.signals(NARROWEST).last() < case.limits["wide"] else "info"


def _message(case: Case) -> str:
    layer, weaker = case.signals.layers[narrowest(case.signals)], weaker_regularization(case.signals)
    cause = f"The narrowest layer is {layer.path} with {plural(layer.units, 'unit')}."
    if not hidden_with_units(case.signals):
        cause = f"The only layer is {layer.path}: the decision boundary is linear."
    if weaker:
        place = f" in {weaker[0].layer}" if weaker[0].layer else ""
        cause = f"The regularization is too strong: {weaker[0].parameter} ({weaker[0].current}){place}."
    loss = case.signals(PRIOR_RELATIVE_LOSS).last()
    return f"The training loss is on a plateau at {percent(loss)} of the prior loss. {cause}"


def _narrow_message(case: Case) -> str:
    layer, loss = case.signals.layers[narrowest(case.signals)], percent(case.signals(PRIOR_RELATIVE_LOSS).last())
    return (
        f"The training loss is at {loss} of the prior loss. {layer.path} has {plural(layer.units, 'unit')}: too little "
        "passes it to distinguish the classes."
    )


def _regularized_message(case: Case) -> str:
    strong = weaker_regularization(case.signals)[0]
    place = f" of {strong.layer}" if strong.layer else ""
    loss = percent(case.signals(PRIOR_RELATIVE_LOSS).last())
    return (
        f"The regularization is too strong: {strong.parameter}{place} is {strong.current}, and the training loss stays "
        f"at {loss} of the prior loss."
    )


def _unlearned_message(case: Case) -> str:
    return (
        f"Nothing was learned: the training loss stays at {percent(case.signals(PRIOR_RELATIVE_LOSS).last())} of the "
        "prior loss, although the weights change. If no layer shows why, the labels may not belong to their samples."
    )


_LABELS = Adjustment(None, "labels", "unknown", "those of the samples", "labels in another order cannot be learned")


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    layer = case.signals.layers[narrowest(case.signals)]
    weaker = weaker_regularization(case.signals)
    return weaker or (_wider(layer) if hidden_with_units(case.signals) else _deeper(layer))


def _wider(layer: LayerInfo) -> tuple[Adjustment, ...]:
    parameter = WIDTH_PARAMETER.get(layer.role)
    if parameter is None:
        return ()
    change = SetParameter(layer.path, parameter, max(4 * layer.units, 16))
    return (Adjustment.of(change, str(layer.units), "the narrowest layer limits the information"),)


def _deeper(layer: LayerInfo) -> tuple[Adjustment, ...]:
    return (Adjustment(layer.path, "layers", "1", "2", "a hidden layer makes the decision boundary nonlinear"),)


HIGH = (Is(of_classes) & Above(PRIOR_RELATIVE_LOSS, "harmless_loss")) | Above(PRIOR_RELATIVE_LOSS, "low_regression")
LEARNED = Below(PRIOR_RELATIVE_LOSS, "stuck") | Is(_regularized_or_linear)
ON_PLATEAU = Flat(PRIOR_RELATIVE_LOSS, "gain", full=True)
# So little passes a narrow layer that classes cannot be distinguished, even if the loss has not settled yet.
NARROW = Is(of_classes) & Is(_has_hidden_layers) & Below(NARROWEST, "narrow")


class Underfitting(Fault):
    """A high plateau of the training loss while the weights still change."""

    id = "underfitting"
    title = "Underfitting"
    what = "The training loss no longer falls, although it is still high and the weights still change."
    why = "The network is too narrow, too shallow or too strongly regularized to fit even the training data."
    advice = "Widen the narrowest layer, add layers, or weaken regularization. Check that the labels are right."
    source = "Goodfellow et al. 2016, Deep Learning, section 5.2; CS231n, Babysitting the learning process."
    diagnostic = "training_curve"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "gain": PLATEAU,
        "narrow": Limit(3, "count", "Number of units below which a layer passes little of what distinguishes classes."),
        "harmless_loss": HARMLESS.at(
            0.4, "Loss, relative to the prior loss, above which the loss of a classifier is high."
        ),
        "low_regression": Limit(0.7, "ratio", "Loss, relative to the prior loss, above which any loss is high."),
        "wide": Limit(
            24,
            "count",
            "Units of the narrowest layer above which the data may not allow more: the severity is an info.",
        ),
        "stuck": STUCK,
        "step": SMALL_UPDATES,
        "epochs": EPOCHS.at(5),
    }
    former: ClassVar[Mapping[str, str | None]] = {
        "high": "stuck",
        "far": "low_regression",
        "low": "harmless_loss",
        "slow": None,
        "plateau": "epochs",
    }
    kinds = (
        Kind(
            when=(Above(PRIOR_RELATIVE_LOSS, "stuck") & Is(_regularized)).for_epochs(complete=True),
            at=_place,
            severity="warning",
            message=_regularized_message,
            adjustments=_adjustments,
            causes=dict.fromkeys(
                ("dead_units", "collapsed_output", "redundant_filters", "frozen_layer", "learning_rate_too_low"),
                "what outweighs the loss decides what the weights become",
            ),
        ),
        Kind(
            when=(HIGH & LEARNED).for_epochs(complete=True) & Above(MEDIAN_UPDATE_RATIO, "step") & NARROW,
            at=lambda case: narrowest(case.signals),
            severity="warning",
            message=_narrow_message,
            adjustments=lambda case: _wider(case.signals.layers[narrowest(case.signals)]),
        ),
        Kind(
            when=(HIGH & LEARNED).for_epochs(complete=True) & Above(MEDIAN_UPDATE_RATIO, "step") & ON_PLATEAU,
            at=_place,
            severity=_severity,
            message=_message,
            adjustments=_adjustments,
        ),
        Kind(
            when=(
                Above(PRIOR_RELATIVE_LOSS, "stuck") & Above(BEST_OF_FIRST_LOSS, "stuck", shown="best_of_first")
            ).for_epochs(complete=True)
            & Above(MEDIAN_UPDATE_RATIO, "step"),
            severity="warning",
            message=_unlearned_message,
            adjustments=lambda case: (_LABELS,),
        ),
    )
