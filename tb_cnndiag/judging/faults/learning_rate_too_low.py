"""Updates so small that nothing is learned in time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.concepts import NOTHING_LEARNED_WHILE_FINITE
from tb_cnndiag.judging.conditions import Above, Below, Falls, Flat, Is, Known
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import changed_learning_rate, rounded
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.gradients import LARGEST_RELATIVE_GRADIENT
from tb_cnndiag.judging.signals.loss import FINITE_RELATIVE_LOSS, LOSS_DECREASE
from tb_cnndiag.judging.signals.schedule import highest_rate, rate_has_risen, rate_was_lowered
from tb_cnndiag.judging.signals.updates import LARGEST_UPDATE_RATIO, MEDIAN_UPDATE_RATIO, PATIENT_UPDATE_RATIO
from tb_cnndiag.judging.thresholds import EPOCHS, PLATEAU, STUCK, Limit
from tb_cnndiag.wording import percent

# Usual update-to-weight ratio (median over layers) at the beginning of a training.
USUAL = 1e-2
# Highest usual initial learning rate, by optimizer. For other optimizers, which scale each update: 0.01.
HIGHEST = {"SGD": 0.1, "Adagrad": 0.1, "Ftrl": 0.1, "Adadelta": 1.0}


def _higher(signals: Signals, factor: float) -> float | str:
    """``factor`` times the learning rate, within the usual range of the optimizer; advice if the rate is unknown."""
    rate = learning_rate(signals)
    if not rate:
        return f"{factor:.0f} × as high"
    highest = HIGHEST.get(optimizer_name(signals), 0.01)
    return rounded(min(rate * factor, max(highest, 10 * rate)))


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    if rate_was_lowered(case.signals):
        proposed: float | str = float(f"{highest_rate(case.signals):g}")
        reason = "it fell before anything was learned: keep the initial rate"
    else:
        median = case.signals(MEDIAN_UPDATE_RATIO).last()
        proposed = _higher(case.signals, USUAL / max(median, 1e-12))
        reason = f"brings the update-to-weight ratio to about {USUAL:g}"
    return (changed_learning_rate(learning_rate(case.signals), proposed, reason),)


def _message(case: Case) -> str:
    ratio, gain = percent(case.value("step")), case.value("gain")
    fall = "hardly falls" if math.isnan(gain) else f"falls by {percent(max(gain, 0.0))} per epoch"
    return f"The largest update-to-weight ratio of a layer is {ratio}, and the loss {fall}."


class LearningRateTooLow(Fault):
    """Size of the updates in every layer, while there is a gradient and the loss hardly falls."""

    id = "learning_rate_too_low"
    title = "Learning rate too low"
    what = "The layers receive a gradient, but updates hardly change any layer, and the loss hardly falls."
    why = "The network still has nearly its initial weights: the training time is wasted."
    advice = "Raise the learning rate until the update-to-weight ratio is a few thousandths."
    source = (
        "CS231n, Babysitting the learning process (update-to-weight ratio about 1e-3); AUTOTRAINER, slow convergence."
    )
    diagnostic = "update_ratio"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "step": Limit(2e-4, "ratio", "Update-to-weight ratio (maximum over layers) below which updates are too small."),
        "small_step": Limit(1e-3, "ratio", "The same, if nothing at all was learned."),
        "little": Limit(0.8, "ratio", "Loss, relative to the prior loss, above which little was learned."),
        "gain": Limit(
            0.05, "share", "Mean decrease of the loss per epoch, or decrease before a rate was lowered, that is enough."
        ),
        "still": PLATEAU,
        "stuck": STUCK,
        "epochs": EPOCHS.at(3),
    }
    former: ClassVar[Mapping[str, str | None]] = {"gradient": "step", "warm_up": None}
    kinds = (
        Kind(
            when=(
                (
                    Below(LARGEST_UPDATE_RATIO, "step")
                    & Above(LARGEST_RELATIVE_GRADIENT, "step", strict=True, shown="gradient")
                    & Above(FINITE_RELATIVE_LOSS, "little", strict=True)
                ).for_epochs(complete=True)
                # Updates that are somewhat larger, if nothing at all was learned.
                | (
                    Below(LARGEST_UPDATE_RATIO, "small_step", shown="step")
                    & Above(LARGEST_RELATIVE_GRADIENT, "step", strict=True, shown="gradient")
                    & NOTHING_LEARNED_WHILE_FINITE
                ).for_epochs(complete=True)
                & Flat(FINITE_RELATIVE_LOSS, "still")
            )
            & ~Known(Falls(FINITE_RELATIVE_LOSS, "gain"))
            & ~Known(Is(rate_was_lowered) & Above(LOSS_DECREASE, "gain"))
            & ~Known(Is(rate_has_risen) & Above(PATIENT_UPDATE_RATIO, "step")),
            severity="warning",
            message=_message,
            adjustments=_adjustments,
        ),
    )
