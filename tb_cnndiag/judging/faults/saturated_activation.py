"""Hidden units that stay at the ends of their range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, consecutive_snapshots, lower_learning_rate
from tb_cnndiag.judging.signals.configuration import bias_initializer
from tb_cnndiag.judging.signals.persistence import streak
from tb_cnndiag.payloads import LayerInfo
from tb_cnndiag.wording import percent

# Number of units below which a layer is too narrow to be judged.
FEW_UNITS = 4


class SaturatedActivation(Fault):
    """Share of hidden units that are near a bound on at least 90 % of their values."""

    id = "saturated_activation"
    title = "Saturated activation"
    what = "Hidden units of a bounded activation stay at an end of its range for nearly every input."
    why = "The slope is nearly 0 there: no gradient passes, so earlier layers learn nothing through these units."
    advice = "Use ReLU, normalize the input, use a suitable initializer (Glorot), or lower the learning rate."
    source = (
        "Glorot & Bengio 2010; Amazon SageMaker Debugger rules Tanh and Saturated Activation (50 % of units; "
        "healthy layers have almost none)."
    )
    diagnostic = "saturation"
    limits: ClassVar[Mapping[str, Limit]] = {
        "pinned_ratio": Limit(0.4, "share", "Share of saturated units in a hidden layer above which it is faulty."),
        "snapshots": consecutive_snapshots(2),
    }
    follows = ("nan_or_inf", "unnormalised_input", "bad_init", "learning_rate_too_high", "exploding_gradient")

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer."""
        series = history.series("saturation", "pinned_ratio")
        for row, layer in enumerate(history.layers):
            measured = ~np.isnan(series.values[:, row])
            ratios = series.values[measured, row]
            persistence = streak(series.steps[measured], ratios >= limits["pinned_ratio"], limits["snapshots"])
            if persistence is None or layer.output or layer.units < FEW_UNITS or _is_gate(layer):
                continue
            yield self.finding(
                history,
                layer,
                "warning",
                persistence,
                f"In {layer.path}, {percent(float(ratios[-1]))} of the units are saturated: they stay at a bound of "
                f"{layer.activation}.",
                evidence={"pinned_ratio": Evidence(float(ratios[-1]), limits["pinned_ratio"], "share")},
                adjustments=_adjustments(history, layer, initially=bool(ratios[0] >= limits["pinned_ratio"])),
            )


def _adjustments(history: History, layer: LayerInfo, *, initially: bool) -> tuple[Adjustment, ...]:
    found = [Adjustment.of(SetParameter(layer.path, "activation", "relu"), layer.activation, "has no upper bound")]
    if not initially:
        found.append(lower_learning_rate(history, "large updates push units to their bounds"))
        return tuple(found)
    bias = bias_initializer(layer)
    if bias not in ("", "zeros"):
        change = SetParameter(layer.path, "bias_initializer", "zeros")
        found.append(Adjustment.of(change, bias, "this bias saturates units"))
    if layer.initializer not in ("he_normal", "he_uniform"):
        reason = "keeps the scale of signals under ReLU (He et al. 2015)"
        change = SetParameter(layer.path, "kernel_initializer", "he_normal")
        found.append(Adjustment.of(change, layer.initializer or "unknown", reason))
    return tuple(found)


def _is_gate(layer: LayerInfo) -> bool:
    """A gate, as in squeeze-and-excitation, is meant to be open or closed: one value per channel and image."""
    return layer.role == "conv" and layer.activation.endswith("sigmoid") and layer.output_shape[:-1] == (1, 1)
