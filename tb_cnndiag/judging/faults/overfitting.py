"""Training goes on improving while validation gets worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetTraining
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, streak


class Overfitting(Fault):
    """Validation loss against its own best, while the training loss is below its value then."""

    id = "overfitting"
    title = "Overfitting"
    what = "The validation loss has risen above its best for several epochs while the training loss went on falling."
    why = "What the network learns from there on is the training samples themselves; it answers new ones worse."
    advice = "Stop at the best epoch, or add weight decay, dropout or augmentation, or use fewer filters."
    source = "Prechelt 1998, Early Stopping, but when?; Amazon SageMaker Debugger rule Overfit (10 %)."
    diagnostic = "training_curve"
    limits: ClassVar[Mapping[str, Limit]] = {
        "rise": Limit(1.2, "ratio", "validation loss over its best from which it overfits"),
        "noise": Limit(0.03, "share", "rise over the first validation loss up to which it does not"),
        "gap": Limit(1.5, "ratio", "validation loss over training loss below which it does not"),
        "points": Limit(0.1, "share", "accuracy of training over that of validation below which it does not"),
        "snapshots": Limit(3, "count", "consecutive looks at which it must hold"),
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
        then = training[at_best]
        # Of a noisy validation the mean over a few snapshots behind the best tells whether it has risen.
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
            & (training < then)
            & (recent >= limits["gap"] * training)
        )
        when = streak(steps, worse & (best > 0), snapshots)
        if when is None or _points(history) < limits["points"]:
            return
        rise = float(recent[-1] / best[-1])
        best_step = int(steps[int(np.argmin(validation))])
        yield self.finding(
            history,
            None,
            "warning",
            when,
            f"The validation loss is {rise:.2f} times its best, which was at step {best_step}.",
            evidence={
                "rise": Evidence(rise, limits["rise"], "ratio"),
                "gap": Evidence(float(validation[-1] / training[-1]), limits["gap"], "ratio"),
            },
            adjustments=(
                Adjustment(None, "epochs", f"to step {int(steps[-1])}", f"to step {best_step}", "stop at the best"),
                Adjustment.of(
                    SetTraining("weight_decay", 1e-4),
                    "unknown",
                    "keeps weights that noise asks for small",
                    proposed="1e-4",
                ),
            ),
        )


def _points(history: History) -> float:
    """Accuracy of training over that of validation at the last snapshot; infinite where none is logged."""
    for name in history.scalar_names("training_curve"):
        if name.endswith("accuracy") and not name.startswith("val_"):
            _, training = history.scalars("training_curve", name)
            _, validation = history.scalars("training_curve", f"val_{name}")
            if training.size and validation.size:
                return float(training[-1] - validation[-1])
    return float("inf")
