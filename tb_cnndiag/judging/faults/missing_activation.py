"""Two linear layers in series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from tb_cnndiag.changes import SetParameter
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit
from tb_cnndiag.judging.signals.persistence import Streak
from tb_cnndiag.payloads import LayerInfo


class MissingActivation(Fault):
    """A linear layer whose output feeds another layer with a kernel, and nothing else."""

    id = "missing_activation"
    title = "Missing activation"
    what = "A layer without an activation feeds another layer: two linear layers in series are one linear layer."
    why = "The second layer adds cost, but computes nothing that one layer could not compute."
    advice = "Give the layer an activation such as ReLU, or remove one of the two layers."
    source = (
        "NeuraLint (Nikanjam et al., TOSEM 2021), rule on missing activations; Goodfellow et al. 2016, section 6.1."
    )
    diagnostic = "activation_density"
    limits: ClassVar[Mapping[str, Limit]] = {
        "layers": Limit(0, "count", "Number of linear layers in series above which they are a fault.")
    }

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer. Linear bottlenecks and factored convolutions are intended, and not reported."""
        consumers: dict[int, list[LayerInfo]] = {}
        for layer in history.layers:
            for row in layer.inputs:
                consumers.setdefault(row, []).append(layer)
        found = [
            (layer, consumers[row][0])
            for row, layer in enumerate(history.layers)
            if row in consumers
            and layer.activation == "linear"
            and not layer.output
            and layer.linear_behind
            and all(_in_series(row, layer, consumer) for consumer in consumers[row])
        ]
        if len(found) <= limits["layers"]:
            return
        for layer, follower in found:
            yield self.finding(
                history,
                layer,
                "warning",
                Streak(0, history.last_step, True),
                f"There is no activation between {layer.path} and {follower.path}: together they are one linear layer.",
                evidence={"layers": Evidence(float(len(found)), limits["layers"], "count")},
                adjustments=(
                    Adjustment.of(
                        SetParameter(layer.path, "activation", "relu"),
                        "linear",
                        "makes them more than one linear layer",
                    ),
                ),
            )


def _in_series(row: int, layer: LayerInfo, follower: LayerInfo) -> bool:
    if follower.inputs != (row,) or layer.role not in ("conv", "dense") or follower.role not in ("conv", "dense"):
        return False
    if (
        "EinsumDense" in (layer.class_name, follower.class_name)
        or "Separable" in layer.class_name + follower.class_name
    ):
        return False
    return not _bottleneck(layer, follower) and not _factored(layer, follower)


def _bottleneck(layer: LayerInfo, follower: LayerInfo) -> bool:
    """A layer narrower than its input and the next layer: a factored matrix, as in MobileNetV2 and PCA."""
    channels = layer.kernel_shape[-2] if len(layer.kernel_shape) > 1 else layer.fan_in
    return layer.units < min(channels, follower.units)


def _factored(layer: LayerInfo, follower: LayerInfo) -> bool:
    """1 × n and n × 1 convolutions, in either order."""
    windows = {layer.kernel_shape[:-2], follower.kernel_shape[:-2]}
    return len(windows) == 2 and all(len(w) == 2 and 1 in w and max(w) > 1 for w in windows)
