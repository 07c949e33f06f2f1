"""The size of the gradient that reaches each kernel."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.weights import norm
from tb_cnndiag.payloads import ColumnInfo


class GradientFlow(LayerDiagnostic):
    """Gradient of the data loss by each kernel, averaged over the training steps since the last snapshot."""

    name = "gradient_flow"
    title = "Gradient flow"
    description = (
        "A layer learns only as fast as its gradient allows, so a layer with a much smaller gradient than the others "
        "hardly learns. Compare layers on a logarithmic scale; the gradient is that of the data loss as the optimizer "
        "receives it, without loss scaling and regularization."
    )
    needs = ("gradient_norm", "gradient_steps", "gradient_non_finite_steps", "kernel")
    columns = (
        ColumnInfo("gradient_norm", "Gradient norm", "norm", "‖g‖ of the kernel, mean over steps.", logarithmic=True),
        ColumnInfo(
            "relative_gradient",
            "Relative gradient",
            "ratio",
            "‖g‖ / ‖w‖: size of the gradient compared with the size of the weights.",
            logarithmic=True,
        ),
        ColumnInfo(
            "non_finite_ratio",
            "Steps without a finite gradient",
            "share",
            "Share of training steps in which the gradient contained NaN or infinity.",
            low=0.0,
            high=1.0,
        ),
    )
    scalar_columns = ("gradient_norm",)

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Measure the norm, the norm relative to the kernel's, and the share of steps with a non-finite gradient."""
        gradient = float(snapshot.data["gradient_norm"])
        finite, non_finite = float(snapshot.data["gradient_steps"]), float(snapshot.data["gradient_non_finite_steps"])
        if finite + non_finite == 0:
            return LayerResult()
        weight = norm(snapshot.data["kernel"])
        return LayerResult(
            {
                "gradient_norm": gradient,
                "relative_gradient": gradient / weight if weight > 0 else float("nan"),
                "non_finite_ratio": non_finite / (finite + non_finite),
            }
        )
