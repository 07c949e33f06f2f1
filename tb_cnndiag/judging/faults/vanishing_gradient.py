"""Gradient that fades on its way to the first layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, normalized, streak
from tb_cnndiag.judging.faults.loss_progress import at, losses, progress
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray, LayerInfo

# A layer with more of its units dead is cut.
WHOLE = 0.9
SQUASHING = ("sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign")


class VanishingGradient(Fault):
    """Relative gradient of the first trainable layer against the last, while the first does not move."""

    id = "vanishing_gradient"
    title = "Vanishing gradient"
    what = "The gradient shrinks from layer to layer on its way back, so that the first layers hardly receive any."
    why = "Layers without gradient stay what they were at the start: the network learns with its last layers alone."
    advice = (
        "Use ELU or ReLU for sigmoid or tanh, an initializer that fits, BatchNormalization, or residual connections."
    )
    source = (
        "AUTOTRAINER (Zhang et al., ICSE 2021): gradient ratio of first to last layer < 1e-3; Glorot & Bengio 2010."
    )
    diagnostic = "gradient_flow"
    limits: ClassVar[Mapping[str, Limit]] = {
        "gradient_ratio": Limit(
            1e-3, "ratio", "relative gradient of the first layer over the last's, below which it fades"
        ),
        "hidden_ratio": Limit(1e-2, "ratio", "the same against the last hidden layer: more may be the output's doing"),
        "update_ratio": Limit(1e-4, "ratio", "‖Δw‖/‖w‖ per step below which the first layer stands still"),
        "stuck": Limit(0.95, "ratio", "loss over that of chance from which nothing is learned although layers move"),
        "snapshots": Limit(2, "count", "consecutive looks at which it must hold"),
    }
    follows = (
        "nan_or_inf",
        "unnormalised_input",
        "output_loss_mismatch",
        "bad_init",
        "learning_rate_too_high",
        "saturated_activation",
    )

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, at the first layer of the decay."""
        gradients = history.series("gradient_flow", "relative_gradient")
        updates = history.series("update_ratio", "update_ratio")
        rows = [row for row, layer in enumerate(history.layers) if layer.trainable]
        rows = [row for row in rows if len(gradients) and np.isfinite(gradients.values[-1, row])]
        if len(rows) < 3:
            return
        first, last = rows[0], rows[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = gradients.values[:, first] / gradients.values[:, last]
        moved = dict(zip(updates.steps.tolist(), updates.values[:, first].tolist(), strict=True))
        still = np.array([not moved.get(step, 0.0) >= limits["update_ratio"] for step in gradients.steps.tolist()])
        norms = history.series("gradient_flow", "gradient_norm").values[:, first]
        if norms.size and (norms == 0).all():  # cut off, which is another fault, rather than faded
            return
        hidden = [row for row in rows if not history.layers[row].output]
        with np.errstate(divide="ignore", invalid="ignore"):
            within = gradients.values[:, first] / gradients.values[:, hidden[-1] if hidden else last]
        loss_steps, _ = losses(history)
        stuck = at(gradients.steps, loss_steps, progress(history)) >= limits["stuck"]
        when = streak(
            gradients.steps,
            (ratios < limits["gradient_ratio"]) & (within < limits["hidden_ratio"]) & (still | stuck),
            limits["snapshots"],
        )
        if when is None or not np.isfinite(ratios[-1]) or _cut_by_a_dead_layer(history):
            return
        layer = history.layers[first]
        begins = _begin_of_decay(history.layers, gradients.values[-1], rows)
        yield self.finding(
            history,
            layer,
            "error",
            when,
            f"{layer.path} receives {ratios[-1]:.1g} times the relative gradient of {history.layers[last].path}: "
            f"it fades from {begins.path} back.",
            evidence={
                "gradient_ratio": Evidence(float(ratios[-1]), limits["gradient_ratio"], "ratio"),
                "update_ratio": Evidence(
                    float(moved.get(int(gradients.steps[-1]), 0.0)), limits["update_ratio"], "ratio"
                ),
            },
            adjustments=_adjustments(history, rows),
        )


def _cut_by_a_dead_layer(history: History) -> bool:
    """Whether a rectified layer passes nothing on: that is what stops the gradient then."""
    dead = history.series("dead_units", "dead_ratio")
    return bool(len(dead)) and any(
        dead.values[-1, row] >= WHOLE and layer.activation in RECTIFIED and not layer.output
        for row, layer in enumerate(history.layers)
    )


def _begin_of_decay(layers: tuple[LayerInfo, ...], gradients: FloatArray, rows: list[int]) -> LayerInfo:
    """The layer behind the steepest drop, on the way back."""
    logs = np.log10(np.maximum(gradients[rows].astype(np.float64), 1e-300))
    return layers[rows[int(np.argmax(np.diff(logs))) + 1]]


def _adjustments(history: History, rows: list[int]) -> tuple[Adjustment, ...]:
    layers = history.layers
    found = [
        Adjustment.of(
            SetParameter(layers[row].path, "activation", "elu"),
            layers[row].activation,
            "its slope is 1 where it fires and never 0 (Clevert et al. 2016)",
        )
        for row in rows
        if layers[row].activation in SQUASHING and not layers[row].output
    ]
    found += [
        Adjustment.of(
            SetParameter(layers[row].path, "kernel_initializer", "he_normal"),
            layers[row].initializer or "unknown",
            "keeps the variance of signals through depth (He et al. 2015)",
        )
        for row in rows
        if layers[row].initializer not in ("he_normal", "he_uniform") and not layers[row].output
    ]
    found += [
        normalized(history, layers[row], "rescales what each layer passes on")
        for row in rows
        if not layers[row].normalization and not layers[row].output
    ]
    return tuple(found)
