"""A loss that has come to rest far above zero in a network whose layers are well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import WIDTH_PARAMETER, Fault, Limit, streak
from tb_cnndiag.judging.faults.loss_progress import (
    BINARY,
    CATEGORICAL,
    at,
    chance_loss,
    gain_per_snapshot,
    loss_config,
    losses,
    middle,
    step_sizes,
)
from tb_cnndiag.judging.faults.regularization import restraints
from tb_cnndiag.payloads import LayerInfo

# What classes have in common passes a layer of fewer units, and little of what tells them apart.
NARROW = 3


class Underfitting(Fault):
    """A plateau of the training loss above what the samples allow, while weights go on moving."""

    id = "underfitting"
    title = "Underfitting"
    what = "The training loss no longer falls although it is still high and the weights still move."
    why = "The network is too narrow, too shallow or held back too much to fit even what it is shown."
    advice = "Widen the narrowest layer, add layers, or weaken regularisation; check that labels are right."
    source = "Goodfellow et al. 2016, Deep Learning, section 5.2; CS231n, Babysitting the learning process."
    diagnostic = "training_curve"
    limits: ClassVar[Mapping[str, Limit]] = {
        "gain": Limit(0.01, "share", "mean fall of the loss per snapshot below which it has come to rest"),
        "slow": Limit(0.025, "share", "the same while the loss is far above: it would take tens of snapshots more"),
        "far": Limit(0.7, "ratio", "loss over that of chance from which it is far above"),
        "low": Limit(0.4, "ratio", "loss over that of chance from which it is still high"),
        "low_regression": Limit(0.7, "ratio", "the same for a regression, whose targets may be noisy"),
        "high": Limit(0.95, "ratio", "loss over that of chance from which nothing is learned: another fault"),
        "step": Limit(1e-4, "ratio", "‖Δw‖/‖w‖ per step from which weights still move"),
        "snapshots": Limit(5, "count", "consecutive looks at which it must hold"),
    }
    follows = (
        "nan_or_inf",
        "output_loss_mismatch",
        "unnormalised_input",
        "bad_init",
        "missing_activation",
        "learning_rate_too_high",
        "learning_rate_too_low",
        "exploding_gradient",
        "vanishing_gradient",
        "saturated_activation",
        "dead_units",
        "frozen_layer",
    )

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, at the narrowest hidden layer; only where chance is known."""
        sizes = step_sizes(history)
        steps, values = losses(history)
        chance, snapshots = chance_loss(history), int(limits["snapshots"])
        if chance is None or not len(sizes) or len(steps) <= snapshots or not np.isfinite(values).all():
            return
        course = values / chance
        size = at(steps, sizes.steps, middle(sizes.values))
        classes = loss_config(history)[0] in (*CATEGORICAL, *BINARY)
        weaker = restraints(history)
        hidden = [layer for layer in history.layers if not layer.output and layer.trainable and layer.units]
        low, top = limits["low" if classes else "low_regression"], np.inf if weaker or not hidden else limits["high"]
        high = (course >= low) & (course < top) & (size >= limits["step"])
        when = streak(steps, high, snapshots)
        gain = gain_per_snapshot(course, snapshots)
        if when is None or not history.layers:
            return
        narrowest = min(hidden or history.layers, key=lambda layer: layer.units)
        narrow = classes and narrowest.units < NARROW
        slow = classes and (narrow or course[-1] >= limits["far"])
        rests = limits["slow" if slow else "gain"]
        if not -rests < gain < rests:
            return
        cause = f"the narrowest layer is {narrowest.path} with {narrowest.units} units"
        if not hidden:
            cause = f"{narrowest.path} is the only layer, and tells apart only what a straight border does"
        if weaker:
            cause = f"{weaker[0].parameter} of {weaker[0].current} at {weaker[0].layer or 'every step'} holds it back"
        held_layer = next(
            (layer for layer in hidden if weaker and weaker[0].layer in (layer.path, layer.dropout_at)), None
        )
        yield self.finding(
            history,
            held_layer or narrowest,
            "warning",
            when,
            f"The training loss rests at {course[-1]:.0%} of chance; {cause}.",
            evidence={
                "gain": Evidence(gain, limits["gain"], "share"),
                "loss": Evidence(float(course[-1]), low, "ratio"),
            },
            adjustments=weaker or (_wider(narrowest) if hidden else _deeper(narrowest)),
        )


def _wider(layer: LayerInfo) -> tuple[Adjustment, ...]:
    parameter = WIDTH_PARAMETER.get(layer.role)
    if parameter is None:
        return ()
    proposed = max(4 * layer.units, 16)
    return (
        Adjustment.of(
            SetParameter(layer.path, parameter, proposed), str(layer.units), "the narrowest layer bounds what passes"
        ),
    )


def _deeper(layer: LayerInfo) -> tuple[Adjustment, ...]:
    return (Adjustment(layer.path, "layers", "1", "2", "a hidden layer with an activation bends the border"),)
