"""Gradients that are larger than the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment
from tb_cnndiag.judging.concepts import HIGH_FIRST_LOSS, NOTHING_LEARNED
from tb_cnndiag.judging.conditions import Above, Below, Is
from tb_cnndiag.judging.faults.base import Case, Fault, Kind
from tb_cnndiag.judging.proposals import clip, lower_learning_rate
from tb_cnndiag.judging.signals.explosion import (
    FIRST_RELATIVE_GRADIENT,
    plain_descent_at_a_usual_rate,
    steepest_layer,
)
from tb_cnndiag.judging.signals.gradients import MEDIAN_RELATIVE_GRADIENT, RELATIVE_GRADIENT
from tb_cnndiag.judging.signals.loss import RISE_OF_SEVERAL, loss_is_not_finite
from tb_cnndiag.judging.signals.magnitudes import FASTER_SIGNAL, grows_faster, largest_signal
from tb_cnndiag.judging.signals.updates import MEDIAN_UPDATE_RATIO
from tb_cnndiag.judging.thresholds import EPOCHS, FIRST_LOSS, LARGE_UPDATES, RISE, STUCK, Limit
from tb_cnndiag.wording import times


def _largest_signal(case: Case) -> int:
    row = largest_signal(case.signals, faster=True)
    assert row is not None
    return row


def _signal_message(case: Case) -> str:
    path, signal = case.signals.layers[_largest_signal(case)].path, times(case.value("signal"))
    return f"The signal in {path} is {signal} as large as the input: activations grow faster than their input."


def _slower_activations(case: Case) -> tuple[Adjustment, ...]:
    return tuple(
        Adjustment.of(SetParameter(a.path, "activation", "relu"), a.activation, "is not larger than its input")
        for a in case.signals.layers
        if grows_faster(a)
    )


def _first_message(case: Case) -> str:
    row = steepest_layer(case.signals)
    assert row is not None
    ratio, path = times(case.value("relative_gradient")), case.signals.layers[row].path
    first = f"The first gradient was {ratio} as large as the initial weights in half of the layers"
    return f"{first}. It was largest in {path}."


def _largest_gradient(case: Case) -> int:
    values = case.signals(RELATIVE_GRADIENT).values
    measured = values[np.isfinite(values).any(axis=1)]
    return int(np.nanargmax(measured[-1]))


def _message(case: Case) -> str:
    ratio, path = times(case.value("relative_gradient")), case.signals.layers[_largest_gradient(case)].path
    return f"The gradient is {ratio} as large as the weights in half of the layers. It is largest in {path}."


def _smaller_steps(case: Case) -> tuple[Adjustment, ...]:
    lower = lower_learning_rate(case.signals, "updates are as large as the weights")
    return (*clip(case.signals, "bounds the size of each update"), lower)


class ExplodingGradient(Fault):
    """‖g‖ / ‖w‖, median over layers."""

    id = "exploding_gradient"
    title = "Exploding gradient"
    what = (
        "The gradient is many times larger than the weights in at least half of the layers, or signals grow from layer "
        "to layer because an activation grows faster than its input."
    )
    why = "Each update replaces the weights instead of adjusting them: the loss jumps, and soon overflows."
    advice = (
        "Clip the gradient (clipnorm), lower the learning rate, normalize input, targets and layers, or use an "
        "activation that does not grow faster than its input."
    )
    source = "Pascanu et al. 2013; AUTOTRAINER (Zhang et al., ICSE 2021)."
    diagnostic = "gradient_flow"
    of_trainings = True
    limits: ClassVar[Mapping[str, Limit]] = {
        "relative_gradient": Limit(
            10, "ratio", "Gradient-to-weight ratio (median over layers) above which the gradient explodes."
        ),
        "signal": Limit(1e3, "ratio", "Signal, relative to the input, above which activations make it explode."),
        "first_loss": FIRST_LOSS,
        "stuck": STUCK,
        "step": LARGE_UPDATES,
        "rise": RISE,
        "epochs": EPOCHS,
    }
    kinds = (
        Kind(
            when=Above(FASTER_SIGNAL, "signal") & HIGH_FIRST_LOSS,
            instead_of=("learning_rate_too_high",),
            at=_largest_signal,
            message=_signal_message,
            adjustments=_slower_activations,
        ),
        Kind(
            when=Is(plain_descent_at_a_usual_rate)
            & Above(FIRST_RELATIVE_GRADIENT, "relative_gradient")
            & (NOTHING_LEARNED.for_epochs(complete=True) | Is(loss_is_not_finite)),
            instead_of=("learning_rate_too_high",),
            at=lambda case: steepest_layer(case.signals),
            message=_first_message,
            adjustments=_smaller_steps,
        ),
        Kind(
            when=Above(MEDIAN_RELATIVE_GRADIENT, "relative_gradient", strict=True)
            .for_epochs()
            .except_where(Below(RISE_OF_SEVERAL, "rise"))
            .except_where(Below(MEDIAN_UPDATE_RATIO, "step")),
            at=_largest_gradient,
            message=_message,
            adjustments=_smaller_steps,
        ),
    )
