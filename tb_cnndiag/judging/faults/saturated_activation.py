"""Hidden units that stay at the ends of their range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.conditions import Above
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import fitting_initializer, lower_learning_rate
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.configuration import bias_initializer
from tb_cnndiag.judging.signals.saturation import SATURATED_SHARE
from tb_cnndiag.judging.thresholds import EPOCHS, Limit
from tb_cnndiag.numerics.activations import SATURATION
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.wording import percent

# Number of units below which a share says nothing.
FEW_UNITS = 4


def _bounded(signals: Signals) -> list[int]:
    """Hidden layers of a bounded activation, but no gates."""
    return [
        row
        for row, layer in enumerate(signals.layers)
        if layer.activation in SATURATION and not layer.output and layer.units >= FEW_UNITS and not _is_gate(layer)
    ]


def _is_gate(layer: LayerInfo) -> bool:
    """A gate, as in squeeze-and-excitation, is meant to be open or closed: one value per channel and image."""
    return layer.role == "conv" and layer.activation.endswith("sigmoid") and layer.output_shape[:-1] == (1, 1)


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    layer, shares = case.layer, case.signals(SATURATED_SHARE)
    found = [Adjustment.of(SetParameter(layer.path, "activation", "relu"), layer.activation, "has no upper bound")]
    if shares.steps[0] > 0 or not shares.values[0, case.row] >= case.limits["pinned_ratio"]:
        found.append(lower_learning_rate(case.signals, "large updates push units to their bounds"))
        return tuple(found)
    bias = bias_initializer(layer)
    if bias not in ("", "zeros"):
        change = SetParameter(layer.path, "bias_initializer", "zeros")
        found.append(Adjustment.of(change, bias, "this bias saturates units"))
    fitting = fitting_initializer(layer, "keeps the scale of signals under ReLU (He et al. 2015)", activation="relu")
    return (*found, fitting) if fitting else tuple(found)


class SaturatedActivation(Fault):
    """Share of hidden units that are near a bound on at least 90 % of their values."""

    id = "saturated_activation"
    title = "Saturated activation"
    what = "Hidden units of a bounded activation stay at an end of its range for nearly every input."
    why = "The slope is nearly 0 there: no gradient passes, so earlier layers learn nothing through these units."
    advice = "Use ReLU, normalize the input, use a suitable initializer (Glorot), or lower the learning rate."
    source = (
        "Glorot & Bengio 2010; Amazon SageMaker Debugger rules Tanh and Saturated Activation (50 % of units; "
        "healthy layers have almost none)."
    )
    diagnostic = "saturation"
    limits: ClassVar[Mapping[str, Limit]] = {
        "pinned_ratio": Limit(0.4, "share", "Share of saturated units in a hidden layer above which it is faulty."),
        "epochs": EPOCHS,
    }
    kinds = (
        Kind(
            where=_bounded,
            when=Above(SATURATED_SHARE, "pinned_ratio").for_epochs(),
            severity="warning",
            message=lambda case: (
                f"In {case.layer.path}, {percent(case.value('pinned_ratio'))} of the units are saturated: they stay at "
                f"a bound of {case.layer.activation}."
            ),
            adjustments=_adjustments,
        ),
    )
