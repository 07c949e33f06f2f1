"""The classes that a layer's units respond to."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.selectivity import class_means, explained
from tb_cnndiag.payloads import ClassResponses, ColumnInfo

# Most classes listed for each unit.
LISTED = 20


class ClassSelectivity(LayerDiagnostic):
    """Mean response of each unit to each class of the probe, and how much of the response the class explains."""

    name = "class_selectivity"
    title = "Class selectivity"
    description = (
        "Units of early layers respond to edges and colors of any class; toward the output, units that each respond to "
        "few classes are what the classification rests on. Each row is a unit, each column a class; a unit's response "
        "to an image is its largest value on it."
    )
    needs = ("sample_max", "labels")
    columns = (
        ColumnInfo(
            "selectivity",
            "Class selectivity",
            "share",
            "η²: share of the variance of a unit's response that the class explains, mean over units. Responses that "
            "have nothing to do with the class have (classes − 1)/(images − 1).",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "classes_answered",
            "Classes answered",
            "share",
            "Share of classes that at least one unit responds to most.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "class_responses"
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Average over the images of each class."""
        labels = snapshot.data["labels"].astype(np.int64)
        responses = snapshot.data["sample_max"][: len(labels)]
        if len(responses) < len(labels) or not np.isfinite(responses).all():
            return LayerResult()
        means, classes, counts = class_means(responses, labels)
        if len(classes) < 2:
            return LayerResult()
        shares = explained(responses, means, counts)
        order = np.argsort(-means, axis=1, kind="stable")
        listed, others = order[:, :LISTED], order[:, LISTED:]
        rest = (
            np.take_along_axis(means, others, axis=1).mean(axis=1) if others.shape[1] else np.full(len(means), np.nan)
        )
        varies = np.isfinite(shares)
        values = {}
        if varies.any():
            values = {
                "selectivity": float(shares[varies].mean()),
                "classes_answered": len(np.unique(order[varies, 0])) / len(classes),
            }
        payload = ClassResponses(
            classes[listed],
            np.take_along_axis(means, listed, axis=1).astype(np.float32),
            rest.astype(np.float32),
            shares.astype(np.float32),
            len(classes),
        )
        return LayerResult(values, payload)
