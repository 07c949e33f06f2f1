"""A loss on a high plateau in a network whose layers are healthy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import WIDTH_PARAMETER, Fault, Limit, consecutive_snapshots
from tb_cnndiag.judging.signals.loss import (
    BINARY,
    CATEGORICAL,
    decrease_per_snapshot,
    loss_config,
    prior_loss,
    training_loss,
)
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.judging.signals.regularization import weaker_regularization
from tb_cnndiag.judging.signals.series import median_over_layers, values_at
from tb_cnndiag.judging.signals.updates import update_ratios
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.wording import percent, plural

# Number of units below which a layer passes little of what distinguishes the classes.
NARROW = 3


class Underfitting(Fault):
    """A high plateau of the training loss while the weights still change."""

    id = "underfitting"
    title = "Underfitting"
    what = "The training loss no longer falls, although it is still high and the weights still change."
    why = "The network is too narrow, too shallow or too strongly regularized to fit even the training data."
    advice = "Widen the narrowest layer, add layers, or weaken regularization. Check that the labels are right."
    source = "Goodfellow et al. 2016, Deep Learning, section 5.2; CS231n, Babysitting the learning process."
    diagnostic = "training_curve"
    limits: ClassVar[Mapping[str, Limit]] = {
        "gain": Limit(0.01, "share", "Mean decrease of the loss per snapshot below which the loss is on a plateau."),
        "slow": Limit(
            0.025, "share", "Mean decrease of the loss per snapshot below which a loss above `far` is on a plateau."
        ),
        "far": Limit(0.7, "ratio", "Loss, relative to the prior loss, above which `slow` applies instead of `gain`."),
        "low": Limit(0.4, "ratio", "Loss, relative to the prior loss, above which the loss of a classifier is high."),
        "low_regression": Limit(
            0.7,
            "ratio",
            "Loss, relative to the prior loss, above which the loss of a regression is high.",
        ),
        "high": Limit(
            0.95, "ratio", "Loss, relative to the prior loss, above which nothing was learned: this is another fault."
        ),
        "step": Limit(1e-4, "ratio", "Update-to-weight ratio (median over layers) above which weights still change."),
        "snapshots": consecutive_snapshots(5),
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
        """At most one finding, at the narrowest or a strongly regularized layer; only where the prior loss is known."""
        updates = update_ratios(history)
        steps, values = training_loss(history)
        prior, snapshots = prior_loss(history), int(limits["snapshots"])
        if prior is None or not len(updates) or len(steps) <= snapshots or not np.isfinite(values).all():
            return
        loss = values / prior
        ratios = values_at(steps, updates.steps, median_over_layers(updates.values))
        classes = loss_config(history)[0] in (*CATEGORICAL, *BINARY)
        weaker = weaker_regularization(history)
        hidden = [layer for layer in history.layers if not layer.output and layer.trainable and layer.units]
        low, top = limits["low" if classes else "low_regression"], np.inf if weaker or not hidden else limits["high"]
        high = (loss >= low) & (loss < top) & (ratios >= limits["step"])
        persistence = streak(steps, high, snapshots)
        gain = decrease_per_snapshot(loss, snapshots)
        if persistence is None or not history.layers:
            return
        narrowest = min(hidden or history.layers, key=lambda layer: layer.units)
        narrow = classes and narrowest.units < NARROW
        slow = classes and (narrow or loss[-1] >= limits["far"])
        plateau = limits["slow" if slow else "gain"]
        if not -plateau < gain < plateau:
            return
        cause = f"The narrowest layer is {narrowest.path} with {plural(narrowest.units, 'unit')}."
        if not hidden:
            cause = f"The only layer is {narrowest.path}: the decision boundary is linear."
        if weaker:
            place = f" in {weaker[0].layer}" if weaker[0].layer else ""
            cause = f"The regularization is too strong: {weaker[0].parameter} ({weaker[0].current}){place}."
        regularized = next(
            (layer for layer in hidden if weaker and weaker[0].layer in (layer.path, layer.dropout_at)), None
        )
        yield self.finding(
            history,
            regularized or narrowest,
            "warning",
            persistence,
            f"The training loss is on a plateau at {percent(float(loss[-1]))} of the prior loss. {cause}",
            evidence={
                "gain": Evidence(gain, limits["gain"], "share"),
                "loss": Evidence(float(loss[-1]), low, "ratio"),
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
            SetParameter(layer.path, parameter, proposed),
            str(layer.units),
            "the narrowest layer limits the information",
        ),
    )


def _deeper(layer: LayerInfo) -> tuple[Adjustment, ...]:
    return (Adjustment(layer.path, "layers", "1", "2", "a hidden layer makes the decision boundary nonlinear"),)
