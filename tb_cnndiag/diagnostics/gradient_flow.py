"""How much gradient reaches each kernel."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.weights import norm
from tb_cnndiag.payloads import ColumnInfo


class GradientFlow(LayerDiagnostic):
    """Gradient of the data loss by each kernel, averaged over the training steps since the last snapshot."""

    name = "gradient_flow"
    title = "Gradient flow"
    description = (
        "A layer learns only as fast as gradient reaches it: compare layers, on a logarithmic scale. It is the "
        "gradient of the data loss as the optimizer is given it, without loss scaling and without weight decay's part."
    )
    needs = ("gradient_norm", "gradient_steps", "gradient_non_finite_steps", "kernel")
    columns = (
        ColumnInfo("gradient_norm", "Gradient norm", "norm", "‖g‖ of the kernel, mean over steps.", logarithmic=True),
        ColumnInfo(
            "relative_gradient",
            "Relative gradient",
            "ratio",
            "‖g‖ / ‖w‖: what the layer is told to change, against what it is.",
            logarithmic=True,
        ),
        ColumnInfo(
            "non_finite_ratio",
            "Steps without a finite gradient",
            "share",
            "Share of training steps in which the gradient held NaN or infinity.",
            low=0.0,
            high=1.0,
        ),
    )
    scalar_columns = ("gradient_norm",)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Norm, norm relative to the kernel's, and the share of steps whose gradient was not finite."""
        gradient = float(snapshot.data["gradient_norm"])
        finite, broken = float(snapshot.data["gradient_steps"]), float(snapshot.data["gradient_non_finite_steps"])
        if finite + broken == 0:
            return LayerResult()
        weight = norm(snapshot.data["kernel"])
        return LayerResult(
            {
                "gradient_norm": gradient,
                "relative_gradient": gradient / weight if weight > 0 else float("nan"),
                "non_finite_ratio": broken / (finite + broken),
            }
        )
