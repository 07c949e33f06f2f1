"""Gradients that vanish on their way to the first layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, consecutive_snapshots, normalized
from tb_cnndiag.judging.signals.loss import relative_loss, training_loss
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.judging.signals.series import values_at
from tb_cnndiag.numerics.activations import RECTIFIED, SQUASHING
from tb_cnndiag.payloads import FloatArray, LayerInfo
from tb_cnndiag.wording import times

# Share of dead units above which a layer blocks the gradient.
BLOCKED = 0.9


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
    limits: ClassVar[Mapping[str, Limit]] = {
        "gradient_ratio": Limit(
            1e-3, "ratio", "Relative gradient of the first layer, divided by that of the last, below which it vanishes."
        ),
        "hidden_ratio": Limit(
            1e-2,
            "ratio",
            "Relative gradient of the first layer, divided by that of the last hidden layer, below which it vanishes.",
        ),
        "update_ratio": Limit(1e-4, "ratio", "Update-to-weight ratio below which the first layer does not learn."),
        "stuck": Limit(0.95, "ratio", "Loss, relative to the prior loss, above which nothing was learned."),
        "snapshots": consecutive_snapshots(2),
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
        """At most one finding, at the first trainable layer."""
        gradients = history.series("gradient_flow", "relative_gradient")
        updates = history.series("update_ratio", "update_ratio")
        rows = [row for row, layer in enumerate(history.layers) if layer.trainable]
        rows = [row for row in rows if len(gradients) and np.isfinite(gradients.values[-1, row])]
        if len(rows) < 3:
            return
        first, last = rows[0], rows[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = gradients.values[:, first] / gradients.values[:, last]
        ratio_at = dict(zip(updates.steps.tolist(), updates.values[:, first].tolist(), strict=True))
        still = np.array([not ratio_at.get(step, 0.0) >= limits["update_ratio"] for step in gradients.steps.tolist()])
        norms = history.series("gradient_flow", "gradient_norm").values[:, first]
        if norms.size and (norms == 0).all():  # no gradient at all is another fault
            return
        hidden = [row for row in rows if not history.layers[row].output]
        with np.errstate(divide="ignore", invalid="ignore"):
            within = gradients.values[:, first] / gradients.values[:, hidden[-1] if hidden else last]
        loss_steps, _ = training_loss(history)
        stuck = values_at(gradients.steps, loss_steps, relative_loss(history)) >= limits["stuck"]
        persistence = streak(
            gradients.steps,
            (ratios < limits["gradient_ratio"]) & (within < limits["hidden_ratio"]) & (still | stuck),
            limits["snapshots"],
        )
        if persistence is None or not np.isfinite(ratios[-1]) or _blocked_by_dead_layer(history):
            return
        layer = history.layers[first]
        source = _steepest_decrease(history.layers, gradients.values[-1], rows)
        yield self.finding(
            history,
            layer,
            "error",
            persistence,
            f"The relative gradient of {layer.path} is {times(float(ratios[-1]))} that of {history.layers[last].path}: "
            f"it vanishes on the way back from {source.path}.",
            evidence={
                "gradient_ratio": Evidence(float(ratios[-1]), limits["gradient_ratio"], "ratio"),
                "update_ratio": Evidence(
                    float(ratio_at.get(int(gradients.steps[-1]), 0.0)), limits["update_ratio"], "ratio"
                ),
            },
            adjustments=_adjustments(history, rows),
        )


def _blocked_by_dead_layer(history: History) -> bool:
    """Whether a dead rectified layer blocks the gradient."""
    dead = history.series("dead_units", "dead_ratio")
    return bool(len(dead)) and any(
        dead.values[-1, row] >= BLOCKED and layer.activation in RECTIFIED and not layer.output
        for row, layer in enumerate(history.layers)
    )


def _steepest_decrease(layers: tuple[LayerInfo, ...], gradients: FloatArray, rows: list[int]) -> LayerInfo:
    """The layer behind which, on the way back, the gradient decreases most."""
    logs = np.log10(np.maximum(gradients[rows].astype(np.float64), 1e-300))
    return layers[rows[int(np.argmax(np.diff(logs))) + 1]]


def _adjustments(history: History, rows: list[int]) -> tuple[Adjustment, ...]:
    layers = history.layers
    found = [
        Adjustment.of(
            SetParameter(layers[row].path, "activation", "elu"),
            layers[row].activation,
            "its slope is 1 above zero and never 0 (Clevert et al. 2016)",
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
        normalized(history, layers[row], "rescales the output of each layer")
        for row in rows
        if not layers[row].normalization and not layers[row].output
    ]
    return tuple(found)
