"""Gradients larger than the weights they are to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, Streak, clip, lower_learning_rate, streak
from tb_cnndiag.judging.faults.signal_growth import GRADIENT, SIGNAL, by_activations, by_gradients
from tb_cnndiag.numerics.activations import TAME


class ExplodingGradient(Fault):
    """‖g‖ / ‖w‖ in half of the layers."""

    id = "exploding_gradient"
    title = "Exploding gradient"
    what = (
        "The gradient is many times larger than the weights themselves in at least half of the layers, or signals grow "
        "from layer to layer because an activation outgrows what it is given."
    )
    why = "Each step throws the weights somewhere else: the loss jumps, and soon overflows."
    advice = (
        "Clip the gradient (clipnorm), lower the learning rate, normalize input, targets and layers, or use an "
        "activation that does not grow faster than its input."
    )
    source = "Pascanu et al. 2013; AUTOTRAINER (Zhang et al., ICSE 2021)."
    diagnostic = "gradient_flow"
    limits: ClassVar[Mapping[str, Limit]] = {
        "relative_gradient": Limit(10, "ratio", "‖g‖ / ‖w‖ that half of the layers exceed"),
        "rise": Limit(1.5, "ratio", "loss over its best, up to which large gradients do no harm (regression targets)"),
        "snapshots": Limit(2, "count", "consecutive looks at which it must hold"),
    }
    follows = ("unnormalised_input", "output_loss_mismatch", "bad_init", "learning_rate_too_high")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, at the layer with the largest: of signals, of the first gradients, or of those now."""
        if (found := by_activations(history)) is not None:
            yield self._by_activations(history, *found)
            return
        if (found := by_gradients(history)) is not None:
            yield self._by_gradients(history, *found)
            return
        series = history.series("gradient_flow", "relative_gradient")
        measured = np.isfinite(series.values).any(axis=1)
        if not measured.any():
            return
        values, steps = series.values[measured], series.steps[measured]
        median = np.nanmedian(np.where(np.isfinite(values), values, np.nan), axis=1)
        when = streak(steps, median > limits["relative_gradient"], limits["snapshots"])
        if when is None or _loss_falls(history, limits["rise"]):
            return
        layer = history.layers[int(np.nanargmax(values[-1]))]
        yield self.finding(
            history,
            layer,
            "error",
            when,
            f"In half of the layers the gradient is {median[-1]:.3g} times the weights; the most in {layer.path}.",
            evidence={"relative_gradient": Evidence(float(median[-1]), limits["relative_gradient"], "ratio")},
            adjustments=_smaller_steps(history),
        )

    def _by_activations(self, history: History, row: int, growth: float) -> Finding:
        layer = history.layers[row]
        return self.finding(
            history,
            layer,
            "error",
            Streak(0, history.last_step, True),
            f"Signals grow {growth:.3g} times on the way to {layer.path}, by activations that grow faster than what "
            "they are given.",
            evidence={"signal": Evidence(growth, SIGNAL, "ratio")},
            adjustments=tuple(
                Adjustment.of(
                    SetParameter(a.path, "activation", "relu"), a.activation, "is no larger than what it is given"
                )
                for a in history.layers
                if not a.output and a.activation not in TAME
            ),
        )

    def _by_gradients(self, history: History, row: int, ratio: float) -> Finding:
        layer = history.layers[row]
        return self.finding(
            history,
            layer,
            "error",
            Streak(0, history.last_step, True),
            f"Over the first steps the gradient was {ratio:.3g} times the weights in half of the layers; the most in "
            f"{layer.path}.",
            evidence={"relative_gradient": Evidence(ratio, GRADIENT, "ratio")},
            adjustments=_smaller_steps(history),
        )


def _smaller_steps(history: History) -> tuple[Adjustment, ...]:
    return (*clip(history, "bounds each step"), lower_learning_rate(history, "steps as large as the weights"))


def _loss_falls(history: History, rise: float) -> bool:
    """Whether the loss is known, finite and near its best: large gradients, as of large targets, are then no fault."""
    _, losses = history.scalars("training_curve", "loss")
    return bool(losses.size > 1 and np.isfinite(losses).all() and losses[-1] <= rise * losses.min())
