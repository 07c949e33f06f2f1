"""The distribution of a layer's activations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.activations import RANGE
from tb_cnndiag.numerics.density import densities
from tb_cnndiag.payloads import ColumnInfo


class ActivationDensity(LayerDiagnostic):
    """Atoms and density of a layer's activations on the probe."""

    name = "activation_density"
    title = "Activation density"
    description = (
        "The activations of a layer should not vanish, grow without limit or pile up at an end of their range, because "
        "later layers depend on them. A bar is the share of values at exactly one value, such as the zeros of a ReLU; "
        "the curve is the density of all other values, and its area, not its height, is a probability."
    )
    needs = ("activation_sample",)
    columns = (
        ColumnInfo("zero_share", "Zeros", "share", "Share of activations that are exactly 0.", low=0.0, high=1.0),
        ColumnInfo(
            "non_finite_share",
            "Non-finite",
            "share",
            "Share of activations that are NaN or infinite.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo("mean", "Mean", "activation", "Mean of the finite activations."),
        ColumnInfo("rms", "RMS", "activation", "Root mean square of the finite activations.", logarithmic=True),
    )
    layer_kind = "density"
    cost = "heavy"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Estimate the density, within the known bounds of the layer's activation, and moments of the finite values."""
        return self.measure_all([snapshot])[0]

    def measure_all(self, snapshots: Sequence[LayerSnapshot]) -> list[LayerResult]:
        """Estimate all densities at once."""
        seen = [snapshot for snapshot in snapshots if snapshot.data["activation_sample"].size]
        curves = iter(
            densities(
                [snapshot.data["activation_sample"] for snapshot in seen],
                bounds=[RANGE.get(snapshot.layer.activation, (None, None)) for snapshot in seen],
            )
        )
        moments = map(self._moments, snapshots)
        return [LayerResult(values, next(curves)) if values else LayerResult() for values in moments]

    def _moments(self, snapshot: LayerSnapshot) -> dict[str, float]:
        sample = snapshot.data["activation_sample"]
        if not sample.size:
            return {}
        finite = sample[np.isfinite(sample)].astype(np.float64)
        values = {
            "zero_share": float(np.mean(sample == 0)),
            "non_finite_share": 1 - finite.size / sample.size,
        }
        if finite.size:
            values |= {"mean": float(finite.mean()), "rms": math.sqrt(float(np.mean(finite**2)))}
        return values
