"""The same output for every sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, lower_learning_rate
from tb_cnndiag.judging.signals.loss import relative_loss, training_loss
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.judging.signals.regularization import weaker_regularization
from tb_cnndiag.judging.signals.series import values_at
from tb_cnndiag.wording import percent

# Share of one class above which the probe is too unbalanced to show a collapse.
BALANCED = 0.5


class CollapsedOutput(Fault):
    """Predicted class share and standard deviation of the output on a balanced probe."""

    id = "collapsed_output"
    title = "Collapsed output"
    what = "The model predicts nearly the same output for every sample of a probe that contains several classes."
    why = "The model has learned the class frequencies at best: its predictions do not depend on the input."
    advice = "Find the layer that blocks the signal first. Then check labels, class weights and the learning rate."
    source = "Amazon SageMaker Debugger rule ClassImbalance (predictions); UMLAUT (CHI 2021)."
    diagnostic = "model_output"
    limits: ClassVar[Mapping[str, Limit]] = {
        "top_class_share": Limit(0.95, "share", "Predicted class share above which the output has collapsed."),
        "spread": Limit(0.02, "output", "Standard deviation of an output over samples below which it is constant."),
        "stuck": Limit(0.95, "ratio", "Loss, relative to the prior loss, above which constant outputs have collapsed."),
        "snapshots": Limit(
            2, "count", "Number of consecutive snapshots after step 0 for which the condition must persist."
        ),
        "lasting": Limit(
            4,
            "count",
            "Number of consecutive snapshots for which one sign alone must persist: class share or constant output.",
        ),
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
        """One finding per output layer, if the probe is known to be balanced."""
        counts = np.asarray(history.info.probe.class_counts if history.info else ())
        if np.count_nonzero(counts) < 2 or counts.max() > BALANCED * counts.sum():
            return
        shares = history.series("model_output", "top_class_share")
        spreads = history.series("model_output", "spread")
        for row, layer in enumerate(history.layers):
            measured = np.isfinite(shares.values[:, row]) & (shares.steps > 0)
            share, spread = shares.values[measured, row], spreads.values[measured, row]
            steps, one_class = shares.steps[measured], share > limits["top_class_share"]
            persistence = streak(steps, one_class & (spread < limits["spread"]), limits["snapshots"])
            if persistence is None and len(steps) >= limits["lasting"]:
                persistence = streak(steps, one_class, limits["lasting"])
            if persistence is None and len(steps) >= limits["lasting"]:
                # The same output for all samples, although the predicted class changes from snapshot to snapshot.
                stuck = values_at(steps, training_loss(history)[0], relative_loss(history)) >= limits["stuck"]
                persistence = streak(steps, stuck & (spread < limits["spread"]), limits["lasting"])
            if persistence is None or not persistence.enough or not layer.output or layer.units < 2:
                continue
            yield self.finding(
                history,
                layer,
                "error",
                persistence,
                f"The output layer {layer.path} predicts the same class for {percent(float(share[-1]))} of the samples."
                if one_class[-1]
                else f"The output of {layer.path} is nearly the same for every sample.",
                evidence={
                    "top_class_share": Evidence(float(share[-1]), limits["top_class_share"], "share"),
                    "spread": Evidence(float(spread[-1]), limits["spread"], "output"),
                },
                adjustments=(
                    *weaker_regularization(history),
                    lower_learning_rate(history, "a single update that is too large can cause this"),
                    Adjustment(
                        None, "class_weight", "unknown", "None", "the weight of one class can outweigh all others"
                    ),
                    Adjustment(None, "labels", "unknown", "checked", "shuffled or constant labels cause this"),
                ),
            )
