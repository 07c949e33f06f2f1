"""The number of independent directions that the filters of a layer span."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.rank import entropy_rank, singular_values, stable_rank
from tb_cnndiag.payloads import ColumnInfo

LARGEST_SIDE = 1024
"""Kernels with both sides above this are skipped, because the time grows with the cube of the smaller side."""


class KernelRank(LayerDiagnostic):
    """Stable rank and entropy rank of the kernel as a matrix."""

    name = "kernel_rank"
    title = "Kernel rank"
    description = (
        "Filters can be redundant without being twins, if all of them are mixtures of a few directions. A low share "
        "means that a narrower layer, or two narrow layers instead of it, could do the same work; a fall to a few "
        "percent during training is a collapse."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo(
            "entropy_rank",
            "Entropy rank",
            "share",
            "exp of the entropy of the singular values, as a share of the largest possible rank (Roy & Vetterli 2007).",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "stable_rank",
            "Stable rank",
            "share",
            "‖W‖²_F / σ₁² as a share of the largest possible rank; one strong direction lowers it.",
            low=0.0,
            high=1.0,
        ),
    )
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Measure both ranks as shares of the smaller side of the kernel."""
        kernel = snapshot.data["kernel"]
        side = min(kernel.shape)
        if not 2 <= side <= LARGEST_SIDE:
            return LayerResult()
        singular = singular_values(kernel)
        return LayerResult({"entropy_rank": entropy_rank(singular) / side, "stable_rank": stable_rank(singular) / side})
