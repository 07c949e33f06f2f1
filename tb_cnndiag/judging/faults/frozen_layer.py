"""Layers that keep their initial weights: trainable ones without a gradient, and frozen ones that are random."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit
from tb_cnndiag.judging.signals.persistence import Streak, streak
from tb_cnndiag.payloads import LayerInfo


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
    follows = ("nan_or_inf", "bad_init", "output_loss_mismatch", "saturated_activation")
    limits: ClassVar[Mapping[str, Limit]] = {
        "snapshots": Limit(2, "count", "Number of consecutive snapshots without a gradient while others have one."),
        "deviation": Limit(
            0.03, "ratio", "Deviation from the RMS weight of the initializer below which a frozen layer is random."
        ),
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer, if another layer of the same part receives a gradient."""
        yield from self._random(history, limits)
        series = history.series("gradient_flow", "non_finite_ratio")
        if not len(series):
            return
        measured = ~np.isnan(series.values)
        parts = np.array([layer.path.partition("/")[0] for layer in history.layers])
        several = bool(history.info and ", " in history.info.model)
        zero_norm = history.series("gradient_flow", "gradient_norm").values == 0
        for row, layer in enumerate(history.layers):
            others = measured[:, parts == parts[row]] if several else measured
            persistence = streak(series.steps, others.any(axis=1) & ~measured[:, row], limits["snapshots"])
            zero = bool(zero_norm[:, row].all()) and not zero_norm.all() and _passes_gradient(history, row)
            if zero:
                persistence = streak(series.steps, zero_norm[:, row], limits["snapshots"])
            if persistence is None or (not persistence.enough and zero) or not layer.trainable:
                continue
            snapshots = int(zero_norm[:, row].sum()) if zero else int((~measured[:, row]).sum())
            yield self.finding(
                history,
                layer,
                "error",
                persistence,
                f"The layer {layer.path} is trainable, but "
                + ("its gradient is exactly 0 at every snapshot." if zero else "receives no gradient."),
                evidence={"snapshots": Evidence(float(snapshots), limits["snapshots"], "count")},
                adjustments=(
                    Adjustment(
                        layer.path, "connection", "not differentiable", "differentiable", "the loss must depend on it"
                    ),
                ),
            )

    def _random(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """Layers that are not trainable although their weights have the RMS of their initializer.

        Pretrained weights have another RMS: transfer learning is not reported.
        """
        sizes = history.series("weight_health", "rms")
        frozen = [row for row, layer in enumerate(history.layers) if not layer.trainable and not layer.output]
        if not len(sizes) or not any(layer.trainable for layer in history.layers):
            return
        found = [(row, _deviation(history.layers[row], float(sizes.values[-1, row]))) for row in frozen]
        known = [(history.layers[row], deviation) for row, deviation in found if deviation is not None]
        # The RMS of few weights proves little, and a short training hardly changes it: all layers must be random.
        if not known or any(deviation > _allowed(layer, limits) for layer, deviation in known):
            return
        for layer, deviation in known:
            yield self.finding(
                history,
                layer,
                "warning",
                Streak(0, history.last_step, True),
                f"The layer {layer.path} is not trainable, and its weights have the RMS of random {layer.initializer} "
                "weights.",
                evidence={"deviation": Evidence(deviation, _allowed(layer, limits), "ratio")},
                adjustments=(
                    Adjustment.of(
                        SetParameter(layer.path, "trainable", True), "False", "its weights are random, not pretrained"
                    ),
                ),
            )


def _passes_gradient(history: History, row: int) -> bool:
    """Whether no layer from this one on is dead: a dead layer blocks the gradient."""
    dead = history.series("dead_units", "dead_ratio")
    behind = range(row, len(history.layers))
    return not len(dead) or bool((np.nan_to_num(dead.values[:, behind]) < 1).all())


def _allowed(layer: LayerInfo, limits: Mapping[str, float]) -> float:
    """The relative standard error of the RMS of n numbers is about 1/√(2n)."""
    return max(limits["deviation"], 2 / math.sqrt(2 * max(math.prod(layer.kernel_shape), 1)))


def _deviation(layer: LayerInfo, size: float) -> float | None:
    """Relative deviation of the RMS weight from that of the layer's initializer; None when that is unknown."""
    initial = _initial_rms(layer)
    return abs(size / initial - 1) if initial and math.isfinite(size) else None


def _initial_rms(layer: LayerInfo) -> float | None:
    """RMS of the weights from the layer's initializer; None when it is unknown."""
    shape = layer.kernel_shape
    if len(shape) < 2 or layer.role not in ("conv", "dense"):
        return None
    window = math.prod(shape[:-2])
    fan_in, fan_out = shape[-2] * window, shape[-1] * window
    fans = {"he": fan_in / 2, "lecun": fan_in, "glorot": (fan_in + fan_out) / 2}
    fan = fans.get(layer.initializer.partition("_")[0])
    return 1 / math.sqrt(fan) if fan else None
