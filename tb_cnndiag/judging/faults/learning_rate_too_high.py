"""Updates so large that the loss does not fall, or rises again."""

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
    changed_learning_rate,
    clip,
    consecutive_snapshots,
    rounded,
)
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_name
from tb_cnndiag.judging.signals.initial_explosion import explodes_initially
from tb_cnndiag.judging.signals.loss import decrease_per_snapshot, oscillates, relative_loss, training_loss
from tb_cnndiag.judging.signals.persistence import Streak, streak
from tb_cnndiag.judging.signals.regularization import regularization_dominates
from tb_cnndiag.judging.signals.series import median_over_layers, values_at
from tb_cnndiag.judging.signals.units import died_in_training
from tb_cnndiag.judging.signals.updates import has_cyclical_learning_rate, overflow_after_large_updates, update_ratios
from tb_cnndiag.judging.signals.weights import weight_growth
from tb_cnndiag.payloads import FloatArray, IntArray
from tb_cnndiag.wording import percent, times

# Update-to-weight ratio of healthy trainings: of the order of 1e-3 (CS231n, Babysitting the learning process).
USUAL = 3e-3
# Relative loss below which the training has converged: changes of the loss are noise there.
CONVERGED = 0.1
PLATEAU_SNAPSHOTS = 5


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
    limits: ClassVar[Mapping[str, Limit]] = {
        "step": Limit(0.03, "ratio", "Update-to-weight ratio (median over layers) above which updates are too large."),
        "growth": Limit(
            3,
            "ratio",
            "RMS weight relative to the initial one (median over layers) above which updates were too large.",
        ),
        "overflow": Limit(
            1, "ratio", "Update-to-weight ratio of the first updates above which they are the cause of an overflow."
        ),
        "stuck": Limit(0.95, "ratio", "Loss, relative to the prior loss, above which nothing was learned."),
        "swinging_step": Limit(
            0.01,
            "ratio",
            "Update-to-weight ratio (median over layers) above which it is the cause of an oscillating loss.",
        ),
        "rise": Limit(1.5, "ratio", "Loss, relative to its best value, above which the loss oscillates."),
        "high": Limit(
            0.4, "ratio", "Loss, relative to the prior loss, above which large updates are the cause of a plateau."
        ),
        "gain": Limit(0.01, "share", "Mean decrease of the loss per snapshot below which the loss is on a plateau."),
        "zigzag": Limit(
            1.2,
            "ratio",
            "Loss, relative to the previous snapshot, above which it has risen. Repeated rises are oscillation.",
        ),
        "died": Limit(
            0.9,
            "share",
            "Share of a layer's units that died above which updates are the cause, if nothing was learned.",
        ),
        "harmless_loss": Limit(
            0.5, "ratio", "Loss, relative to the prior loss, below which the training counts as unharmed."
        ),
        "died_after_large_updates": Limit(
            0.6,
            "share",
            "Share of a layer's units that died after large updates above which these updates are the cause.",
        ),
        "snapshots": consecutive_snapshots(3),
    }
    follows = ("output_loss_mismatch", "unnormalised_input", "bad_init")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, of the whole training: an overflow, a high or oscillating loss, or units that died."""
        if explodes_initially(history):
            return
        overflow = overflow_after_large_updates(history, limits["overflow"])
        if overflow is not None:
            persistence, ratio = overflow
            evidence = {"step": Evidence(ratio, limits["step"], "ratio")}
            message = f"{_size_of_updates(ratio)}, and the weights overflow."
            yield self._finding(history, persistence, message, evidence, ratio)
            return
        updates, loss = update_ratios(history), relative_loss(history)
        steps, _ = training_loss(history)
        # Weights that strong regularization keeps near 0 make every update-to-weight ratio large.
        if not len(updates) or len(steps) < 2 or not np.isfinite(loss).all() or regularization_dominates(history):
            return
        ratios = values_at(steps, updates.steps, median_over_layers(updates.values))
        growth = np.fmax.accumulate(weight_growth(history, steps))
        found = self._high_loss(history, limits, steps, loss, ratios, growth)
        if found is None:
            large_updates = (np.fmax.accumulate(ratios) >= limits["step"]) | (growth >= limits["growth"])
            found = self._dead_units(history, limits, steps, loss, large_updates)
        if found is not None:
            yield _with_dead_layer(history, found, limits["died"])

    def _high_loss(
        self,
        history: History,
        limits: Mapping[str, float],
        steps: IntArray,
        loss: FloatArray,
        ratios: FloatArray,
        growth: FloatArray,
    ) -> Finding | None:
        if len(history.layers) == 1 and _on_plateau(loss, limits):
            return None  # a linear model at its optimum: updates that are too large would make its loss oscillate
        peak, best = np.fmax.accumulate(ratios), np.minimum.accumulate(loss)
        stuck = ((peak >= limits["step"]) | (growth >= limits["growth"])) & (loss >= limits["stuck"])
        unsteady = loss >= limits["rise"] * best
        if not has_cyclical_learning_rate(history):
            unsteady |= oscillates(loss, limits["zigzag"])
        oscillating = (ratios >= limits["swinging_step"]) & unsteady & (loss >= CONVERGED)
        persistence, effect, shown = streak(steps, stuck, limits["snapshots"]), "the loss does not fall", peak
        if persistence is None and _on_plateau(loss, limits):
            high = (ratios >= limits["step"]) & (loss >= limits["high"])
            persistence, effect, shown = streak(steps, high, PLATEAU_SNAPSHOTS), "the loss is on a high plateau", ratios
        if persistence is None:
            persistence, effect = streak(steps, oscillating, limits["snapshots"]), "the loss oscillates"
            shown = ratios
        if persistence is None:
            return None
        ratio = float(shown[-1])
        evidence = {
            "step": Evidence(ratio, limits["step"], "ratio"),
            "rise": Evidence(float(loss[-1] / max(best[-1], 1e-12)), limits["rise"], "ratio"),
        }
        # An optimizer that scales each update changes weights that have grown by as much as before: a smaller share.
        scaled = optimizer_name(history) != "SGD"
        initial_ratio = ratio * (max(float(growth[-1]), 1.0) if scaled else 1.0)
        size = _size_of_updates(ratio)
        if shown is peak and not ratio >= limits["step"]:
            size = f"Updates have made the weights {times(float(growth[-1]))} as large as the initial ones"
        return self._finding(history, persistence, f"{size}, and {effect}.", evidence, initial_ratio)

    def _dead_units(
        self,
        history: History,
        limits: Mapping[str, float],
        steps: IntArray,
        loss: FloatArray,
        large_updates: NDArray[np.bool_],
    ) -> Finding | None:
        dead, layer = died_in_training(history, steps, limits["died"])
        died = (dead >= limits["died"]) & (loss >= limits["stuck"])
        if loss[-1] >= limits["harmless_loss"]:
            died |= (dead >= limits["died_after_large_updates"]) & large_updates
        persistence = streak(steps, died, limits["snapshots"])
        if persistence is None or not persistence.enough:
            return None
        share = float(dead[-1])
        context = "after large updates" if large_updates[-1] else "and nothing was learned"
        message = f"During training, {percent(share)} of the units of {layer} died, {context}."
        return self._finding(history, persistence, message, {"died": Evidence(share, limits["died"], "share")}, 0.0)

    def _finding(
        self, history: History, persistence: Streak, message: str, evidence: Mapping[str, Evidence], ratio: float
    ) -> Finding:
        """The finding, with a learning rate that brings ``ratio`` (0: unknown) to the usual update-to-weight ratio."""
        rate = learning_rate(history)
        factor = min(USUAL / ratio if ratio else 0.1, 0.1)
        proposed = rounded(rate * factor) if rate else f"{factor:.2g} × as high"
        return self.finding(
            history,
            None,
            "error",
            persistence,
            message,
            evidence=evidence,
            adjustments=(
                changed_learning_rate(rate, proposed, f"brings the update-to-weight ratio to about {USUAL:g}"),
                *clip(history, "bounds the size of each update"),
            ),
        )


def _with_dead_layer(history: History, finding: Finding, threshold: float) -> Finding:
    """The same finding, with the layer whose units died, if there is one; the finding is of the whole training."""
    dead, path = died_in_training(history, training_loss(history)[0], threshold)
    if not path or not dead[-1] >= threshold or path in finding.message:
        return finding
    return replace(
        finding, message=f"{finding.message} As a result, {percent(float(dead[-1]))} of the units of {path} died."
    )


def _size_of_updates(ratio: float) -> str:
    if ratio < 1:
        return f"Updates change the weights by up to {percent(ratio)} of their size"
    return f"Updates are {times(ratio)} as large as the weights"


def _on_plateau(loss: FloatArray, limits: Mapping[str, float]) -> bool:
    """Whether the loss no longer falls."""
    return len(loss) > PLATEAU_SNAPSHOTS and abs(decrease_per_snapshot(loss, PLATEAU_SNAPSHOTS)) < limits["gain"]
