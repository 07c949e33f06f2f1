"""Loss, metrics and learning rate as Keras reports them."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import ModelDiagnostic, Snapshot
from tb_cnndiag.payloads import Scalars


class TrainingCurve(ModelDiagnostic):
    """What Keras logs at each snapshot."""

    name = "training_curve"
    title = "Training curve"
    description = (
        "Loss and metrics tell whether something is wrong; the layers below tell where. Training values are means over "
        "the epoch with dropout active, validation values are taken at its end: the two need not be equal."
    )
    model_kind = "scalars"

    def measure(self, snapshot: Snapshot) -> Scalars | None:
        """The logs; None where there are none, as before training."""
        return Scalars(dict(snapshot.logs)) if snapshot.logs else None
