"""The same output for every sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.concepts import NOTHING_LEARNED
from tb_cnndiag.judging.conditions import Above, Below, Is, Known
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import lower_learning_rate
from tb_cnndiag.judging.signals.accuracy import TRAINING_ACCURACY, accuracy_is_not_logged
from tb_cnndiag.judging.signals.loss import FINITE_RELATIVE_LOSS
from tb_cnndiag.judging.signals.outputs import (
    LARGEST_CLASS,
    OUTPUT_SPREAD,
    RELATIVE_SPREAD,
    TOP_CLASS_SHARE,
    output_layers,
    single_outputs,
)
from tb_cnndiag.judging.signals.regularization import weaker_regularization
from tb_cnndiag.judging.thresholds import EPOCHS, ONE_CLASS, STUCK, Limit
from tb_cnndiag.wording import percent


def _message(case: Case) -> str:
    assert case.row is not None
    share = case.signals(TOP_CLASS_SHARE).last(case.row)
    if share > case.limits["top_class_share"]:
        return f"The output layer {case.layer.path} predicts the same class for {percent(share)} of the samples."
    return f"The output of {case.layer.path} is nearly the same for every sample."


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    return (
        *weaker_regularization(case.signals),
        lower_learning_rate(case.signals, "a single update that is too large can cause this"),
        Adjustment(None, "class_weight", "unknown", "None", "the weight of one class can outweigh all others"),
        Adjustment(None, "labels", "unknown", "checked", "shuffled or constant labels cause this"),
    )


def _majority_message(case: Case) -> str:
    share = percent(case.signals(LARGEST_CLASS).last())
    return f"{case.layer.path} predicts the majority class, which has {share} of the samples, for all of them."


def _class_weights(case: Case) -> tuple[Adjustment, ...]:
    reason = "the rare classes then weigh as much as the majority"
    return (
        Adjustment(None, "class_weight", "None", "inverse to the frequency of each class", reason),
        lower_learning_rate(case.signals, "a single update that is too large can cause this"),
    )


PREDICTS_ONE = Above(TOP_CLASS_SHARE, "top_class_share", strict=True)
CONSTANT = Below(OUTPUT_SPREAD, "spread")
# It learns in training: answers in inference mode will follow, or averages of batch normalizations lag behind.
LEARNS = Known(Above(TRAINING_ACCURACY, "trained")) | (
    Is(accuracy_is_not_logged) & Known(Below(FINITE_RELATIVE_LOSS, "stuck"))
)
BALANCED = ~Above(LARGEST_CLASS, "majority", strict=True)


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
        "top_class_share": ONE_CLASS,
        "spread": Limit(0.02, "output", "Standard deviation of an output over samples below which it is constant."),
        "majority": Limit(0.5, "share", "Share of the largest class above which the probe is not balanced."),
        "stuck": STUCK,
        "trained": Limit(
            0.6, "share", "Training accuracy between that of the largest class (0) and 1 above which the model learns."
        ),
        "epochs": EPOCHS,
        "lasting": EPOCHS.at(
            4, "Number of epochs for which one sign alone must persist: predicted class share or constant output."
        ),
    }
    former: ClassVar[Mapping[str, str | None]] = {"fall": None, "above_chance": None}
    kinds = (
        Kind(
            where=output_layers,
            when=(
                (PREDICTS_ONE & CONSTANT).for_epochs(complete=True)
                | PREDICTS_ONE.for_epochs("lasting", complete=True)
                # The same output for all samples, although the predicted class changes from snapshot to snapshot.
                | (CONSTANT & NOTHING_LEARNED).for_epochs("lasting", complete=True)
            )
            & BALANCED
            & ~LEARNS,
            message=_message,
            adjustments=_adjustments,
        ),
        Kind(
            where=output_layers,
            when=(PREDICTS_ONE & NOTHING_LEARNED).for_epochs("lasting", complete=True) & ~BALANCED,
            message=_majority_message,
            adjustments=_class_weights,
        ),
        Kind(
            where=single_outputs,
            when=(Below(RELATIVE_SPREAD, "spread") & NOTHING_LEARNED).for_epochs(complete=True),
            message=lambda case: (
                f"The output of {case.layer.path} is nearly the same for every sample: it predicts their mean."
            ),
            adjustments=lambda case: _adjustments(case)[:-2],
        ),
    )
