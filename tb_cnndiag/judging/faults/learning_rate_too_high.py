"""Updates so large that the loss does not fall, or rises again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.concepts import ENDS_HIGH, NOTHING_LEARNED_WHILE_FINITE
from tb_cnndiag.judging.conditions import Above, Condition, Flat, Is, Known
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import changed_learning_rate, clip, rounded
from tb_cnndiag.judging.signals.configuration import (
    has_cyclical_learning_rate,
    learning_rate,
    scales_updates,
)
from tb_cnndiag.judging.signals.dead_units import DIED_SHARE, FIRST_DEAD_SHARE, died
from tb_cnndiag.judging.signals.layers import single_layer
from tb_cnndiag.judging.signals.loss import FINITE_RELATIVE_LOSS, LOSS_RISE, LOSS_ZIGZAG
from tb_cnndiag.judging.signals.non_finite import has_non_finite
from tb_cnndiag.judging.signals.regularization import regularization_dominates
from tb_cnndiag.judging.signals.schedule import rate_was_cut
from tb_cnndiag.judging.signals.updates import MEDIAN_UPDATE_RATIO, OVERFLOWING_UPDATE, PEAK_UPDATE_RATIO
from tb_cnndiag.judging.signals.weights import WEIGHT_GROWTH
from tb_cnndiag.judging.thresholds import DEAD_LAYER, EPOCHS, HARMLESS, LARGE_UPDATES, PLATEAU, RISE, STUCK, Limit
from tb_cnndiag.wording import percent, times

# Update-to-weight ratio of healthy trainings: of the order of 1e-3 (CS231n, Babysitting the learning process).
USUAL = 3e-3


def _scaled_again(case: Case) -> float:
    """The update-to-weight ratio with the initial weights.

    An optimizer that scales each update changes weights that have grown by as much as before: a smaller share.
    """
    ratio = case.value("step")
    growth = case.signals(WEIGHT_GROWTH).last() if scales_updates(case.signals) else 1.0
    return ratio * max(growth, 1.0)


def _adjustments(ratio: Callable[[Case], float]) -> Callable[[Case], tuple[Adjustment, ...]]:
    """A learning rate that brings ``ratio`` (0 or NaN: unknown) to the usual update-to-weight ratio."""

    def proposed(case: Case) -> tuple[Adjustment, ...]:
        rate, present = learning_rate(case.signals), ratio(case)
        factor = min(USUAL / present, 0.1) if present > 0 else 0.1
        value = rounded(rate * factor) if rate else f"{factor:.2g} × as high"
        return (
            changed_learning_rate(rate, value, f"brings the update-to-weight ratio to about {USUAL:g}"),
            *clip(case.signals, "bounds the size of each update"),
        )

    return proposed


def _size_of_updates(case: Case) -> str:
    ratio = case.value("overflow") if "overflow" in case.outcome.evidence else case.value("step")
    if not ratio >= case.limits["step"] and case.value("growth") >= case.limits["growth"]:
        return f"Updates have made the weights {times(case.value('growth'))} as large as the initial ones"
    if ratio < 1:
        return f"Updates change the weights by up to {percent(ratio)} of their size"
    return f"Updates are {times(ratio)} as large as the weights"


def _message(effect: str) -> Callable[[Case], str]:
    """The size of the updates, their effect, and the layer whose units died, if there is one."""

    def message(case: Case) -> str:
        share, row = died(case.signals)
        words = f"{_size_of_updates(case)}, and {effect}."
        if row is None or not share.last() >= case.limits["died"]:
            return words
        return f"{words} As a result, {percent(share.last())} of the units of {case.signals.layers[row].path} died."

    return message


def _died_message(case: Case) -> str:
    share, row = died(case.signals)
    assert row is not None
    context = "after large updates" if case.value("step") >= case.limits["step"] else "and nothing was learned"
    path = case.signals.layers[row].path
    return f"During training, {percent(share.last())} of the units of {path} died, {context}."


LARGE = Known(Above(PEAK_UPDATE_RATIO, "step")) | Known(Above(WEIGHT_GROWTH, "growth"))
NOT_REGULARIZED = ~Is(regularization_dominates)
ON_PLATEAU = Flat(FINITE_RELATIVE_LOSS, "gain")
# Units that died at a rate that has been cut since: they are the fault that is left.
LEFT_BEHIND = Is(rate_was_cut) & Known(Above(DIED_SHARE, "died_after_large_updates"))
UNSTEADY = Above(LOSS_RISE, "rise") | Above(LOSS_ZIGZAG, "rise").unless(Is(has_cyclical_learning_rate))


def _high_loss(when: Condition, effect: str) -> Kind:
    """A loss that is high while updates are large."""
    return Kind(when=when & NOT_REGULARIZED, message=_message(effect), adjustments=_adjustments(_scaled_again))


class LearningRateTooHigh(Fault):
    """Size of the updates together with the course of the loss: neither is a fault alone."""

    id = "learning_rate_too_high"
    title = "Learning rate too high"
    what = "Each update changes the weights by a large share of their size, and the loss does not fall, or rises again."
    why = "Updates overshoot the minimum: the loss oscillates, and a single update can kill units permanently."
    advice = (
        "Lower the learning rate until updates are about 0.3 % of the weights. Add a warm-up, or clip the gradient."
    )
    source = (
        "CS231n, Babysitting the learning process (update-to-weight ratio about 1e-3); AUTOTRAINER, oscillating loss."
    )
    diagnostic = "update_ratio"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "step": LARGE_UPDATES,
        "growth": Limit(
            3,
            "ratio",
            "RMS weight relative to the initial one (median over layers) above which updates were too large.",
        ),
        "rise": RISE,
        "gain": PLATEAU,
        "died": DEAD_LAYER,
        "died_after_large_updates": Limit(
            0.6,
            "share",
            "Share of a layer's units that died after large updates above which these updates are the cause.",
        ),
        "stuck": STUCK,
        "harmless_loss": HARMLESS,
        "epochs": EPOCHS.at(3),
    }
    former: ClassVar[Mapping[str, str | None]] = {
        "overflow": "step",
        "swinging_step": "step",
        "zigzag": "rise",
        "high": "harmless_loss",
    }
    kinds = (
        Kind(
            when=Above(OVERFLOWING_UPDATE, "step", shown="overflow"),
            message=lambda case: f"{_size_of_updates(case)}, and the weights overflow.",
            adjustments=_adjustments(lambda case: case.value("overflow")),
        ),
        # The loss of a linear model at its optimum would oscillate if updates were too large.
        _high_loss(
            (LARGE & NOTHING_LEARNED_WHILE_FINITE).for_epochs()
            & ~(Is(single_layer) & Known(ON_PLATEAU))
            & ~LEFT_BEHIND,
            "the loss does not fall",
        ),
        _high_loss(
            (Above(MEDIAN_UPDATE_RATIO, "step") & Above(FINITE_RELATIVE_LOSS, "harmless_loss")).for_epochs()
            & ON_PLATEAU
            & ~Is(single_layer),
            "the loss is on a high plateau",
        ),
        _high_loss(
            (Above(MEDIAN_UPDATE_RATIO, "step") & UNSTEADY).for_epochs() & ENDS_HIGH,
            "the loss oscillates",
        ),
        Kind(
            when=(
                (Above(DIED_SHARE, "died") & NOTHING_LEARNED_WHILE_FINITE)
                | (Above(DIED_SHARE, "died_after_large_updates") & LARGE & ENDS_HIGH)
            ).for_epochs(complete=True)
            & NOT_REGULARIZED
            & ~LEFT_BEHIND
            & ~Known(Above(FIRST_DEAD_SHARE, "died"))
            & ~Is(has_non_finite),
            message=_died_message,
            adjustments=_adjustments(lambda case: 0.0),
        ),
    )
