"""Inputs far from zero mean and unit size where the first kernel sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from tb_cnndiag.changes import InsertLayer
from tb_cnndiag.finding import Adjustment, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults.base import Fault, Limit, Streak
from tb_cnndiag.judging.faults.loss_progress import learns

# What 8-bit pixels reach when nothing has rescaled them.
PIXEL_MAXIMUM = 255.5


class UnnormalizedInput(Fault):
    """Mean or deviation of the probe at the first kernel, behind any rescaling inside the model."""

    id = "unnormalised_input"
    title = "Unnormalized input"
    what = "The first kernel is given values whose mean or deviation is far from 1 in size."
    why = "Gradients of the first layer grow with its inputs: one learning rate cannot fit it and the others."
    advice = "Divide pixels by 255, or put a Rescaling or Normalization layer first."
    source = "LeCun et al. 1998, Efficient BackProp, section 4.3; UMLAUT's input check (CHI 2021)."
    diagnostic = "model_input"
    limits: ClassVar[Mapping[str, Limit]] = {
        "mean": Limit(10, "input", "|mean| of a channel above which inputs are unnormalised"),
        "constant_share": Limit(0.5, "share", "samples without any contrast, above which data are broken"),
        "small": Limit(0.02, "input", "deviation of a channel below which a first layer sees next to nothing"),
        "std": Limit(10, "input", "standard deviation of a channel above which inputs are unnormalised"),
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
                    f"{layer.path} is given {share:.0%} samples that are the same everywhere.",
                    evidence={"constant_share": Evidence(share, limits["constant_share"], "share")},
                    adjustments=(Adjustment(None, "data", "constant", "images", "there is nothing to see in these"),),
                )

    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """One finding per first layer; behind a normalization it is only told."""
        yield from self._constant(history, limits)
        mean, std = history.series("model_input", "mean"), history.series("model_input", "std")
        low, high = history.series("model_input", "minimum"), history.series("model_input", "maximum")
        for row, layer in enumerate(history.layers):
            if not len(mean) or not np.isfinite([mean.values[-1, row], std.values[-1, row]]).all():
                continue
            center, spread = float(mean.values[-1, row]), float(std.values[-1, row])
            faint = abs(center) < limits["small"] and spread < limits["small"]
            if abs(center) <= limits["mean"] and spread <= limits["std"] and not faint:
                continue
            pixels = low.values[-1, row] >= 0 and 1.5 < high.values[-1, row] <= PIXEL_MAXIMUM
            proposed, change = _rescaled(layer.path, center, spread, pixels=pixels and not faint)
            yield self.finding(
                history,
                layer,
                # A network that learns has scaled faint inputs up by itself.
                "info" if layer.normalization or (faint and learns(history)) else "warning",
                Streak(int(mean.steps[0]), int(mean.steps[-1]), True),
                f"{layer.path} is given inputs of mean {center:.3g} and deviation {spread:.3g}.",
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
