"""Gradients that vanish on their way to the first layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.concepts import NOTHING_LEARNED, UNHARMED
from tb_cnndiag.judging.conditions import Above, Below, Known
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import HE, normalized
from tb_cnndiag.judging.signals.dead_units import MOST_DEAD_RECTIFIED
from tb_cnndiag.judging.signals.gradients import (
    FIRST_LAYER_UPDATE,
    GRADIENT_DECAY,
    HIDDEN_GRADIENT_DECAY,
    RELATIVE_GRADIENT,
    rows_with_gradient,
)
from tb_cnndiag.judging.thresholds import DEAD_LAYER, EPOCHS, HARMLESS, SMALL_UPDATES, STUCK, Limit
from tb_cnndiag.numerics.activations import SQUASHING
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.wording import times


def _steepest_decrease(case: Case) -> LayerInfo:
    """The layer behind which, on the way back, the gradient decreases most."""
    rows, gradients = rows_with_gradient(case.signals), case.signals(RELATIVE_GRADIENT)
    logs = np.log10(np.maximum(gradients.values[-1, rows], 1e-300))
    return case.signals.layers[rows[int(np.argmax(np.diff(logs))) + 1]]


def _message(case: Case) -> str:
    rows, layers = rows_with_gradient(case.signals), case.signals.layers
    ratio = times(case.value("gradient_ratio"))
    compared = f"The relative gradient of {layers[rows[0]].path} is {ratio} that of {layers[rows[-1]].path}"
    return f"{compared}: it vanishes on the way back from {_steepest_decrease(case).path}."


def _adjustments(case: Case) -> tuple[Adjustment, ...]:
    hidden = [case.signals.layers[row] for row in rows_with_gradient(case.signals)]
    hidden = [layer for layer in hidden if not layer.output]
    slope = "its slope is 1 above zero and never 0 (Clevert et al. 2016)"
    found = [
        Adjustment.of(SetParameter(layer.path, "activation", "elu"), layer.activation, slope)
        for layer in hidden
        if layer.activation in SQUASHING
    ]
    # The initializer for the activation that is proposed here, not for the present one.
    found += [
        Adjustment.of(
            SetParameter(layer.path, "kernel_initializer", "he_normal"),
            layer.initializer or "unknown",
            "keeps the variance of signals through depth (He et al. 2015)",
        )
        for layer in hidden
        if layer.initializer not in HE
    ]
    found += [
        normalized(case.signals, layer, "rescales the output of each layer")
        for layer in hidden
        if not layer.normalization
    ]
    return tuple(found)


class VanishingGradient(Fault):
    """Relative gradient of the first trainable layer, compared with the last, while the first layer does not learn."""

    id = "vanishing_gradient"
    title = "Vanishing gradient"
    what = "The gradient shrinks from layer to layer on its way back: the first layers receive almost none."
    why = "Layers without a gradient keep their initial weights: only the last layers learn."
    advice = (
        "Replace sigmoid and tanh by ELU or ReLU, or use a suitable initializer, BatchNormalization or residual "
        "connections."
    )
    source = (
        "AUTOTRAINER (Zhang et al., ICSE 2021): gradient ratio of first to last layer < 1e-3; Glorot & Bengio 2010."
    )
    diagnostic = "gradient_flow"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "gradient_ratio": Limit(
            1e-3,
            "ratio",
            "Relative gradient of the first layer, divided by that of the last, below which it vanishes.",
            "AUTOTRAINER",
        ),
        "hidden_ratio": Limit(
            1e-2,
            "ratio",
            "Relative gradient of the first layer, divided by that of the last hidden layer, below which it vanishes.",
        ),
        "update_ratio": SMALL_UPDATES,
        "stuck": STUCK,
        "harmless_loss": HARMLESS,
        "blocked": DEAD_LAYER,
        "epochs": EPOCHS,
    }
    kinds = (
        Kind(
            when=(
                Below(GRADIENT_DECAY, "gradient_ratio")
                & Below(HIDDEN_GRADIENT_DECAY, "hidden_ratio")
                & (~Known(Above(FIRST_LAYER_UPDATE, "update_ratio")) | Known(NOTHING_LEARNED))
            )
            .for_epochs()
            .except_where(Above(MOST_DEAD_RECTIFIED, "blocked") | UNHARMED),
            at=lambda case: rows_with_gradient(case.signals)[0],
            message=_message,
            adjustments=_adjustments,
        ),
    )
