"""Batch normalization over too few samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import ReplaceBatchNormalization
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, consecutive_snapshots
from tb_cnndiag.judging.signals.persistence import Streak, streak
from tb_cnndiag.wording import plural


class BatchTooSmallForBn(Fault):
    """Batch size of a model with BatchNormalization."""

    id = "batch_too_small_for_bn"
    title = "Batch too small for batch normalization"
    what = "BatchNormalization computes its mean and variance over a few samples."
    why = "These statistics are noisy, and differ from the moving averages used after training: predictions get worse."
    advice = "Use GroupNormalization, whose statistics do not depend on the batch, or use a larger batch."
    source = "Wu & He 2018, Group Normalization (arXiv:1803.08494): errors grow below 8 images per batch."
    diagnostic = "training_curve"
    limits: ClassVar[Mapping[str, Limit]] = {
        "batch": Limit(8, "count", "Samples per batch below which the batch is too small."),
        "tiny": Limit(2, "count", "Samples per batch at or below which accuracy always suffers."),
        "gap": Limit(1.5, "ratio", "Validation loss, relative to the training loss, above which accuracy suffers."),
        "snapshots": consecutive_snapshots(2),
    }
    follows = ("nan_or_inf",)

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, at the first normalized layer; an info while the validation loss does not suffer."""
        size = history.info.batch_size if history.info else 0
        layers = [
            layer
            for layer in history.layers
            if layer.trainable and layer.normalization_class == "BatchNormalization" and not layer.normalization_frozen
        ]
        if not 0 < size < limits["batch"] or not layers:
            return
        steps, validation = history.scalars("training_curve", "val_loss")
        train_steps, training = history.scalars("training_curve", "loss")
        training = training[np.isin(train_steps, steps)]
        suffers = None
        if len(training) == len(validation):
            suffers = streak(steps, validation >= limits["gap"] * training, limits["snapshots"])
        # One value, normalized by itself, leaves nothing but the shift: the layer cannot learn.
        single_value = size == 1 and any(len(a.output_shape) == 1 for a in layers)
        yield self.finding(
            history,
            layers[0],
            "error" if single_value else "warning" if suffers or size <= limits["tiny"] else "info",
            suffers or Streak(0, history.last_step, True),
            f"The output of {layers[0].path} is normalized over batches of {plural(size, 'sample')}.",
            evidence={"batch": Evidence(float(size), limits["batch"], "count")},
            adjustments=(
                Adjustment.of(ReplaceBatchNormalization(layers[0].path), "BatchNormalization", "needs no batch"),
                Adjustment(None, "batch_size", str(size), "32", "gives reliable statistics"),
            ),
        )
