"""One answer to everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, lower_learning_rate, streak
from tb_cnndiag.judging.faults.loss_progress import at, losses, progress
from tb_cnndiag.judging.faults.regularization import restraints

# A probe in which one class has more than this share says nothing about a collapse.
BALANCED = 0.5


class CollapsedOutput(Fault):
    """Share of a balanced probe that is given the same class, by outputs that hardly vary."""

    id = "collapsed_output"
    title = "Collapsed output"
    what = "The model gives nearly the same output for every sample of a probe that holds all classes."
    why = "It has learned the class frequencies at best: nothing of the input reaches its answer."
    advice = "Look for the layer that stops the signal first; then check labels, class weights and the learning rate."
    source = "Amazon SageMaker Debugger rule ClassImbalance (predictions); UMLAUT (CHI 2021)."
    diagnostic = "model_output"
    limits: ClassVar[Mapping[str, Limit]] = {
        "top_class_share": Limit(0.95, "share", "samples given the same class, above which outputs have collapsed"),
        "spread": Limit(0.02, "output", "deviation of an output over samples, below which they have"),
        "stuck": Limit(0.95, "ratio", "loss over that of chance from which outputs that hardly vary have, too"),
        "snapshots": Limit(2, "count", "consecutive snapshots after the first step at which it must hold"),
        "lasting": Limit(4, "count", "consecutive snapshots after which one class is a collapse, however outputs vary"),
    }
    follows = (
        "nan_or_inf",
        "output_loss_mismatch",
        "dead_units",
        "vanishing_gradient",
        "saturated_activation",
        "bad_init",
        "exploding_gradient",
        "unnormalised_input",
        "frozen_layer",
        "learning_rate_too_high",
        "learning_rate_too_low",
        "batch_too_small_for_bn",
    )

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per output layer, where the probe is known to be balanced."""
        counts = np.asarray(history.info.probe.class_counts if history.info else ())
        if np.count_nonzero(counts) < 2 or counts.max() > BALANCED * counts.sum():
            return
        shares = history.series("model_output", "top_class_share")
        spreads = history.series("model_output", "spread")
        for row, layer in enumerate(history.layers):
            measured = np.isfinite(shares.values[:, row]) & (shares.steps > 0)
            share, spread = shares.values[measured, row], spreads.values[measured, row]
            steps, one_class = shares.steps[measured], share > limits["top_class_share"]
            when = streak(steps, one_class & (spread < limits["spread"]), limits["snapshots"])
            if when is None and len(steps) >= limits["lasting"]:
                when = streak(steps, one_class, limits["lasting"])
            if when is None and len(steps) >= limits["lasting"]:
                # Alike for all samples, if now for one class and now for another.
                stuck = at(steps, losses(history)[0], progress(history)) >= limits["stuck"]
                when = streak(steps, stuck & (spread < limits["spread"]), limits["lasting"])
            if when is None or not when.enough or not layer.output or layer.units < 2:
                continue
            yield self.finding(
                history,
                layer,
                "error",
                when,
                f"{layer.path} gives {share[-1]:.0%} of the samples the same class."
                if one_class[-1]
                else f"{layer.path} gives nearly the same output for every sample.",
                evidence={
                    "top_class_share": Evidence(float(share[-1]), limits["top_class_share"], "share"),
                    "spread": Evidence(float(spread[-1]), limits["spread"], "output"),
                },
                adjustments=(
                    *restraints(history),
                    lower_learning_rate(history, "a step that was too large can end here"),
                    Adjustment(
                        None, "class_weight", "unknown", "None", "the weight of one class can outweigh all others"
                    ),
                    Adjustment(None, "labels", "unknown", "checked", "shuffled or constant labels teach just this"),
                ),
            )
