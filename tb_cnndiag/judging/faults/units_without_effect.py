"""Units that have no effect on the answers, proved from the weights alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Severity
from tb_cnndiag.judging.conditions import Above, Below
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import WIDTH_PARAMETER
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.certain import (
    CALLED,
    CONSTANT_UNITS,
    IDLE_UNITS,
    MASKED_SHARE,
    NO_EFFECT,
    REMOVABLE_PARAMETERS,
    UNREAD_UNITS,
    ZERO_FILTERS,
    audited,
    idle_units,
    pruned,
)
from tb_cnndiag.judging.thresholds import Limit
from tb_cnndiag.wording import percent, plural


def _count(case: Case, signal: object) -> int:
    assert case.row is not None
    value = case.signals(signal).last(case.row)  # type: ignore[arg-type]
    return int(value) if value == value else 0


def _message(case: Case) -> str:
    layer = case.layer
    zero, constant, unread = (_count(case, signal) for signal in (ZERO_FILTERS, CONSTANT_UNITS, UNREAD_UNITS))
    idle = len(idle_units(case.signals, layer))
    proofs = [
        f"{count:,} {one if count == 1 else several} {proof}"
        for count, one, several, proof in (
            (zero, "has", "have", "weights of 0 or lost in rounding"),
            (constant - zero, "gives", "give", "the same output for every input within their bounds"),
            (unread, "is", "are", "read with zero weights only"),
        )
        if count > 0
    ]
    what = f"In {layer.path}, {plural(idle, 'unit')} of {layer.units:,} {'has' if idle == 1 else 'have'} no effect"
    text = f"{what} that depends on the input: {', '.join(proofs)}."
    if pruned(case.signals):
        return f"{text} Their zeros are probably the mask of a pruning."
    return text


def _share(case: Case) -> float:
    """Share of the parameters of the whole model that could go."""
    return _count(case, REMOVABLE_PARAMETERS) / max(case.signals.info.parameters, 1)


def _severity(case: Case) -> Severity:
    """By what the units cost; units that pruning has masked are intended."""
    if pruned(case.signals):
        return "info"
    many = case.value("units") >= case.limits["layer_share"] * case.layer.units
    return "warning" if many or _share(case) >= case.limits["parameters"] else "info"


def _reported(case: Case) -> dict[str, Evidence]:
    masked = case.signals(MASKED_SHARE).last(case.row or 0)
    found = {
        "zero_filters": Evidence(float(_count(case, ZERO_FILTERS)), None, "count"),
        "removable_units": Evidence(float(_count(case, IDLE_UNITS)), None, "count"),
        "removable_parameters": Evidence(float(_count(case, REMOVABLE_PARAMETERS)), None, "count"),
    }
    return found | ({"masked_share": Evidence(masked, None, "share")} if masked > 0 else {})


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    """A narrower layer, if units can go without any change of the answers."""
    layer, idle = case.layer, _count(case, IDLE_UNITS)
    parameter = WIDTH_PARAMETER.get(layer.role)
    if parameter is None or not 0 < idle < layer.units or layer.output:
        return ()
    saved = percent(_share(case))
    reason = f"saves {saved} of the parameters, and the answers stay the same"
    return (Adjustment.of(SetParameter(layer.path, parameter, layer.units - idle), str(layer.units), reason),)


def _reached(signals: Signals) -> list[int]:
    """Layers of which it is known whether the model calls them."""
    called = signals(CALLED)
    known = [row for row in range(len(signals.layers)) if len(called) and called.last(row) in (0.0, 1.0)]
    return known if any(called.last(row) == 1.0 for row in known) else []


class UnitsWithoutEffect(Fault):
    """Zero filters, units that are constant for every input, and units or layers that nothing reads."""

    id = "units_without_effect"
    title = "Units without effect"
    what = (
        "Units of a saved model have no effect that depends on the input: their weights are zero, their output is the "
        "same for every input, or nothing reads them."
    )
    why = "They cost parameters and time, and often show that a part of the training failed: a dead unit never returns."
    advice = (
        "Remove them: the answers stay the same. If they died in training, lower the learning rate, or use an "
        "activation with a slope below zero."
    )
    source = "Moore 1966, Interval Analysis: bounds of the output of each unit from the weights; not an estimate."
    diagnostic = "certain_units"
    of_audits = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "units": Limit(0, "count", "Number of units without effect above which they are reported.", "they are certain"),
        "layer_share": Limit(
            0.2, "share", "Share of the units of a layer above which the severity is a warning.", "convention"
        ),
        "parameters": Limit(
            0.05, "share", "Share of the model's parameters above which the severity is a warning.", "convention"
        ),
        "called": Limit(
            1, "count", "Calls in one pass through the model below which a layer is not used.", "convention"
        ),
    }
    kinds = (
        Kind(
            where=audited,
            when=Above(NO_EFFECT, "units", strict=True),
            severity=_severity,
            message=_message,
            units=lambda case: idle_units(case.signals, case.layer),
            adjustments=_adjustments,
            reported=_reported,
        ),
        Kind(
            where=_reached,
            when=Below(CALLED, "called"),
            severity="warning",
            message=lambda case: (
                f"The model never calls {case.layer.path}: its {case.layer.parameters:,} parameters have no effect."
            ),
        ),
    )
