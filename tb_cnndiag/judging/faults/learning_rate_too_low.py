"""Steps so small that nothing is learned in the time there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import (
    Fault,
    Limit,
    changed_learning_rate,
    learning_rate,
    optimizer_name,
    rounded,
    streak,
)
from tb_cnndiag.judging.faults.loss_progress import at, largest, losses, middle, progress, step_sizes, trained_rows

# ‖Δw‖/‖w‖ per step of half the layers with which trainings usually begin.
USUAL = 1e-2
# A warm-up that has come to a smaller part of the least step would take many times the snapshots there were.
PATIENCE = 20
# Rates with which trainings hardly ever begin higher, by optimizer; of those not named, which scale each step, 0.01.
HIGHEST = {"SGD": 0.1, "Adagrad": 0.1, "Ftrl": 0.1, "Adadelta": 1.0}


class LearningRateTooLow(Fault):
    """Size of the steps in every layer, where there is gradient and the loss hardly falls."""

    id = "learning_rate_too_low"
    title = "Learning rate too low"
    what = "Every layer receives gradient, yet a step hardly changes any of them, and the loss hardly falls."
    why = "The network is still nearly what it was at the start: the time spent teaches it nothing."
    advice = "Raise the learning rate until a step changes the weights by a few thousandths."
    source = "CS231n, Babysitting the learning process (update ratio about 1e-3); AUTOTRAINER, slow convergence."
    diagnostic = "update_ratio"
    limits: ClassVar[Mapping[str, Limit]] = {
        "step": Limit(2e-4, "ratio", "‖Δw‖/‖w‖ per step below which every layer must be"),
        "gradient": Limit(1e-3, "ratio", "largest ‖g‖/‖w‖ of a layer from which there is something to learn"),
        "stuck": Limit(0.8, "ratio", "loss over that of chance, or its first, above which little was learned"),
        "gain": Limit(0.1, "share", "fall of the loss over the snapshots, below which it hardly falls"),
        "warm_up": Limit(6, "count", "looks up to which a rising learning rate is given time"),
        "snapshots": Limit(3, "count", "consecutive looks at which it must hold"),
    }
    follows = ("nan_or_inf", "output_loss_mismatch", "bad_init", "frozen_layer", "dead_units", "vanishing_gradient")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, of the whole training; none while the learning rate is being warmed up."""
        sizes = step_sizes(history)
        gradients = history.series("gradient_flow", "relative_gradient")
        steps, _ = losses(history)
        course = progress(history)
        if not len(sizes) or not len(gradients) or len(steps) < limits["snapshots"] or not np.isfinite(course).all():
            return
        size = at(steps, sizes.steps, largest(sizes.values))
        gradient = at(steps, gradients.steps, largest(gradients.values[:, trained_rows(history)]))
        _, rates = history.scalars("training_curve", "learning_rate")
        fallen = bool(rates.size) and rates[-1] < 0.999 * rates.max()
        fell = (course[0] - course.min()) / max(abs(float(course[0])), 1e-12)
        if fallen and fell >= limits["gain"]:  # a schedule that has fallen had its chance before
            return
        slow = (size < limits["step"]) & (gradient > limits["gradient"]) & (course > limits["stuck"])
        when = streak(steps, slow, limits["snapshots"])
        recent = course[-int(limits["snapshots"]) :]
        gain = float((recent[0] - recent[-1]) / max(abs(recent[0]), 1e-12))
        rises = bool(rates.size) and rates[-1] > 1.001 * rates[0]
        warming = rises and len(steps) < limits["warm_up"] and PATIENCE * size[-1] >= limits["step"]
        if when is None or gain >= limits["gain"] or warming:
            return
        usual = middle(sizes.values)[-1]
        proposed = _higher(history, USUAL / max(float(usual), 1e-12))
        if fallen:
            proposed = float(f"{rates.max():g}")
        yield self.finding(
            history,
            None,
            "warning",
            when,
            f"A step changes no layer by more than {size[-1]:.1g} of its size, and the loss fell by {max(gain, 0):.1%} "
            f"in {len(recent)} snapshots.",
            evidence={
                "step": Evidence(float(size[-1]), limits["step"], "ratio"),
                "gain": Evidence(gain, limits["gain"], "share"),
            },
            adjustments=(
                changed_learning_rate(
                    learning_rate(history),
                    proposed,
                    "it fell before anything was learned: keep it where it began"
                    if fallen
                    else f"brings a step to about {USUAL:g} of the weights",
                ),
            ),
        )


def _higher(history: History, factor: float) -> float | str:
    """The learning rate times ``factor``, within what the optimizer is used with; advice when the rate is unknown."""
    rate = learning_rate(history)
    if not rate:
        return f"{factor:.0f} × as high"
    highest = HIGHEST.get(optimizer_name(history), 0.01)
    return rounded(min(rate * factor, max(highest, 10 * rate)))
