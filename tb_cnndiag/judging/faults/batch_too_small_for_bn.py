"""Batch normalization over too few samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from tb_cnndiag.changes import ReplaceBatchNormalization
from tb_cnndiag.finding import Adjustment, Severity
from tb_cnndiag.judging.conditions import Above, Below, Condition
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.batch_statistics import normalized_by_batch
from tb_cnndiag.judging.signals.configuration import BATCH_SIZE
from tb_cnndiag.judging.signals.validation import VALIDATION_TO_TRAINING
from tb_cnndiag.judging.thresholds import EPOCHS, Limit
from tb_cnndiag.wording import plural

SMALL = Below(BATCH_SIZE, "batch")
SUFFERS = ~Above(BATCH_SIZE, "tiny", strict=True) | Above(VALIDATION_TO_TRAINING, "gap").for_epochs()


def _severity(case: Case) -> Severity:
    """One value, normalized by itself, leaves nothing but the shift: the layer cannot learn."""
    flat = any(len(case.signals.layers[row].output_shape) == 1 for row in normalized_by_batch(case.signals))
    return "error" if flat and case.value("batch") <= 1 else "warning"


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    path = case.signals.layers[normalized_by_batch(case.signals)[0]].path
    return (
        Adjustment.of(ReplaceBatchNormalization(path), "BatchNormalization", "needs no batch"),
        Adjustment(None, "batch_size", f"{case.value('batch'):.0f}", "32", "gives reliable statistics"),
    )


def _message(case: Case) -> str:
    path = case.signals.layers[normalized_by_batch(case.signals)[0]].path
    return f"The output of {path} is normalized over batches of {plural(int(case.value('batch')), 'sample')}."


def _kind(when: Condition, severity: Severity | Callable[[Case], Severity]) -> Kind:
    return Kind(
        when=when,
        at=lambda case: normalized_by_batch(case.signals)[0],
        severity=severity,
        message=_message,
        adjustments=_adjustments,
    )


class BatchTooSmallForBn(Fault):
    """Batch size of a model with BatchNormalization; an info while the validation loss does not suffer."""

    id = "batch_too_small_for_bn"
    title = "Batch too small for batch normalization"
    what = "BatchNormalization computes its mean and variance over a few samples."
    why = "These statistics are noisy, and differ from the moving averages used after training: predictions get worse."
    advice = "Use GroupNormalization, whose statistics do not depend on the batch, or use a larger batch."
    source = "Wu & He 2018, Group Normalization (arXiv:1803.08494): errors grow below 8 images per batch."
    diagnostic = "training_curve"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "batch": Limit(8, "count", "Samples per batch below which the batch is too small.", "Wu & He 2018"),
        "tiny": Limit(2, "count", "Samples per batch at or below which accuracy always suffers.", "Wu & He 2018"),
        "gap": Limit(1.5, "ratio", "Validation loss, relative to the training loss, above which accuracy suffers."),
        "epochs": EPOCHS,
    }
    kinds = (_kind(SMALL & SUFFERS, _severity), _kind(SMALL, "info"))

    def does_not_apply(self, signals: Signals) -> str:
        """Without batch normalization."""
        return "" if normalized_by_batch(signals) else "no layer is normalized over the batch"
