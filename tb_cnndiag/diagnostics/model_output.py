"""The outputs of a model."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.outputs import confusion, mean_entropy, predicted_classes, row_sum_error, top_class_share
from tb_cnndiag.payloads import ColumnInfo, Matrix

DISTRIBUTION_TOLERANCE = 1e-2


class ModelOutput(LayerDiagnostic):
    """Outputs of the output layers on the probe, and the confusion matrix if the probe has labels."""

    name = "model_output"
    title = "Output"
    description = (
        "A model that predicts one class for every sample has collapsed, and outputs that do not sum to 1 do not fit a "
        "categorical loss. In the confusion matrix, each row is a true class, and the diagonal is the share that the "
        "model predicts correctly."
    )
    needs = ("output", "output_diversity")
    columns = (
        ColumnInfo(
            "top_class_share",
            "Predicted class share",
            "share",
            "Share of samples with the most frequent predicted class; 1/classes is healthy on a balanced probe.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "entropy",
            "Output entropy",
            "share",
            "Mean entropy divided by ln(classes), if the outputs are distributions: 0 is certain, 1 is uniform.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo("row_sum_error", "Row sum error", "ratio", "Mean |sum of outputs − 1|; 0 for distributions."),
        ColumnInfo(
            "spread", "Output deviation", "output", "Standard deviation of an output over samples, mean over outputs."
        ),
        ColumnInfo(
            "diversity",
            "Output diversity",
            "output",
            "Standard deviation over samples at each position, root mean square over positions; 0 if all are the same.",
            low=0.0,
        ),
        ColumnInfo("minimum", "Smallest output", "output", "Smallest output on any sample."),
        ColumnInfo("maximum", "Largest output", "output", "Largest output on any sample."),
        ColumnInfo(
            "accuracy",
            "Balanced accuracy",
            "share",
            "Share of probe samples predicted correctly, mean over the true classes.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "matrix"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Measure an output layer; ``labels`` ``(samples,)`` are used if they exist and are class indices."""
        outputs = snapshot.data["output"]
        if not snapshot.layer.output or not outputs.size or not np.isfinite(outputs).all():
            return LayerResult()
        values = {
            "top_class_share": top_class_share(outputs),
            "row_sum_error": row_sum_error(outputs),
            "spread": float(outputs.std(axis=0, dtype=np.float64).mean()),
            "diversity": float(snapshot.data["output_diversity"]),
            "minimum": float(outputs.min()),
            "maximum": float(outputs.max()),
        }
        if values["minimum"] >= 0 and values["row_sum_error"] <= DISTRIBUTION_TOLERANCE:
            values["entropy"] = mean_entropy(outputs)
        classes = max(outputs.shape[1], 2)
        labels = snapshot.data.get("labels", np.empty(0)).ravel()
        if len(labels) != len(outputs) or not np.isin(labels, np.arange(classes)).all():
            return LayerResult(values)
        shares = confusion(labels.astype(np.intp), predicted_classes(outputs), classes)
        values["accuracy"] = float(np.nanmean(shares.diagonal()))
        return LayerResult(
            values, Matrix(shares.astype(np.float32), np.arange(classes), 0.0, 1.0, "share", symmetric=False)
        )
