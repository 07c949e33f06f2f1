"""The input of a model's first kernels."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.payloads import ColumnInfo


class ModelInput(LayerDiagnostic):
    """Statistics of the probe as the first kernels receive it, after any rescaling inside the model."""

    name = "model_input"
    title = "Input"
    description = (
        "Inputs far from zero mean and unit variance make the first layer hard to train, because a learning rate that "
        "suits the other layers does not suit it. Mean and standard deviation should not be much larger than 1, and no "
        "image should be constant."
    )
    needs = ("input_mean", "input_std", "input_min", "input_max", "input_constant", "input_diversity")
    columns = (
        ColumnInfo("mean", "Input mean", "input", "Mean of the channel whose mean is farthest from 0."),
        ColumnInfo("std", "Input deviation", "input", "Standard deviation of the channel where it is largest."),
        ColumnInfo("minimum", "Input minimum", "input", "Smallest value in any channel."),
        ColumnInfo("maximum", "Input maximum", "input", "Largest value in any channel."),
        ColumnInfo(
            "diversity",
            "Input diversity",
            "input",
            "Standard deviation over samples at each position, root mean square over positions; 0 if all are the same.",
            low=0.0,
        ),
        ColumnInfo(
            "constant_share",
            "Constant inputs",
            "share",
            "Share of probe samples whose values are all the same.",
            low=0.0,
            high=1.0,
        ),
    )

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Take each statistic from its most extreme channel; NaN if a channel is not finite."""
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
