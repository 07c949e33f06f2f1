"""Numbers that are not finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Adjustment, Evidence
from tb_cnndiag.judging.conditions import Above
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import clip, lower_learning_rate
from tb_cnndiag.judging.signals.non_finite import NON_FINITE, Appearance, appearances
from tb_cnndiag.judging.thresholds import Limit


def _first(case: Case) -> list[Appearance]:
    """The appearances at the first step; the input comes before everything that is computed from it."""
    found = appearances(case.signals, case.limits["count"])
    step = min(each.step for each in found)
    return [each for each in found if each.step == step]


def _layer(case: Case) -> int | None:
    """The first layer that has it. If every layer has it at once, the loss or the data is the cause, not a layer."""
    first = _first(case)
    amounts = next((each.amounts for each in first if each.amounts.any()), None)
    if amounts is None:
        return None
    everywhere = np.count_nonzero(amounts) == len(case.signals.trainable) > 1
    return None if everywhere and first[0].what != "the input" else int(np.flatnonzero(amounts)[0])


def _message(case: Case) -> str:
    first, row = _first(case), _layer(case)
    place = "the whole model" if row is None else case.signals.layers[row].path
    return (
        f"NaN or infinity appeared in {place} at step {first[0].step:,}: in {', '.join(each.what for each in first)}."
    )


def _epsilon(case: Case) -> tuple[Adjustment, ...]:
    facts = case.signals.info.loss_facts
    if facts is None or facts.finite_at_bounds is not False:
        return ()
    reason = "the loss is not finite where an output is exactly 0 or 1"
    return (Adjustment(None, "loss", "logarithm of an output", "logarithm of an output + 1e-7", reason),)


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    return (
        *_epsilon(case),
        lower_learning_rate(case.signals, "updates that are too large overflow"),
        *clip(case.signals, "bounds each update"),
        Adjustment(None, "data", "unknown", "finite", "a single NaN in the data is enough"),
    )


class NanOrInf(Fault):
    """The first step and layer with NaN or infinity."""

    id = "nan_or_inf"
    title = "NaN or infinity"
    what = "The input, weights, activations, gradients or the loss contain NaN or infinity."
    why = "NaN spreads through every layer within one step and never disappears. The run is wasted from that step on."
    advice = (
        "Check the data for NaN. Add an epsilon inside logarithms and divisions. Clip the gradient, or lower the "
        "learning rate."
    )
    source = (
        "IEEE 754; Amazon SageMaker Debugger, rule NaN. The loss alone is not reliable: a fused graph can hide NaN."
    )
    diagnostic = "weight_health"
    limits: ClassVar[Mapping[str, Limit]] = {
        "count": Limit(
            0, "count", "Number of non-finite values in a layer above which the layer is faulty.", "IEEE 754"
        )
    }
    kinds = (
        Kind(
            when=Above(NON_FINITE, "count", strict=True),
            at=_layer,
            message=_message,
            adjustments=_adjustments,
            reported=lambda case: {"first_step": Evidence(float(_first(case)[0].step), None, "step")},
        ),
    )
