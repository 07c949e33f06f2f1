"""Loss, metrics and learning rate as Keras reports them."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import ModelDiagnostic, Snapshot
from tb_cnndiag.payloads import Scalars


class TrainingCurve(ModelDiagnostic):
    """The logs of Keras at each snapshot."""

    name = "training_curve"
    title = "Training curve"
    description = (
        "Loss and metrics show whether something is wrong; the layers below show where. Training values are means over "
        "the epoch with dropout active, and validation values are measured at its end, so the two can differ."
    )
    model_kind = "scalars"

    def measure(self, snapshot: Snapshot) -> Scalars | None:
        """Copy the logs; None if there are no logs, as before training."""
        return Scalars(dict(snapshot.logs)) if snapshot.logs else None
