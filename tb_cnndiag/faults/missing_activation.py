"""Two kernels in series with nothing non-linear between."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

from tb_cnndiag.faults.base import Fault, Held, Limit, layer_config
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.payloads import LayerInfo


class MissingActivation(Fault):
    """A linear layer whose output goes into another kernel, and nowhere else."""

    id = "missing_activation"
    title = "Missing activation"
    what = "A layer without activation feeds another layer: two linear steps in a row are one linear step."
    why = "The second layer adds cost but nothing that the first could not do alone."
    advice = "Give the layer an activation such as ReLU, or leave one of the two out."
    source = (
        "NeuraLint (Nikanjam et al., TOSEM 2021), rule on missing activations; Goodfellow et al. 2016, section 6.1."
    )
    diagnostic = "activation_density"
    limits: ClassVar[Mapping[str, Limit]] = {"layers": Limit(0, "count", "linear layers in series that are no fault")}

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per layer; linear bottlenecks and the halves of a separable convolution are meant to be."""
        found = [
            (layer, history.layers[users[0]])
            for row, layer in enumerate(history.layers)
            if (users := [i for i, other in enumerate(history.layers) if row in other.inputs])
            and layer.activation == "linear"
            and not layer.output
            and all(_in_series(row, layer, history.layers[user]) for user in users)
        ]
        if len(found) <= limits["layers"]:
            return
        for layer, follower in found:
            yield self.finding(
                history,
                layer,
                "warning",
                Held(0, history.last_step, True),
                f"{layer.path} has no activation before {follower.path}: together they are one linear layer.",
                evidence={"layers": Evidence(float(len(found)), limits["layers"], "count")},
                adjustments=(Adjustment(layer.path, "activation", "linear", "relu", "makes two layers more than one"),),
            )


def _in_series(row: int, layer: LayerInfo, follower: LayerInfo) -> bool:
    if follower.inputs != (row,) or layer.role not in ("conv", "dense") or follower.role not in ("conv", "dense"):
        return False
    if (
        "EinsumDense" in (layer.class_name, follower.class_name)
        or "Separable" in layer.class_name + follower.class_name
    ):
        return False
    if layer.normalization and layer.normalization_class != "BatchNormalization":
        return False  # other normalisations divide by what the sample has: not linear
    return not _bottleneck(layer, follower) and not _factored(layer, follower) and _adjacent(layer, follower)


def _bottleneck(layer: LayerInfo, follower: LayerInfo) -> bool:
    """A layer narrower than what it reads and what follows: a factored matrix, as in MobileNetV2 and PCA."""
    channels = layer.kernel_shape[-2] if len(layer.kernel_shape) > 1 else layer.fan_in
    return layer.units < min(channels, follower.units)


def _factored(layer: LayerInfo, follower: LayerInfo) -> bool:
    """1 × n and n × 1 convolutions, in either order."""
    windows = {layer.kernel_shape[:-2], follower.kernel_shape[:-2]}
    return len(windows) == 2 and all(len(w) == 2 and 1 in w and max(w) > 1 for w in windows)


def _adjacent(layer: LayerInfo, follower: LayerInfo) -> bool:
    """Whether no pooling lies between, which would be non-linear: what comes out has the size of what goes in."""
    if follower.role == "dense":
        return follower.fan_in in (layer.units, math.prod(layer.output_shape)) and len(layer.output_shape) in (
            (1, 3) if follower.fan_in != layer.units else (1,)
        )
    if layer.role != "conv" or not layer.output_shape or not follower.output_shape:
        return False
    config = layer_config(follower)
    given, made = _positions(layer), _positions(follower)
    windows, strides, dilations = (config.get(k, ()) for k in ("kernel_size", "strides", "dilation_rate"))
    if not len(given) == len(made) == len(windows) == len(strides):
        return False
    valid = config.get("padding") == "valid"
    dilations = dilations or [1] * len(windows)
    expected = [
        (size - (window - 1) * dilation - 1) // stride + 1 if valid else -(-size // stride)
        for size, window, stride, dilation in zip(given, windows, strides, dilations, strict=True)
    ]
    return expected == list(made)


def _positions(layer: LayerInfo) -> tuple[int, ...]:
    return layer.output_shape[1:] if layer.unit_axis == 1 else layer.output_shape[:-1]
