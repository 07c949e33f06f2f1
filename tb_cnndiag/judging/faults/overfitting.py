"""The training loss falls while the validation loss rises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.changes import SetTraining
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.conditions import Above, Below
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.validation import (
    ACCURACY_GAP,
    GENERALIZATION_GAP,
    VALIDATION_RISE,
    VALIDATION_RISE_OF_FIRST,
    best_step,
)
from tb_cnndiag.judging.thresholds import EPOCHS, Limit
from tb_cnndiag.wording import times


def _message(case: Case) -> str:
    rise, step = times(case.value("rise")), best_step(case.signals)
    return f"The validation loss is {rise} its best value, which it had at step {step:,}."


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    last, best = case.signals.history.last_step, best_step(case.signals)
    return (
        Adjustment(None, "epochs", f"to step {last}", f"to step {best}", "stop at the best"),
        Adjustment.of(SetTraining("weight_decay", 1e-4), "unknown", "keeps the weights small", proposed="1e-4"),
    )


class Overfitting(Fault):
    """Validation loss, compared with its best value, while the training loss is below its value at that step."""

    id = "overfitting"
    title = "Overfitting"
    what = "The validation loss has risen above its best value for several epochs while the training loss kept falling."
    why = "From then on, the network memorizes the training samples: its predictions for new samples get worse."
    advice = "Stop at the best epoch, add weight decay, dropout or augmentation, or use fewer filters."
    source = "Prechelt 1998, Early Stopping, but when?; Amazon SageMaker Debugger rule Overfit (10 %)."
    diagnostic = "training_curve"
    of_trainings = True
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
        "epochs": EPOCHS.at(3),
    }
    kinds = (
        Kind(
            when=(
                Above(VALIDATION_RISE, "rise")
                & Above(VALIDATION_RISE_OF_FIRST, "noise")
                & Above(GENERALIZATION_GAP, "gap")
            )
            .for_epochs(complete=True)
            .except_where(Below(ACCURACY_GAP, "points")),
            severity="warning",
            message=_message,
            adjustments=_adjustments,
        ),
    )
