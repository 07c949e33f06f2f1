"""What a model answers."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.outputs import confusion, mean_entropy, predicted_classes, row_sum_error, top_class_share
from tb_cnndiag.payloads import ColumnInfo, Matrix

DISTRIBUTION_TOLERANCE = 1e-2


class ModelOutput(LayerDiagnostic):
    """Answers of the output layers on the probe, and the confusion by class where the probe has labels."""

    name = "model_output"
    title = "Output"
    description = (
        "A model that gives one answer to everything has collapsed, and outputs that are no distribution do not fit a "
        "categorical loss. In the confusion matrix each row is a true class and the diagonal is what it gets right."
    )
    needs = ("output", "output_diversity")
    columns = (
        ColumnInfo(
            "top_class_share",
            "Most frequent answer",
            "share",
            "Share of samples given the most frequent class; 1/classes is healthy on a balanced probe.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "entropy",
            "Entropy of the answers",
            "share",
            "Mean entropy over ln(classes), where outputs are distributions: 0 is certain, 1 is uniform.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo("row_sum_error", "Row sum error", "ratio", "Mean |sum of outputs − 1|; 0 for distributions."),
        ColumnInfo(
            "spread", "Spread of the output", "output", "Deviation of an output over samples, mean over outputs."
        ),
        ColumnInfo(
            "diversity",
            "Diversity of the output",
            "output",
            "Deviation between samples at one position, root mean square over positions; 0: all samples are alike.",
            low=0.0,
        ),
        ColumnInfo("minimum", "Smallest output", "output", "Smallest output."),
        ColumnInfo("maximum", "Largest output", "output", "Largest output."),
        ColumnInfo(
            "accuracy",
            "Balanced accuracy",
            "share",
            "Share of the probe answered rightly, mean over its classes.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "matrix"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Only for output layers; ``labels`` ``(samples,)`` are used when they are there and are class indices."""
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
        answers = confusion(labels.astype(np.intp), predicted_classes(outputs), classes)
        values["accuracy"] = float(np.nanmean(answers.diagonal()))
        return LayerResult(
            values, Matrix(answers.astype(np.float32), np.arange(classes), 0.0, 1.0, "share", symmetric=False)
        )
