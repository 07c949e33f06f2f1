"""How far one training step moves each kernel."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.weights import norm
from tb_cnndiag.payloads import ColumnInfo


class UpdateRatio(LayerDiagnostic):
    """‖Δw‖ / ‖w‖ of each kernel per step."""

    name = "update_ratio"
    title = "Update ratio"
    description = (
        "What a step really changes, after the optimizer's own scaling and clipping: about 1e-3 is usual, far more "
        "shakes the layer, far less leaves it where it was. Judge it together with the loss, never alone."
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
        """The mean change of a step over the kernel's norm now."""
        weight = norm(snapshot.data["kernel"])
        update = float(snapshot.data["update_norm"])
        return LayerResult({"update_ratio": update / weight}) if weight > 0 else LayerResult()
