"""Layers that keep their initial weights: trainable ones without a gradient, and frozen ones that are random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.conditions import Above, Below
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.dead_units import BLOCKING_SHARE, MOST_DEAD
from tb_cnndiag.judging.signals.frozen import RANDOM_DEVIATION, frozen_rows
from tb_cnndiag.judging.signals.gradients import ALL_ZERO_GRADIENTS, NO_GRADIENT, ZERO_GRADIENT
from tb_cnndiag.judging.thresholds import EPOCHS, Limit


def _trainable(signals: Signals) -> list[int]:
    return signals.trainable


def _connection(case: Case) -> tuple[Adjustment, ...]:
    reason = "the loss must depend on it"
    return (Adjustment(case.layer.path, "connection", "not differentiable", "differentiable", reason),)


class FrozenLayer(Fault):
    """A trainable kernel without a gradient, or a random kernel that is not trainable."""

    id = "frozen_layer"
    title = "Frozen layer"
    what = (
        "A trainable layer has no gradient: the loss does not depend on it differentiably. Or a layer is not "
        "trainable, although its weights are random."
    )
    why = "The layer keeps its initial weights, however long the training."
    advice = (
        "Connect the output of the layer to a loss, replace the operation behind it that is not differentiable, or "
        "make the layer trainable and compile again."
    )
    source = "TensorFlow guide, Gradients and automatic differentiation: getting a gradient of None."
    diagnostic = "gradient_flow"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "gradient": Limit(
            0.5,
            "share",
            "Indicator above which a layer has no gradient: 1 if it does not exist or is exactly 0, else 0.",
            "by definition",
        ),
        "blocked": Limit(1.0, "share", "Share of dead units above which a later layer blocks the gradient."),
        "deviation": Limit(
            0.03, "ratio", "Deviation from the RMS weight of the initializer below which a frozen layer is random."
        ),
        "epochs": EPOCHS,
    }
    kinds = (
        Kind(
            where=frozen_rows,
            when=Below(RANDOM_DEVIATION, "deviation"),
            severity="warning",
            message=lambda case: (
                f"The layer {case.layer.path} is not trainable, and its weights have the RMS of random "
                f"{case.layer.initializer} weights."
            ),
            adjustments=lambda case: (
                Adjustment.of(
                    SetParameter(case.layer.path, "trainable", True), "False", "its weights are random, not pretrained"
                ),
            ),
        ),
        Kind(
            where=_trainable,
            when=Above(NO_GRADIENT, "gradient", shown="no_gradient").for_epochs(),
            message=lambda case: f"The layer {case.layer.path} is trainable, but receives no gradient.",
            adjustments=_connection,
        ),
        Kind(
            where=_trainable,
            when=Above(ZERO_GRADIENT, "gradient", shown="zero_gradient")
            .for_epochs(complete=True)
            .except_where(Above(BLOCKING_SHARE, "blocked"))
            .except_where(Above(ALL_ZERO_GRADIENTS, "gradient")),
            message=lambda case: (
                f"The layer {case.layer.path} is trainable, but its gradient is exactly 0 at every snapshot."
            ),
            adjustments=_connection,
        ),
        Kind(
            when=Above(ALL_ZERO_GRADIENTS, "gradient", shown="zero_gradient")
            .for_epochs(complete=True)
            .except_where(Above(MOST_DEAD, "blocked")),
            message=lambda case: "The gradients of all layers are exactly 0 at every snapshot: nothing can be learned.",
            adjustments=lambda case: (
                Adjustment(
                    None, "loss", "constant", "depends on the output", "a loss that does not change has no gradient"
                ),
            ),
        ),
    )
