"""The share of its width that a layer uses."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.rank import feature_dimension
from tb_cnndiag.payloads import ColumnInfo


class FeatureDimension(LayerDiagnostic):
    """Principal directions that carry 99 % of the variance of a layer's activations."""

    name = "feature_dimension"
    title = "Feature dimension"
    description = (
        "A layer whose variance lies in few directions is wider than its features need, and a layer that uses all of "
        "its directions may be too narrow. The dimension is the number of principal directions that carry 99 % of the "
        "variance on the probe, so it is always below the number of samples."
    )
    needs = ("sample_mean",)
    columns = (
        ColumnInfo(
            "dimension",
            "Feature dimension",
            "count",
            "Number of principal directions that carry 99 % of the variance.",
            True,
        ),
        ColumnInfo(
            "dimension_share",
            "Share of the width used",
            "share",
            "Feature dimension divided by its largest possible value, which units and samples limit.",
            low=0.0,
            high=1.0,
        ),
    )
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Count the principal directions of the position means."""
        responses = snapshot.data["sample_mean"]
        largest = min(responses.shape[1], responses.shape[0] - 1)
        if largest < 1:
            return LayerResult()
        dimension = feature_dimension(responses)
        return LayerResult({"dimension": float(dimension), "dimension_share": dimension / largest})
