"""Numbers that are not finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, Streak, clip, lower_learning_rate

# Where a number that is not finite is seen, in the order in which it spreads within a snapshot.
_SIGNS = (
    ("weight_health", "non_finite", "weights"),
    ("activation_density", "non_finite_share", "activations"),
    ("gradient_flow", "non_finite_ratio", "gradients"),
)


class NanOrInf(Fault):
    """The first place at which NaN or infinity shows."""

    id = "nan_or_inf"
    title = "NaN or infinity"
    what = "Weights, activations, gradients or the loss are NaN or infinite."
    why = "It spreads through every layer within a step and never goes away by itself: the run is wasted from there on."
    advice = (
        "Check the data for NaN, add an epsilon inside logarithms and divisions, clip the gradient, lower the learning "
        "rate."
    )
    source = (
        "IEEE 754; Amazon SageMaker Debugger rule NaN; the loss alone is not to be trusted, a fused graph can hide it."
    )
    diagnostic = "weight_health"
    follows = ("unnormalised_input", "output_loss_mismatch", "bad_init", "learning_rate_too_high", "exploding_gradient")
    limits: ClassVar[Mapping[str, Limit]] = {"count": Limit(0, "count", "numbers that are not finite")}

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, at the first place in time, then in the network."""
        seen: list[tuple[int, str, NDArray[np.bool_]]] = []
        for diagnostic, column, what in _SIGNS:
            series = history.series(diagnostic, column)
            bad = np.nan_to_num(series.values, nan=0.0, posinf=1.0) > limits["count"]
            snapshots = np.flatnonzero(bad.any(axis=1))
            if snapshots.size:
                seen.append((int(series.steps[snapshots[0]]), what, bad[snapshots[0]]))
        given = _input(history)
        if given is not None:
            seen.append((given[0], "the input", given[1]))
        losses = [name for name in history.scalar_names("training_curve") if name in ("loss", "val_loss")]
        for name in losses:
            steps, values = history.scalars("training_curve", name)
            broken = np.flatnonzero(~np.isfinite(values))
            if broken.size:
                seen.append((int(steps[broken[0]]), name, np.zeros(len(history.layers), bool)))
        if not seen:
            return
        step = min(first for first, _, _ in seen)
        # The input comes before all that is computed of it.
        seen.sort(key=lambda sign: sign[1] != "the input")
        whats = [what for first, what, _ in seen if first == step]
        rows = next((rows for first, _, rows in seen if first == step and rows.any()), None)
        # Where every layer shows it at once, it came from the loss or the data, not from one of them.
        everywhere = rows is None or (
            whats[0] != "the input" and rows.sum() == sum(layer.trainable for layer in history.layers) > 1
        )
        layer = None if rows is None or everywhere else history.layers[int(np.flatnonzero(rows)[0])]
        place = layer.path if layer else "The whole model"
        yield self.finding(
            history,
            layer,
            "error",
            Streak(step, history.last_step, True),
            f"{place}: NaN or infinity in {', '.join(whats)} since step {step}.",
            evidence={
                "layers": Evidence(float(rows.sum()) if rows is not None else 0.0, limits["count"], "count"),
                "first_step": Evidence(float(step), None, "step"),
            },
            adjustments=_adjustments(history),
        )


def _input(history: History) -> tuple[int, NDArray[np.bool_]] | None:
    """(step, first layers) where the probe itself holds what is not finite: it was counted, but has no mean."""
    means = history.series("model_input", "mean")
    counted = history.series("model_input", "constant_share")
    if len(means) != len(counted):
        return None
    bad = ~np.isfinite(means.values) & np.isfinite(counted.values)
    snapshots = np.flatnonzero(bad.any(axis=1))
    return (int(means.steps[snapshots[0]]), bad[snapshots[0]]) if snapshots.size else None


def _adjustments(history: History) -> tuple[Adjustment, ...]:
    return (
        lower_learning_rate(history, "steps that are too large overflow"),
        *clip(history, "bounds each step, whatever the gradient"),
        Adjustment(None, "data", "unknown", "finite", "a single NaN in the data is enough"),
    )
