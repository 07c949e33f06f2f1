"""How much of its width a layer uses."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.rank import feature_dimension
from tb_cnndiag.payloads import ColumnInfo


class FeatureDimension(LayerDiagnostic):
    """Principal directions that carry 99 % of the variance of a layer's activations."""

    name = "feature_dimension"
    title = "Feature dimension"
    description = (
        "A layer whose variance lies in few directions is wider than its features; one that fills all of them may be "
        "too narrow. The dimension is counted over the probe, so it cannot exceed the number of samples."
    )
    needs = ("sample_mean",)
    columns = (
        ColumnInfo(
            "dimension", "Feature dimension", "count", "Principal directions that carry 99 % of the variance.", True
        ),
        ColumnInfo(
            "dimension_share",
            "Share of the width used",
            "share",
            "Feature dimension over the largest it could be: the number of units, or of samples less one.",
            low=0.0,
            high=1.0,
        ),
    )
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Count directions of the position means."""
        responses = snapshot.data["sample_mean"]
        largest = min(responses.shape[1], responses.shape[0] - 1)
        if largest < 1:
            return LayerResult()
        dimension = feature_dimension(responses)
        return LayerResult({"dimension": float(dimension), "dimension_share": dimension / largest})
