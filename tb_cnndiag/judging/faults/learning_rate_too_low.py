"""Updates so small that nothing is learned in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, changed_learning_rate, consecutive_snapshots, rounded
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.loss import relative_loss, training_loss
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.judging.signals.series import max_over_layers, median_over_layers, trainable_rows, values_at
from tb_cnndiag.judging.signals.updates import update_ratios
from tb_cnndiag.wording import percent, plural

# Usual update-to-weight ratio (median over layers) at the beginning of a training.
USUAL = 1e-2
# A warm-up whose updates are this many times too small would take many times the snapshots so far.
PATIENCE = 20
# Highest usual initial learning rate, by optimizer. For other optimizers, which scale each update: 0.01.
HIGHEST = {"SGD": 0.1, "Adagrad": 0.1, "Ftrl": 0.1, "Adadelta": 1.0}


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
        "gradient": Limit(
            1e-3, "ratio", "Gradient-to-weight ratio (maximum over layers) above which there is something to learn."
        ),
        "stuck": Limit(0.8, "ratio", "Loss, relative to the prior loss, above which little was learned."),
        "gain": Limit(0.1, "share", "Decrease of the loss over these snapshots below which the loss hardly falls."),
        "warm_up": Limit(6, "count", "Number of snapshots below which a rising learning rate is a warm-up."),
        "snapshots": consecutive_snapshots(3),
    }
    follows = ("nan_or_inf", "output_loss_mismatch", "bad_init", "frozen_layer", "dead_units", "vanishing_gradient")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, of the whole training; none during a warm-up of the learning rate."""
        updates = update_ratios(history)
        gradients = history.series("gradient_flow", "relative_gradient")
        steps, _ = training_loss(history)
        loss = relative_loss(history)
        if not len(updates) or not len(gradients) or len(steps) < limits["snapshots"] or not np.isfinite(loss).all():
            return
        ratios = values_at(steps, updates.steps, max_over_layers(updates.values))
        gradient = values_at(steps, gradients.steps, max_over_layers(gradients.values[:, trainable_rows(history)]))
        _, rates = history.scalars("training_curve", "learning_rate")
        fallen = bool(rates.size) and rates[-1] < 0.999 * rates.max()
        decrease = (loss[0] - loss.min()) / max(abs(float(loss[0])), 1e-12)
        if fallen and decrease >= limits["gain"]:  # the loss fell before the schedule lowered the rate
            return
        slow = (ratios < limits["step"]) & (gradient > limits["gradient"]) & (loss > limits["stuck"])
        persistence = streak(steps, slow, limits["snapshots"])
        recent = loss[-int(limits["snapshots"]) :]
        gain = float((recent[0] - recent[-1]) / max(abs(recent[0]), 1e-12))
        rises = bool(rates.size) and rates[-1] > 1.001 * rates[0]
        warming = rises and len(steps) < limits["warm_up"] and PATIENCE * ratios[-1] >= limits["step"]
        if persistence is None or gain >= limits["gain"] or warming:
            return
        median = median_over_layers(updates.values)[-1]
        proposed = _higher(history, USUAL / max(float(median), 1e-12))
        if fallen:
            proposed = float(f"{rates.max():g}")
        yield self.finding(
            history,
            None,
            "warning",
            persistence,
            f"The largest update-to-weight ratio of a layer is {percent(float(ratios[-1]))}, and the loss fell by "
            f"{percent(max(gain, 0.0))} in {plural(len(recent), 'snapshot')}.",
            evidence={
                "step": Evidence(float(ratios[-1]), limits["step"], "ratio"),
                "gain": Evidence(gain, limits["gain"], "share"),
            },
            adjustments=(
                changed_learning_rate(
                    learning_rate(history),
                    proposed,
                    "it fell before anything was learned: keep the initial rate"
                    if fallen
                    else f"brings the update-to-weight ratio to about {USUAL:g}",
                ),
            ),
        )


def _higher(history: History, factor: float) -> float | str:
    """``factor`` times the learning rate, within the usual range of the optimizer; advice if the rate is unknown."""
    rate = learning_rate(history)
    if not rate:
        return f"{factor:.0f} × as high"
    highest = HIGHEST.get(optimizer_name(history), 0.01)
    return rounded(min(rate * factor, max(highest, 10 * rate)))
