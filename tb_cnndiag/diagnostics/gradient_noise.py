"""How well the gradients of different samples agree about a kernel."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.gradients import signal_to_noise
from tb_cnndiag.payloads import ColumnInfo


class GradientNoise(LayerDiagnostic):
    """Signal-to-noise ratio and share of zeros of the gradient, over chunks of 32 probe samples."""

    name = "gradient_noise"
    title = "Gradient noise"
    description = (
        "If the gradients of different batches disagree, training steps cancel out and the layer hardly learns. The "
        "ratio is high if batches of 32 samples agree, and near 0 if they cancel out, as they do once a layer has "
        "learned what it can; entries that are exactly 0 belong to weights that do not learn."
    )
    needs = ("chunk_gradient_norms", "mean_gradient_norm", "gradient_zero_share")
    columns = (
        ColumnInfo(
            "gradient_snr",
            "Gradient signal-to-noise",
            "ratio",
            "‖mean gradient‖ divided by the standard deviation between chunks of 32 probe samples.",
            low=0.0,
        ),
        ColumnInfo(
            "gradient_zero_ratio",
            "Zeros in the gradient",
            "share",
            "Share of the kernel's entries whose gradient is exactly 0, mean over the chunks.",
            low=0.0,
            high=1.0,
        ),
    )
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Measure the ratio; see :func:`tb_cnndiag.numerics.gradients.signal_to_noise`."""
        norms = snapshot.data["chunk_gradient_norms"]
        return LayerResult(
            {
                "gradient_snr": signal_to_noise(norms, float(snapshot.data["mean_gradient_norm"])),
                "gradient_zero_ratio": float(snapshot.data["gradient_zero_share"]),
            }
        )
