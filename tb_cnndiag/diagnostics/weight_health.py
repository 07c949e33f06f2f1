"""The size of the weights, and weights that are clearly wrong."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.weights import constant_ratio, gain, root_mean_square
from tb_cnndiag.payloads import ColumnInfo


class WeightHealth(LayerDiagnostic):
    """Size and gain of a kernel, and its zero, constant and non-finite weights."""

    name = "weight_health"
    title = "Weight health"
    description = (
        "Weights that grow without limit, or whose initial values are too large, too small or all the same, make the "
        "layers after them fail. A gain of about 1 to 1.5 keeps signals at their size; any constant filter or "
        "non-finite weight is a fault."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo("rms", "RMS weight", "weight", "Root mean square of the kernel's weights.", logarithmic=True),
        ColumnInfo(
            "gain",
            "Gain",
            "ratio",
            "RMS weight × √fan-in: amplification of independent inputs of unit variance; √2 for He, 1 for Glorot.",
            logarithmic=True,
        ),
        ColumnInfo(
            "constant_ratio",
            "Constant filters",
            "share",
            "Share of filters whose weights all have the same value.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo("zero_share", "Zero weights", "share", "Share of weights that are exactly 0.", low=0.0, high=1.0),
        ColumnInfo("non_finite", "Non-finite weights", "count", "Number of weights that are NaN or infinite."),
    )

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Measure the weights in one pass for size and one for zeros; count non-finite weights only if any exist."""
        kernel = snapshot.data["kernel"]
        if not kernel.size:
            return LayerResult()
        rms = root_mean_square(kernel)
        return LayerResult(
            {
                "rms": rms,
                "gain": gain(kernel),
                "constant_ratio": constant_ratio(kernel),
                "zero_share": 1 - np.count_nonzero(kernel) / kernel.size,
                "non_finite": float(np.count_nonzero(~np.isfinite(kernel))) if np.isnan(rms) else 0.0,
            }
        )
