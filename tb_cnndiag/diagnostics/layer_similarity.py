"""Layers that represent the samples alike."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import ModelDiagnostic, Snapshot
from tb_cnndiag.numerics.cka import MINIMUM_SAMPLES, linear_cka
from tb_cnndiag.payloads import Matrix


class LayerSimilarity(ModelDiagnostic):
    """Linear CKA between the activations of all pairs of layers over the probe."""

    name = "layer_similarity"
    title = "Layer similarity"
    description = (
        "Neighboring layers that represent the samples alike add depth and cost but little else. A bright block along "
        "the diagonal is a sequence of such layers; untrained neighbors are similar too, so compare with the first "
        "snapshot."
    )
    needs = ("sample_mean",)
    model_kind = "matrix"
    cost = "costly"

    def measure(self, snapshot: Snapshot) -> Matrix | None:
        """Compare the position means of all layers that were observed on the probe, in the order of the model."""
        seen = [row for row, layer in enumerate(snapshot.layers) if "sample_mean" in layer.data]
        samples = {len(snapshot.layers[row].data["sample_mean"]) for row in seen}
        if len(seen) < 2 or len(samples) > 1 or min(samples) < MINIMUM_SAMPLES:
            return None
        alignment = linear_cka([snapshot.layers[row].data["sample_mean"] for row in seen])
        return Matrix(np.maximum(alignment, 0).astype(np.float32), np.array(seen), 0.0, 1.0, "CKA")
