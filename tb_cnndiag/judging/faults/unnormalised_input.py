"""Inputs of the first layers that are not normalized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import InsertLayer
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit
from tb_cnndiag.judging.signals.loss import learns
from tb_cnndiag.judging.signals.persistence import Streak
from tb_cnndiag.wording import number, percent

# Maximum of 8-bit pixels that are not rescaled, with a margin for rounding.
PIXEL_MAXIMUM = 255.5


class UnnormalizedInput(Fault):
    """Mean and standard deviation of the probe at the first layer, after any rescaling inside the model."""

    id = "unnormalised_input"
    title = "Unnormalized input"
    what = (
        "The first layer receives inputs that are not normalized: a channel has a large mean or standard deviation, or "
        "inputs hardly vary at all."
    )
    why = "The gradient of the first layer grows with its input: no learning rate suits both this layer and the others."
    advice = "Divide pixels by 255, or make a Rescaling or Normalization layer the first layer."
    source = "LeCun et al. 1998, Efficient BackProp, section 4.3; UMLAUT's input check (CHI 2021)."
    diagnostic = "model_input"
    limits: ClassVar[Mapping[str, Limit]] = {
        "mean": Limit(10, "input", "Absolute mean of a channel above which the input is not normalized."),
        "constant_share": Limit(0.5, "share", "Share of constant samples above which the data are broken."),
        "small": Limit(0.02, "input", "Mean and standard deviation of the channels below which the input is too weak."),
        "std": Limit(10, "input", "Standard deviation of a channel above which the input is not normalized."),
    }

    def _constant(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        shares = history.series("model_input", "constant_share")
        for row, layer in enumerate(history.layers):
            share = float(shares.values[-1, row]) if len(shares) else float("nan")
            if share > limits["constant_share"]:
                yield self.finding(
                    history,
                    layer,
                    "error",
                    Streak(int(shares.steps[0]), int(shares.steps[-1]), True),
                    f"The input of {layer.path} is constant in {percent(share)} of the samples.",
                    evidence={"constant_share": Evidence(share, limits["constant_share"], "share")},
                    adjustments=(Adjustment(None, "data", "constant", "images", "constant samples say nothing"),),
                )

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per first layer; only an info if a normalization follows the layer."""
        yield from self._constant(history, limits)
        mean, std = history.series("model_input", "mean"), history.series("model_input", "std")
        low, high = history.series("model_input", "minimum"), history.series("model_input", "maximum")
        for row, layer in enumerate(history.layers):
            if not len(mean) or not np.isfinite([mean.values[-1, row], std.values[-1, row]]).all():
                continue
            center, spread = float(mean.values[-1, row]), float(std.values[-1, row])
            weak = abs(center) < limits["small"] and spread < limits["small"]
            if abs(center) <= limits["mean"] and spread <= limits["std"] and not weak:
                continue
            pixels = low.values[-1, row] >= 0 and 1.5 < high.values[-1, row] <= PIXEL_MAXIMUM
            proposed, change = _rescaled(layer.path, center, spread, pixels=pixels and not weak)
            yield self.finding(
                history,
                layer,
                # A network that learns has scaled weak inputs up by itself.
                "info" if layer.normalization or (weak and learns(history)) else "warning",
                Streak(int(mean.steps[0]), int(mean.steps[-1]), True),
                f"The input of {layer.path} has mean {number(center)} and standard deviation {number(spread)}.",
                evidence={
                    "mean": Evidence(center, limits["mean"], "input"),
                    "std": Evidence(spread, limits["std"], "input"),
                },
                adjustments=(Adjustment.of(change, "as given", "brings inputs to the order of 1", proposed=proposed),),
            )


def _rescaled(path: str, mean: float, deviation: float, *, pixels: bool) -> tuple[str, InsertLayer]:
    """A layer that brings the inputs to the order of 1: its short name, and how to insert it."""
    if pixels:
        return "Rescaling(1/255)", InsertLayer(path, "input", "Rescaling", {"scale": 1 / 255})
    config = {"axis": None, "mean": mean, "variance": max(deviation, 1e-6) ** 2}
    return "Normalization", InsertLayer(path, "input", "Normalization", config)
