"""Updates so small that nothing is learned in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.conditions import Above, Below, Falls, Known
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import changed_learning_rate, rounded
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.gradients import LARGEST_RELATIVE_GRADIENT
from tb_cnndiag.judging.signals.loss import FINITE_RELATIVE_LOSS, LOSS_DECREASE
from tb_cnndiag.judging.signals.schedule import RATE_FALL, WARM_UP, highest_rate
from tb_cnndiag.judging.signals.updates import LARGEST_UPDATE_RATIO, MEDIAN_UPDATE_RATIO, PATIENT_UPDATE_RATIO
from tb_cnndiag.judging.thresholds import EPOCHS, STUCK, Limit
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


def _fallen(case: Case) -> bool:
    """Whether a schedule has lowered the learning rate."""
    return case.signals(RATE_FALL).last() > case.limits["fallen"]


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    if _fallen(case):
        proposed: float | str = float(f"{highest_rate(case.signals):g}")
        reason = "it fell before anything was learned: keep the initial rate"
    else:
        median = case.signals(MEDIAN_UPDATE_RATIO).last()
        proposed = _higher(case.signals, USUAL / max(median, 1e-12))
        reason = f"brings the update-to-weight ratio to about {USUAL:g}"
    return (changed_learning_rate(learning_rate(case.signals), proposed, reason),)


def _message(case: Case) -> str:
    ratio, fall = percent(case.value("step")), percent(max(case.value("gain"), 0.0))
    return f"The largest update-to-weight ratio of a layer is {ratio}, and the loss falls by {fall} per epoch."


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
    limits: ClassVar[Mapping[str, Limit]] = {
        "step": Limit(2e-4, "ratio", "Update-to-weight ratio (maximum over layers) below which updates are too small."),
        "small_step": Limit(
            1e-3, "ratio", "The same, if nothing at all was learned for longer: below it updates are too small."
        ),
        "gradient": Limit(
            1e-3, "ratio", "Gradient-to-weight ratio (maximum over layers) above which there is something to learn."
        ),
        "stuck": Limit(0.8, "ratio", "Loss, relative to the prior loss, above which little was learned."),
        "unlearned": STUCK,
        "gain": Limit(0.05, "share", "Mean decrease of the loss per epoch below which the loss hardly falls."),
        "fallen": Limit(
            1.001, "ratio", "Highest learning rate, relative to the present one, above which a schedule lowered it."
        ),
        "learned": Limit(
            0.1, "share", "Decrease of the loss above which a rate that was lowered since was high enough."
        ),
        "warm_up": Limit(6, "count", "Number of epochs below which a rising learning rate is a warm-up."),
        "epochs": EPOCHS.at(3),
        "lasting": EPOCHS.at(5, "Number of epochs for which updates below `small_step` must have taught nothing."),
        "recent": EPOCHS.at(2, "Number of epochs over which the decrease of the loss is measured."),
    }
    kinds = (
        Kind(
            when=(
                (
                    Below(LARGEST_UPDATE_RATIO, "step")
                    & Above(LARGEST_RELATIVE_GRADIENT, "gradient", strict=True)
                    & Above(FINITE_RELATIVE_LOSS, "stuck", strict=True)
                ).for_epochs(complete=True)
                # Updates that are somewhat larger, if for longer nothing at all was learned.
                | (
                    Below(LARGEST_UPDATE_RATIO, "small_step", shown="step")
                    & Above(LARGEST_RELATIVE_GRADIENT, "gradient", strict=True)
                    & Above(FINITE_RELATIVE_LOSS, "unlearned", shown="stuck")
                ).for_epochs("lasting", complete=True)
            )
            & ~Known(Falls(FINITE_RELATIVE_LOSS, "gain", "recent"))
            & ~Known(Above(RATE_FALL, "fallen", strict=True) & Above(LOSS_DECREASE, "learned"))
            & ~Known(Below(WARM_UP, "warm_up") & Above(PATIENT_UPDATE_RATIO, "step")),
            severity="warning",
            message=_message,
            adjustments=_adjustments,
        ),
    )
