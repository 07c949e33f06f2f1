"""How far the moving statistics of batch normalizations are from those of the probe."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.payloads import ColumnInfo


class BatchStatistics(LayerDiagnostic):
    """Moving mean and variance of the normalization behind each kernel, compared with those of the probe there."""

    name = "batch_statistics"
    title = "Batch statistics"
    description = (
        "After training, a batch normalization uses moving averages instead of the statistics of the batch, so "
        "averages that lag behind make a good model fail. A shift well below 1 and a variance ratio of about 1 are "
        "healthy."
    )
    needs = ("batch_mean_shift", "batch_variance_ratio")
    columns = (
        ColumnInfo(
            "mean_shift",
            "Shift of the moving mean",
            "deviations",
            "|moving mean − mean on the probe| in standard deviations of the probe, median over channels.",
            low=0.0,
        ),
        ColumnInfo(
            "variance_ratio",
            "Ratio of the variances",
            "ratio",
            "Moving variance relative to the variance on the probe, median over channels.",
            logarithmic=True,
        ),
    )

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Take the median over the channels; nothing if none of them is finite."""
        shift, ratio = snapshot.data["batch_mean_shift"], snapshot.data["batch_variance_ratio"]
        known = np.isfinite(shift) & np.isfinite(ratio)
        if not known.any():
            return LayerResult()
        return LayerResult(
            {"mean_shift": float(np.median(shift[known])), "variance_ratio": float(np.median(ratio[known]))}
        )
