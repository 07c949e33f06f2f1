"""Trainable layers that are given no gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.faults.base import Fault, Limit, held
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History


class FrozenLayer(Fault):
    """A trainable kernel for which the tape gives no gradient at all."""

    id = "frozen_layer"
    title = "Layer without gradient"
    what = "A kernel that is trainable, but whose gradient is None: the loss does not depend on it differentiably."
    why = "It stays what it was at the start, however long the training."
    advice = "Connect the layer's output to a loss, or replace the step behind it that cannot be differentiated."
    source = "TensorFlow guide, Gradients and automatic differentiation: getting a gradient of None."
    diagnostic = "gradient_flow"
    limits: ClassVar[Mapping[str, Limit]] = {
        "looks": Limit(2, "count", "consecutive looks without a gradient, while others have one")
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer, where another layer of its part is given gradient."""
        series = history.series("gradient_flow", "non_finite_ratio")
        if not len(series):
            return
        measured = ~np.isnan(series.values)
        parts = np.array([layer.path.partition("/")[0] for layer in history.layers])
        several = bool(history.info and ", " in history.info.model)
        for row, layer in enumerate(history.layers):
            others = measured[:, parts == parts[row]] if several else measured
            when = held(series.steps, others.any(axis=1) & ~measured[:, row], limits["looks"])
            if when is None or not layer.trainable:
                continue
            yield self.finding(
                history,
                layer,
                "error",
                when,
                f"{layer.path} is trainable but is given no gradient.",
                evidence={"looks": Evidence(float((~measured[:, row]).sum()), limits["looks"], "count")},
                adjustments=(
                    Adjustment(
                        layer.path, "connection", "not differentiable", "differentiable", "the loss must depend on it"
                    ),
                ),
            )
