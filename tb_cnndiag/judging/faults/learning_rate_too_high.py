"""Steps so large that the loss does not fall, or does not stay where it had fallen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.finding import Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import (
    Fault,
    Limit,
    Streak,
    changed_learning_rate,
    clip,
    learning_rate,
    optimizer_name,
    rounded,
    streak,
)
from tb_cnndiag.judging.faults.loss_progress import at, gain_per_snapshot, losses, middle, progress, step_sizes
from tb_cnndiag.judging.faults.regularization import overbearing
from tb_cnndiag.judging.faults.signal_growth import exploded
from tb_cnndiag.judging.faults.update_ratio import cycles, growth, killed, overflow, zigzag
from tb_cnndiag.payloads import FloatArray, IntArray

# ‖Δw‖/‖w‖ per step with which trainings go well: the order of 1e-3 (CS231n, Babysitting the learning process).
USUAL = 3e-3
# A loss below this share of its start has converged: what it does there is noise.
CONVERGED = 0.1
REST_SNAPSHOTS = 5
_CHANGES = "A step changes weights by up to {:.0%} of their size, and"


class LearningRateTooHigh(Fault):
    """Size of steps together with what the loss does; neither says anything alone."""

    id = "learning_rate_too_high"
    title = "Learning rate too high"
    what = "Each step changes the weights by a large share of their size, and the loss does not come down, or jumps up."
    why = "Steps overshoot what they aim for: the loss swings, and one such step can kill units for good."
    advice = "Divide the learning rate by what the steps are too large by; add a warm-up, or clip the gradient."
    source = "CS231n, Babysitting the learning process (update ratio about 1e-3); AUTOTRAINER, oscillating loss."
    diagnostic = "update_ratio"
    limits: ClassVar[Mapping[str, Limit]] = {
        "step": Limit(0.03, "ratio", "largest ‖Δw‖/‖w‖ per step of half the layers from which it keeps the loss up"),
        "growth": Limit(3, "ratio", "RMS weight of half the layers over that at the start, from which it is too"),
        "overflow": Limit(1, "ratio", "first steps over the weights from which what is not finite later is their work"),
        "stuck": Limit(0.95, "ratio", "loss over that of chance, or its first, from which nothing was learned"),
        "swinging_step": Limit(0.01, "ratio", "‖Δw‖/‖w‖ per step from which a loss that swings is its work"),
        "rise": Limit(1.5, "ratio", "loss over its best from which it swings"),
        "high": Limit(0.4, "ratio", "loss over that of chance from which a loss at rest is kept up by large steps"),
        "gain": Limit(0.01, "share", "mean fall of the loss per snapshot below which it is at rest"),
        "zigzag": Limit(1.2, "ratio", "loss over that of the snapshot before from which it rises, time and again"),
        "died": Limit(0.9, "share", "dead units of a layer that was alive, from which a step killed it"),
        "maimed_loss": Limit(0.5, "ratio", "loss over that of chance up to which that did no harm"),
        "maimed": Limit(0.6, "share", "the same after steps that changed weights by far"),
        "snapshots": Limit(3, "count", "consecutive looks at which it must hold"),
    }
    follows = ("output_loss_mismatch", "unnormalised_input", "bad_init")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, of the whole training: by overflow, by what the loss does, or by what has died."""
        if exploded(history):
            return
        overflown = overflow(history, limits["overflow"])
        if overflown is not None:
            when, step = overflown
            evidence = {"step": Evidence(step, limits["step"], "ratio")}
            yield self._finding(history, when, f"{_CHANGES.format(step)} numbers overflow.", evidence, step)
            return
        sizes, course = step_sizes(history), progress(history)
        steps, _ = losses(history)
        # Where decay pulls weights to 0 each step is large beside them.
        if not len(sizes) or len(steps) < 2 or not np.isfinite(course).all() or overbearing(history):
            return
        size = at(steps, sizes.steps, middle(sizes.values))
        grown = np.fmax.accumulate(growth(history, steps))
        found = self._by_the_loss(history, limits, steps, course, size, grown)
        if found is None:
            threw = (np.fmax.accumulate(size) >= limits["step"]) | (grown >= limits["growth"])
            found = self._by_deaths(history, limits, steps, course, threw)
        if found is not None:
            yield _where_it_shows(history, found, limits["died"])

    def _by_the_loss(
        self,
        history: History,
        limits: Mapping[str, float],
        steps: IntArray,
        course: FloatArray,
        size: FloatArray,
        grown: FloatArray,
    ) -> Finding | None:
        if len(history.layers) == 1 and _rests(course, limits):
            return None  # a linear model at its best: steps that are too large would make it swing
        peak, best = np.fmax.accumulate(size), np.minimum.accumulate(course)
        stuck = ((peak >= limits["step"]) | (grown >= limits["growth"])) & (course >= limits["stuck"])
        unsteady = course >= limits["rise"] * best
        if not cycles(history):
            unsteady |= zigzag(course, limits["zigzag"])
        swings = (size >= limits["swinging_step"]) & unsteady & (course >= CONVERGED)
        when, how, ratio = streak(steps, stuck, limits["snapshots"]), "the loss does not come down", peak
        if when is None and _rests(course, limits):
            high = (size >= limits["step"]) & (course >= limits["high"])
            when, how, ratio = streak(steps, high, REST_SNAPSHOTS), "the loss has come to rest far above zero", size
        if when is None:
            when, how, ratio = streak(steps, swings, limits["snapshots"]), "the loss swings above its best", size
        if when is None:
            return None
        evidence = {
            "step": Evidence(float(ratio[-1]), limits["step"], "ratio"),
            "rise": Evidence(float(course[-1] / max(best[-1], 1e-12)), limits["rise"], "ratio"),
        }
        # An optimizer that scales each step moves weights as far as ever beside those that it has made large.
        scaled = optimizer_name(history) != "SGD"
        at_start = float(ratio[-1]) * (max(float(grown[-1]), 1.0) if scaled else 1.0)
        return self._finding(history, when, f"{_CHANGES.format(ratio[-1])} {how}.", evidence, at_start)

    def _by_deaths(
        self,
        history: History,
        limits: Mapping[str, float],
        steps: IntArray,
        course: FloatArray,
        threw: NDArray[np.bool_],
    ) -> Finding | None:
        dead, layer = killed(history, steps, limits["died"])
        died = (dead >= limits["died"]) & (course >= limits["stuck"])
        if course[-1] >= limits["maimed_loss"]:
            died |= (dead >= limits["maimed"]) & threw
        when = streak(steps, died, limits["snapshots"])
        if when is None or not when.enough:
            return None
        how = "after steps that changed weights by far" if threw[-1] else "and the loss is still that of the start"
        message = f"{layer}: {dead[-1]:.0%} of its units have died in training, {how}."
        return self._finding(history, when, message, {"died": Evidence(float(dead[-1]), limits["died"], "share")}, 0.0)

    def _finding(
        self, history: History, when: Streak, message: str, evidence: Mapping[str, Evidence], step: float
    ) -> Finding:
        rate = learning_rate(history)
        factor = min(USUAL / step if step else 0.1, 0.1)
        proposed = rounded(rate * factor) if rate else f"{factor:.2g} × as high"
        return self.finding(
            history,
            None,
            "error",
            when,
            message,
            evidence=evidence,
            adjustments=(
                changed_learning_rate(rate, proposed, f"brings a step to about {USUAL:g} of the weights"),
                *clip(history, "bounds each step"),
            ),
        )


def _where_it_shows(history: History, finding: Finding, limit: float) -> Finding:
    """The same, with the name of the layer that has died of it, where one has; the rate is of the whole training."""
    dead, path = killed(history, losses(history)[0], limit)
    if not path or not dead[-1] >= limit or path in finding.message:
        return finding
    return replace(finding, message=f"{finding.message} {path} has died of it.")


def _rests(course: FloatArray, limits: Mapping[str, float]) -> bool:
    """Whether the loss no longer falls."""
    return len(course) > REST_SNAPSHOTS and abs(gain_per_snapshot(course, REST_SNAPSHOTS)) < limits["gain"]
