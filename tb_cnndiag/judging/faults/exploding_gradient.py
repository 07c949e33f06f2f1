"""Gradients that are larger than the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, clip, consecutive_snapshots, lower_learning_rate
from tb_cnndiag.judging.signals.initial_explosion import GRADIENT, SIGNAL, exploding_activations, exploding_gradients
from tb_cnndiag.judging.signals.persistence import Streak, streak
from tb_cnndiag.numerics.activations import LINEAR_GROWTH
from tb_cnndiag.wording import times


class ExplodingGradient(Fault):
    """‖g‖ / ‖w‖, median over layers."""

    id = "exploding_gradient"
    title = "Exploding gradient"
    what = (
        "The gradient is many times larger than the weights in at least half of the layers, or signals grow from layer "
        "to layer because an activation grows faster than its input."
    )
    why = "Each update replaces the weights instead of adjusting them: the loss jumps, and soon overflows."
    advice = (
        "Clip the gradient (clipnorm), lower the learning rate, normalize input, targets and layers, or use an "
        "activation that does not grow faster than its input."
    )
    source = "Pascanu et al. 2013; AUTOTRAINER (Zhang et al., ICSE 2021)."
    diagnostic = "gradient_flow"
    limits: ClassVar[Mapping[str, Limit]] = {
        "relative_gradient": Limit(
            10, "ratio", "Gradient-to-weight ratio (median over layers) above which the gradient explodes."
        ),
        "rise": Limit(
            1.5, "ratio", "Loss, relative to its best value, below which large gradients (of large targets) do no harm."
        ),
        "snapshots": consecutive_snapshots(2),
    }
    follows = ("unnormalised_input", "output_loss_mismatch", "bad_init", "learning_rate_too_high")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """At most one finding, at the layer with the largest signal, first gradient, or last gradient."""
        if (found := exploding_activations(history)) is not None:
            yield self._activations(history, *found)
            return
        if (found := exploding_gradients(history)) is not None:
            yield self._first_gradients(history, *found)
            return
        series = history.series("gradient_flow", "relative_gradient")
        measured = np.isfinite(series.values).any(axis=1)
        if not measured.any():
            return
        values, steps = series.values[measured], series.steps[measured]
        median = np.nanmedian(np.where(np.isfinite(values), values, np.nan), axis=1)
        persistence = streak(steps, median > limits["relative_gradient"], limits["snapshots"])
        if persistence is None or _loss_falls(history, limits["rise"]):
            return
        layer = history.layers[int(np.nanargmax(values[-1]))]
        yield self.finding(
            history,
            layer,
            "error",
            persistence,
            f"The gradient is {times(float(median[-1]))} as large as the weights in half of the layers. It is largest "
            f"in {layer.path}.",
            evidence={"relative_gradient": Evidence(float(median[-1]), limits["relative_gradient"], "ratio")},
            adjustments=_smaller_steps(history),
        )

    def _activations(self, history: History, row: int, gain: float) -> Finding:
        layer = history.layers[row]
        return self.finding(
            history,
            layer,
            "error",
            Streak(0, history.last_step, True),
            f"The signal in {layer.path} is {times(gain)} as large as the input: activations grow faster than their "
            "input.",
            evidence={"signal": Evidence(gain, SIGNAL, "ratio")},
            adjustments=tuple(
                Adjustment.of(SetParameter(a.path, "activation", "relu"), a.activation, "is not larger than its input")
                for a in history.layers
                if not a.output and a.activation not in LINEAR_GROWTH
            ),
        )

    def _first_gradients(self, history: History, row: int, ratio: float) -> Finding:
        layer = history.layers[row]
        return self.finding(
            history,
            layer,
            "error",
            Streak(0, history.last_step, True),
            f"The first gradient was {times(ratio)} as large as the initial weights in half of the layers. It was "
            f"largest in {layer.path}.",
            evidence={"relative_gradient": Evidence(ratio, GRADIENT, "ratio")},
            adjustments=_smaller_steps(history),
        )


def _smaller_steps(history: History) -> tuple[Adjustment, ...]:
    lower = lower_learning_rate(history, "updates are as large as the weights")
    return (*clip(history, "bounds the size of each update"), lower)


def _loss_falls(history: History, rise: float) -> bool:
    """Whether the loss is known, finite and near its best value: large gradients then do no harm."""
    _, losses = history.scalars("training_curve", "loss")
    return bool(losses.size > 1 and np.isfinite(losses).all() and losses[-1] <= rise * losses.min())
