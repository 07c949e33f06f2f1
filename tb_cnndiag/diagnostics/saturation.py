"""Units that are stuck at an end of their range."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.payloads import ColumnInfo, UnitValues

PINNED_SHARE = 0.9


class Saturation(LayerDiagnostic):
    """Share of a unit's values near the bounds of its activation, where the gradient vanishes.

    ``unit_saturated`` is captured only for the activations in :data:`~tb_cnndiag.numerics.activations.SATURATION`. The
    zero of a rectifier does not count as a bound: a sparse unit is not saturated.
    """

    name = "saturation"
    title = "Saturation"
    description = (
        "A unit at an end of its range, such as a sigmoid near 0 or 1, passes almost no gradient back, so the layers "
        "before it learn almost nothing through it. Each value is the share of a unit's activations within 1 % of a "
        "bound."
    )
    needs = ("unit_saturated",)
    columns = (
        ColumnInfo(
            "pinned_ratio",
            "Saturated units",
            "share",
            "Share of units with at least 90 % of their values within 1 % of a bound.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "saturated_share",
            "Saturated values",
            "share",
            "Share of all values within 1 % of a bound.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "unit_values"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Count the units that are pinned."""
        share = snapshot.data["unit_saturated"]
        if not share.size:
            return LayerResult()
        return LayerResult(
            {"pinned_ratio": float(np.mean(share >= PINNED_SHARE)), "saturated_share": float(np.mean(share))},
            # The values of each unit are only of interest if a unit is stuck.
            UnitValues({"saturated_share": share}) if (share >= PINNED_SHARE).any() else None,
        )
