"""How much a training step changes each kernel."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.weights import norm
from tb_cnndiag.payloads import ColumnInfo


class UpdateRatio(LayerDiagnostic):
    """Update-to-weight ratio ‖Δw‖ / ‖w‖ of each kernel per step."""

    name = "update_ratio"
    title = "Update ratio"
    description = (
        "The update-to-weight ratio shows how much a training step really changes a layer, after the optimizer's "
        "scaling and clipping. About 1e-3 is common, much more destabilizes the layer and much less leaves it "
        "unchanged; always read it together with the loss."
    )
    needs = ("update_norm", "kernel")
    columns = (
        ColumnInfo(
            "update_ratio",
            "Update ratio",
            "ratio",
            "‖Δw‖ / ‖w‖ of the kernel per training step, mean over the steps sampled since the last snapshot.",
            logarithmic=True,
        ),
    )

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Divide the mean change per step by the kernel's current norm."""
        weight = norm(snapshot.data["kernel"])
        update = float(snapshot.data["update_norm"])
        return LayerResult({"update_ratio": update / weight}) if weight > 0 else LayerResult()
