"""The training loss falls while the validation loss rises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetTraining
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, consecutive_snapshots
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.wording import times


class Overfitting(Fault):
    """Validation loss, compared with its best value, while the training loss is below its value at that step."""

    id = "overfitting"
    title = "Overfitting"
    what = "The validation loss has risen above its best value for several epochs while the training loss kept falling."
    why = "From then on, the network memorizes the training samples: its predictions for new samples get worse."
    advice = "Stop at the best epoch, add weight decay, dropout or augmentation, or use fewer filters."
    source = "Prechelt 1998, Early Stopping, but when?; Amazon SageMaker Debugger rule Overfit (10 %)."
    diagnostic = "training_curve"
    limits: ClassVar[Mapping[str, Limit]] = {
        "rise": Limit(1.2, "ratio", "Validation loss, relative to its best value, above which there is overfitting."),
        "noise": Limit(
            0.03, "share", "Rise of the validation loss, relative to its first value, below which it is noise."
        ),
        "gap": Limit(
            1.5, "ratio", "Validation loss, relative to the training loss, below which the model does not overfit."
        ),
        "points": Limit(
            0.1, "share", "Training accuracy minus validation accuracy below which the model does not overfit."
        ),
        "snapshots": consecutive_snapshots(3),
    }
    follows = ("nan_or_inf", "learning_rate_too_high", "exploding_gradient", "batch_too_small_for_bn")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, of the whole model."""
        steps, validation = history.scalars("training_curve", "val_loss")
        train_steps, losses = history.scalars("training_curve", "loss")
        training = losses[np.isin(train_steps, steps)]
        if len(training) != len(validation) or len(steps) < limits["snapshots"] or not np.isfinite(validation).all():
            return
        best = np.minimum.accumulate(validation)
        at_best = np.array([int(np.argmin(validation[: i + 1])) for i in range(len(validation))])
        training_at_best = training[at_best]
        # The mean over a few snapshots after the best one shows whether a noisy validation loss has risen.
        snapshots = int(limits["snapshots"])
        recent = np.array(
            [
                validation[min(max(best_snapshot, snapshot - snapshots) + 1, snapshot) : snapshot + 1].mean()
                for snapshot, best_snapshot in enumerate(at_best)
            ]
        )
        noise = limits["noise"] * validation[0]
        worse = (
            (recent >= limits["rise"] * best)
            & (recent - best >= noise)
            & (training < training_at_best)
            & (recent >= limits["gap"] * training)
        )
        persistence = streak(steps, worse & (best > 0), snapshots)
        if persistence is None or _accuracy_gap(history) < limits["points"]:
            return
        rise = float(recent[-1] / best[-1])
        best_step = int(steps[int(np.argmin(validation))])
        yield self.finding(
            history,
            None,
            "warning",
            persistence,
            f"The validation loss is {times(rise)} its best value, which it had at step {best_step:,}.",
            evidence={
                "rise": Evidence(rise, limits["rise"], "ratio"),
                "gap": Evidence(float(validation[-1] / training[-1]), limits["gap"], "ratio"),
            },
            adjustments=(
                Adjustment(None, "epochs", f"to step {int(steps[-1])}", f"to step {best_step}", "stop at the best"),
                Adjustment.of(
                    SetTraining("weight_decay", 1e-4),
                    "unknown",
                    "keeps the weights small",
                    proposed="1e-4",
                ),
            ),
        )


def _accuracy_gap(history: History) -> float:
    """Training accuracy minus validation accuracy at the last snapshot; infinite if the accuracy is not logged."""
    for name in history.scalar_names("training_curve"):
        if name.endswith("accuracy") and not name.startswith("val_"):
            _, training = history.scalars("training_curve", name)
            _, validation = history.scalars("training_curve", f"val_{name}")
            if training.size and validation.size:
                return float(training[-1] - validation[-1])
    return float("inf")
