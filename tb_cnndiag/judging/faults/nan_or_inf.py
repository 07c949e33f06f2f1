"""Numbers that are not finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, clip, lower_learning_rate
from tb_cnndiag.judging.signals.persistence import Streak

# Where non-finite numbers are measured, in the order in which they spread within a snapshot.
_SOURCES = (
    ("weight_health", "non_finite", "weights"),
    ("activation_density", "non_finite_share", "activations"),
    ("gradient_flow", "non_finite_ratio", "gradients"),
)


class NanOrInf(Fault):
    """The first step and layer with NaN or infinity."""

    id = "nan_or_inf"
    title = "NaN or infinity"
    what = "The input, weights, activations, gradients or the loss contain NaN or infinity."
    why = "NaN spreads through every layer within one step and never disappears. The run is wasted from that step on."
    advice = (
        "Check the data for NaN. Add an epsilon inside logarithms and divisions. Clip the gradient, or lower the "
        "learning rate."
    )
    source = (
        "IEEE 754; Amazon SageMaker Debugger, rule NaN. The loss alone is not reliable: a fused graph can hide NaN."
    )
    diagnostic = "weight_health"
    follows = ("unnormalised_input", "output_loss_mismatch", "bad_init", "learning_rate_too_high", "exploding_gradient")
    limits: ClassVar[Mapping[str, Limit]] = {
        "count": Limit(0, "count", "Number of non-finite values in a layer above which the layer is faulty.")
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding: at the first step, in the first layer."""
        seen: list[tuple[int, str, NDArray[np.bool_]]] = []
        for diagnostic, column, what in _SOURCES:
            series = history.series(diagnostic, column)
            bad = np.nan_to_num(series.values, nan=0.0, posinf=1.0) > limits["count"]
            snapshots = np.flatnonzero(bad.any(axis=1))
            if snapshots.size:
                seen.append((int(series.steps[snapshots[0]]), what, bad[snapshots[0]]))
        broken_input = _non_finite_input(history)
        if broken_input is not None:
            seen.append((broken_input[0], "the input", broken_input[1]))
        losses = [name for name in history.scalar_names("training_curve") if name in ("loss", "val_loss")]
        for name in losses:
            steps, values = history.scalars("training_curve", name)
            broken = np.flatnonzero(~np.isfinite(values))
            if broken.size:
                seen.append((int(steps[broken[0]]), name, np.zeros(len(history.layers), bool)))
        if not seen:
            return
        step = min(first for first, _, _ in seen)
        # The input comes before everything that is computed from it.
        seen.sort(key=lambda source: source[1] != "the input")
        whats = [what for first, what, _ in seen if first == step]
        rows = next((rows for first, _, rows in seen if first == step and rows.any()), None)
        # If every layer has it at once, the loss or the data is the cause, not one of the layers.
        everywhere = rows is None or (
            whats[0] != "the input" and rows.sum() == sum(layer.trainable for layer in history.layers) > 1
        )
        layer = None if rows is None or everywhere else history.layers[int(np.flatnonzero(rows)[0])]
        place = layer.path if layer else "the whole model"
        yield self.finding(
            history,
            layer,
            "error",
            Streak(step, history.last_step, True),
            f"NaN or infinity appeared in {place} at step {step:,}: in {', '.join(whats)}.",
            evidence={
                "layers": Evidence(float(rows.sum()) if rows is not None else 0.0, limits["count"], "count"),
                "first_step": Evidence(float(step), None, "step"),
            },
            adjustments=_adjustments(history),
        )


def _non_finite_input(history: History) -> tuple[int, NDArray[np.bool_]] | None:
    """(step, first layers) where the probe contains non-finite values: it was observed, but has no finite mean."""
    means = history.series("model_input", "mean")
    observed = history.series("model_input", "constant_share")
    if len(means) != len(observed):
        return None
    bad = ~np.isfinite(means.values) & np.isfinite(observed.values)
    snapshots = np.flatnonzero(bad.any(axis=1))
    return (int(means.steps[snapshots[0]]), bad[snapshots[0]]) if snapshots.size else None


def _adjustments(history: History) -> tuple[Adjustment, ...]:
    return (
        lower_learning_rate(history, "updates that are too large overflow"),
        *clip(history, "bounds each update"),
        Adjustment(None, "data", "unknown", "finite", "a single NaN in the data is enough"),
    )
