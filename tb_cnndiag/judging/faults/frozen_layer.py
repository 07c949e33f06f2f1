"""Layers that stay as they were drawn: trainable ones without gradient, and frozen ones that never were trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, Streak, streak
from tb_cnndiag.payloads import LayerInfo


class FrozenLayer(Fault):
    """A trainable kernel for which the tape gives no gradient at all, or a random one that is not trainable."""

    id = "frozen_layer"
    title = "Frozen layer"
    what = (
        "A trainable kernel whose gradient is None, so that the loss does not depend on it differentiably, or one that "
        "is not trainable and holds random numbers."
    )
    why = "It stays what it was at the start, however long the training."
    advice = (
        "Connect the layer's output to a loss, replace the step behind it that cannot be differentiated, or make it "
        "trainable and compile anew."
    )
    source = "TensorFlow guide, Gradients and automatic differentiation: getting a gradient of None."
    diagnostic = "gradient_flow"
    follows = ("nan_or_inf", "bad_init", "output_loss_mismatch", "saturated_activation")
    limits: ClassVar[Mapping[str, Limit]] = {
        "snapshots": Limit(2, "count", "consecutive snapshots without a gradient, while others have one"),
        "deviation": Limit(
            0.03, "ratio", "RMS weight of a frozen layer against that its initializer draws, up to which it is random"
        ),
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer, where another layer of its part is given gradient."""
        yield from self._random(history, limits)
        series = history.series("gradient_flow", "non_finite_ratio")
        if not len(series):
            return
        measured = ~np.isnan(series.values)
        parts = np.array([layer.path.partition("/")[0] for layer in history.layers])
        several = bool(history.info and ", " in history.info.model)
        nothing = history.series("gradient_flow", "gradient_norm").values == 0
        for row, layer in enumerate(history.layers):
            others = measured[:, parts == parts[row]] if several else measured
            when = streak(series.steps, others.any(axis=1) & ~measured[:, row], limits["snapshots"])
            zero = bool(nothing[:, row].all()) and not nothing.all() and _alive(history, row)
            if zero:
                when = streak(series.steps, nothing[:, row], limits["snapshots"])
            if when is None or (not when.enough and zero) or not layer.trainable:
                continue
            snapshots = int(nothing[:, row].sum()) if zero else int((~measured[:, row]).sum())
            yield self.finding(
                history,
                layer,
                "error",
                when,
                f"{layer.path} is trainable but "
                + ("its gradient has always been exactly 0." if zero else "is given no gradient."),
                evidence={"snapshots": Evidence(float(snapshots), limits["snapshots"], "count")},
                adjustments=(
                    Adjustment(
                        layer.path, "connection", "not differentiable", "differentiable", "the loss must depend on it"
                    ),
                ),
            )

    def _random(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """Layers that are not trainable although their weights are of the size that their initializer draws.

        Weights learned before have another size: transfer learning is not told.
        """
        sizes = history.series("weight_health", "rms")
        frozen = [row for row, layer in enumerate(history.layers) if not layer.trainable and not layer.output]
        if not len(sizes) or not any(layer.trainable for layer in history.layers):
            return
        found = [(row, _deviation(history.layers[row], float(sizes.values[-1, row]))) for row in frozen]
        known = [(history.layers[row], deviation) for row, deviation in found if deviation is not None]
        # Few weights tell little, and a short training changes their size little: all must look random.
        if not known or any(deviation > _allowed(layer, limits) for layer, deviation in known):
            return
        for layer, deviation in known:
            yield self.finding(
                history,
                layer,
                "warning",
                Streak(0, history.last_step, True),
                f"{layer.path} is not trainable, and its weights are as random as {layer.initializer} draws them.",
                evidence={"deviation": Evidence(deviation, _allowed(layer, limits), "ratio")},
                adjustments=(
                    Adjustment.of(
                        SetParameter(layer.path, "trainable", True), "False", "nothing was learned here before"
                    ),
                ),
            )


def _alive(history: History, row: int) -> bool:
    """Whether a layer and all behind it that read it pass signals on: a dead one stops gradients by itself."""
    dead = history.series("dead_units", "dead_ratio")
    behind = {row} | {i for i, layer in enumerate(history.layers) if i > row}
    return not len(dead) or bool((np.nan_to_num(dead.values[:, sorted(behind)]) < 1).all())


def _allowed(layer: LayerInfo, limits: Mapping[str, float]) -> float:
    """The RMS of n numbers is known to about 1/√(2n) of itself."""
    return max(limits["deviation"], 2 / math.sqrt(2 * max(math.prod(layer.kernel_shape), 1)))


def _deviation(layer: LayerInfo, size: float) -> float | None:
    """How far the RMS weight is from what the layer's initializer draws; None when that is not known."""
    drawn = _drawn_rms(layer)
    return abs(size / drawn - 1) if drawn and math.isfinite(size) else None


def _drawn_rms(layer: LayerInfo) -> float | None:
    """RMS of the weights that the layer's initializer draws; None when it is not known."""
    shape = layer.kernel_shape
    if len(shape) < 2 or layer.role not in ("conv", "dense"):
        return None
    window = math.prod(shape[:-2])
    fan_in, fan_out = shape[-2] * window, shape[-1] * window
    fans = {"he": fan_in / 2, "lecun": fan_in, "glorot": (fan_in + fan_out) / 2}
    fan = fans.get(layer.initializer.partition("_")[0])
    return 1 / math.sqrt(fan) if fan else None
