"""Steps so large that the loss does not fall, or does not stay where it had fallen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.faults.base import (
    Fault,
    Held,
    Limit,
    held,
    layer_config,
    learning_rate,
    optimizer_config,
    optimizer_name,
    rounded,
)
from tb_cnndiag.faults.progress import at, gain_per_look, losses, middle, progress, step_sizes, trained_rows
from tb_cnndiag.faults.restraints import overbearing
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray, IntArray

# ‖Δw‖/‖w‖ per step with which trainings go well: the order of 1e-3 (CS231n, Babysitting the learning process).
USUAL = 3e-3
# A loss below this share of its start has converged: what it does there is noise.
CONVERGED = 0.1
# Rises in so large a share of so many looks are no chance.
ZIGZAG_LOOKS, ZIGZAG_SHARE = 5, 0.4
REST_LOOKS = 5
# Fewer dead units are those that every layer has.
ALIVE = 0.4
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
        "gain": Limit(0.01, "share", "mean fall of the loss per look below which it is at rest"),
        "zigzag": Limit(1.2, "ratio", "loss over that of the look before from which it rises, time and again"),
        "died": Limit(0.9, "share", "dead units of a layer that was alive, from which a step killed it"),
        "maimed_loss": Limit(0.5, "ratio", "loss over that of chance up to which that did no harm"),
        "maimed": Limit(0.6, "share", "the same after steps that changed weights by far"),
        "looks": Limit(3, "count", "consecutive looks at which it must hold"),
    }
    follows = ("output_loss_mismatch", "unnormalised_input", "bad_init")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, of the whole training."""
        sizes = step_sizes(history)
        steps, _ = losses(history)
        course = progress(history)
        overflow = _overflow(history, limits["overflow"])
        if overflow is not None:
            step = {"step": Evidence(overflow[1], limits["step"], "ratio")}
            told = f"{_CHANGES.format(overflow[1])} numbers overflow."
            yield self._finding(history, overflow[0], told, step, overflow[1])
        if overflow is not None or not len(sizes) or not np.isfinite(course).all():
            return
        if overbearing(history):  # weights are pulled to 0 then, beside which each step is large
            return
        size = at(steps, sizes.steps, middle(sizes.values))
        peak = np.fmax.accumulate(size) if size.size else size
        growth = np.fmax.accumulate(_growth(history, steps))
        grown = growth >= limits["growth"]
        stuck = ((peak >= limits["step"]) | grown) & (course >= limits["stuck"])
        best = np.minimum.accumulate(course) if course.size else course
        swings = (size >= limits["swinging_step"]) & (course >= limits["rise"] * best) & (course >= CONVERGED)
        if not _cycles(history):
            swings |= (size >= limits["swinging_step"]) & (course >= CONVERGED) & _zigzag(course, limits)
        when, how, ratio = held(steps, stuck, limits["looks"]), "the loss does not come down", peak
        if when is None and _rests(course, limits):
            high = (size >= limits["step"]) & (course >= limits["high"])
            when, how, ratio = held(steps, high, REST_LOOKS), "the loss has come to rest far above zero", size
        if when is None:
            when, how, ratio = held(steps, swings, limits["looks"]), "the loss swings above its best", size
        if len(steps) < 2:
            return
        if when is not None:
            evidence = {
                "step": Evidence(float(ratio[-1]), limits["step"], "ratio"),
                "rise": Evidence(float(course[-1] / max(best[-1], 1e-12)), limits["rise"], "ratio"),
            }
            # An optimizer that scales each step moves weights as far as ever beside those that it has made large.
            scaled = optimizer_name(history) != "SGD"
            size_at_start = float(ratio[-1]) * (max(float(growth[-1]), 1.0) if scaled else 1.0)
            yield self._finding(history, when, f"{_CHANGES.format(ratio[-1])} {how}.", evidence, size_at_start)
            return
        dead, layer = _killed(history, steps, limits["died"])
        threw = (peak >= limits["step"]) | grown
        died = (dead >= limits["died"]) & (course >= limits["stuck"])
        if course.size and course[-1] >= limits["maimed_loss"]:
            died |= (dead >= limits["maimed"]) & threw
        when = held(steps, died, limits["looks"])
        if when is not None and when.enough:
            how = "after steps that changed weights by far" if threw[-1] else "and the loss is still that of the start"
            message = f"{layer}: {dead[-1]:.0%} of its units have died in training, {how}."
            evidence = {"died": Evidence(float(dead[-1]), limits["died"], "share")}
            yield self._finding(history, when, message, evidence, 0.0)

    def _finding(
        self, history: History, when: Held, message: str, evidence: Mapping[str, Evidence], step: float
    ) -> Finding:
        rate = learning_rate(history)
        factor = min(USUAL / step if step else 0.1, 0.1)
        current, proposed = (f"{rate:g}", rounded(rate * factor)) if rate else ("unknown", f"{factor:.2g} × as high")
        clipped = any(optimizer_config(history).get(name) for name in ("clipnorm", "clipvalue", "global_clipnorm"))
        clip = () if clipped else (Adjustment(None, "clipnorm", "none", "1.0", "bounds each step"),)
        return self.finding(
            history,
            None,
            "error",
            when,
            message,
            evidence=evidence,
            adjustments=(
                Adjustment(
                    None, "learning_rate", current, proposed, f"brings a step to about {USUAL:g} of the weights"
                ),
                *clip,
            ),
        )


def _rests(course: FloatArray, limits: Mapping[str, float]) -> bool:
    """Whether the loss no longer falls."""
    return len(course) > REST_LOOKS and abs(gain_per_look(course, REST_LOOKS)) < limits["gain"]


def _cycles(history: History) -> bool:
    """Whether a schedule has raised the learning rate after it had fallen: what the loss does then is its work."""
    _, rates = history.scalars("training_curve", "learning_rate")
    changes = np.sign(np.diff(rates))[np.diff(rates) != 0]
    return bool((np.diff(changes) > 0).any())


def _zigzag(course: FloatArray, limits: Mapping[str, float]) -> NDArray[np.bool_]:
    """Where the loss has risen by much in many of the latest looks, if it fell between."""
    window = ZIGZAG_LOOKS
    rises = np.concatenate([[False], course[1:] >= limits["zigzag"] * course[:-1]])
    return np.array([rises[max(i - window + 1, 0) : i + 1].sum() >= ZIGZAG_SHARE * window for i in range(len(course))])


def _killed(history: History, steps: IntArray, limit: float) -> tuple[FloatArray, str]:
    """Largest share of dead units at these steps, of rectified hidden layers, and where it is last.

    Nothing where a layer was dead from the start: that explains what dies later.
    """
    dead = history.series("dead_units", "dead_ratio")
    rows = [
        row
        for row, layer in enumerate(history.layers)
        if layer.trainable and not layer.output and layer.activation in RECTIFIED
        if not layer_config(layer).get("activity_regularizer")  # its penalty can do that
        if len(dead)
        and (dead.values[0, row] < ALIVE or (dead.steps[0] > 0 and dead.values[0, row] < dead.values[-1, row]))
    ]
    born = any(
        dead.values[0, row] >= limit for row, layer in enumerate(history.layers) if len(dead) and not layer.output
    )
    broken = history.series("weight_health", "non_finite")
    # Weights that are not finite leave rectified units at 0 too.
    if born or not rows or (broken.values > 0).any():
        return np.zeros(len(steps)), ""
    shares = np.nan_to_num(dead.values[:, rows])
    return at(steps, dead.steps, shares.max(axis=1)), history.layers[rows[int(shares[-1].argmax())]].path


def _overflow(history: History, limit: float) -> tuple[Held, float] | None:
    """(when, step over weights) when weights overflowed after steps as large as they were at the start.

    The step is told from the optimizer's settings: what was measured is lost in the overflow.
    """
    broken = history.series("weight_health", "non_finite")
    start = history.series("weight_health", "rms")
    gradients = history.series("gradient_flow", "gradient_norm")
    looks = np.flatnonzero((broken.values > 0).any(axis=1))
    rate = learning_rate(history)
    if not looks.size or not rate or not len(gradients) or not len(start) or start.steps[0] > 0:
        return None
    rows = trained_rows(history)
    sizes = start.values[0, rows]
    if optimizer_name(history) == "SGD":
        weights = np.array([history.layers[row].units * history.layers[row].fan_in for row in rows])
        before = gradients.steps <= broken.steps[looks[0]]
        norms = gradients.values[before][:, rows] if before.any() else np.full((1, len(rows)), np.nan)
        steps = rate * norms[-1] / np.maximum(sizes * np.sqrt(weights), 1e-12)
    else:  # optimizers that scale each weight's step move it by about the learning rate
        steps = rate / np.maximum(sizes, 1e-12)
    known = steps[np.isfinite(steps)]
    step = float(np.median(known)) if known.size else 0.0
    if step < limit:
        return None
    return Held(int(broken.steps[looks[0]]), int(broken.steps[-1]), True), step


def _growth(history: History, steps: IntArray) -> FloatArray:
    """RMS weight of the layers at each step over that of the first look, median; a step too large leaves large weights.

    What is left of the ratio of a step to the weights is small then, for it is taken of the weights it has made.
    """
    sizes = history.series("weight_health", "rms")
    if not len(sizes) or sizes.steps[0] > 0:
        return np.ones(len(steps))
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = sizes.values[:, trained_rows(history)] / sizes.values[0, trained_rows(history)]
    return np.nan_to_num(at(steps, sizes.steps, middle(growth)), nan=1.0)
