"""Units that are stuck at the ends of their range."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.payloads import ColumnInfo, UnitValues

PINNED_SHARE = 0.9


class Saturation(LayerDiagnostic):
    """Share of a unit's values at the bounds of its activation, where the gradient vanishes.

    ``unit_saturated`` is captured for bounded activations only, as :data:`~tb_cnndiag.numerics.activations.SATURATION`
    says. The zero of a rectifier is not a bound here: sparse is not saturated.
    """

    name = "saturation"
    title = "Saturation"
    description = (
        "A unit at the end of its range, such as a sigmoid near 0 or 1, passes almost no gradient back, so nothing "
        "before it learns through it. Each value is the share of a unit's activations within 1 % of a bound."
    )
    needs = ("unit_saturated",)
    columns = (
        ColumnInfo(
            "pinned_ratio",
            "Saturated units",
            "share",
            "Share of units that are within 1 % of a bound on at least 90 % of their values.",
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
            # Where no unit is stuck there is nothing to look at unit by unit.
            UnitValues({"saturated_share": share}) if (share >= PINNED_SHARE).any() else None,
        )
