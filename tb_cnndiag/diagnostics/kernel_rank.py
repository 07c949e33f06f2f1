"""How many independent directions the filters of a layer span."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.rank import entropy_rank, singular_values, stable_rank
from tb_cnndiag.payloads import ColumnInfo

LARGEST_SIDE = 1024
"""Kernels larger than this both ways are passed over: the time grows with the cube."""


class KernelRank(LayerDiagnostic):
    """Stable rank and entropy rank of the kernel as a matrix."""

    name = "kernel_rank"
    title = "Kernel rank"
    description = (
        "Filters can be redundant without any two being twins: when they are mixtures of a few. A low share means that "
        "a thinner layer, or two thin ones in its place, could do the same; a fall during training is a collapse."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo(
            "entropy_rank",
            "Entropy rank",
            "share",
            "exp of the entropy of the singular values, over the largest rank possible (Roy & Vetterli 2007).",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "stable_rank",
            "Stable rank",
            "share",
            "‖W‖²_F / σ₁² over the largest rank possible; one strong direction pulls it down.",
            low=0.0,
            high=1.0,
        ),
    )
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Ranks as shares of the smaller side of the kernel."""
        kernel = snapshot.data["kernel"]
        side = min(kernel.shape)
        if not 2 <= side <= LARGEST_SIDE:
            return LayerResult()
        singular = singular_values(kernel)
        return LayerResult({"entropy_rank": entropy_rank(singular) / side, "stable_rank": stable_rank(singular) / side})
