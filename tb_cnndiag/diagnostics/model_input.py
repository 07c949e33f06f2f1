"""What the first kernels of a model see."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.payloads import ColumnInfo


class ModelInput(LayerDiagnostic):
    """Range of the probe where the first kernel sees it, after any rescaling inside the model."""

    name = "model_input"
    title = "Input"
    description = (
        "Inputs far from zero mean and unit size make the first layer's gradients lopsided, its learning rate wrong. "
        "Mean and deviation should both be of the order of 1, and no image should be constant."
    )
    needs = ("input_mean", "input_std", "input_min", "input_max", "input_constant", "input_diversity")
    columns = (
        ColumnInfo("mean", "Input mean", "input", "Mean of the channel whose mean is farthest from 0."),
        ColumnInfo("std", "Input deviation", "input", "Standard deviation of the channel in which it is largest."),
        ColumnInfo("minimum", "Input minimum", "input", "Smallest value of any channel."),
        ColumnInfo("maximum", "Input maximum", "input", "Largest value of any channel."),
        ColumnInfo(
            "diversity",
            "Diversity of the input",
            "input",
            "Deviation between samples at one position, root mean square over positions; 0: all samples are alike.",
            low=0.0,
        ),
        ColumnInfo(
            "constant_share",
            "Constant inputs",
            "share",
            "Share of probe samples that are the same everywhere.",
            low=0.0,
            high=1.0,
        ),
    )

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """The extreme channel of each statistic; NaN where a channel is not finite."""
        mean, std = snapshot.data["input_mean"], snapshot.data["input_std"]
        if not mean.size:
            return LayerResult()
        return LayerResult(
            {
                "mean": float(mean[np.argmax(np.abs(mean))]),
                "std": float(std.max()),
                "minimum": float(snapshot.data["input_min"].min()),
                "maximum": float(snapshot.data["input_max"].max()),
                "diversity": float(snapshot.data["input_diversity"]),
                "constant_share": float(np.mean(snapshot.data["input_constant"])),
            }
        )
