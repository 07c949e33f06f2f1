"""The images that excite each unit of a layer most."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import ColumnInfo, IntArray, Patches


class TopPatches(LayerDiagnostic):
    """For each unit, the nine images of the probe with the largest response, and where in each it is.

    Only references are stored: the pictures are in the atlas of the probe, and the receptive field of the layer says
    which part of them a unit sees (Zeiler & Fergus 2014, figure 2).
    """

    name = "top_patches"
    title = "Top patches"
    description = (
        "The patches that excite a unit most show what it looks for: edges and colors in early layers, parts and whole "
        "objects in later ones. Patches that have nothing in common belong to a unit that has not found its feature "
        "yet; patches that stay the same from snapshot to snapshot belong to one that has."
    )
    needs = ("peaks", "searched")
    columns = (
        ColumnInfo(
            "kept_ratio",
            "Top images kept",
            "share",
            "Share of the nine images of each unit that were among its nine at the last snapshot that has them, mean "
            "over units. Near 1, the layer has settled.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "jaccard",
            "Overlap of top images",
            "share",
            "Images that a unit has now and had at the last snapshot, relative to those that it has or had (Jaccard), "
            "mean over units.",
            low=0.0,
            high=1.0,
        ),
    )
    layer_kind = "patches"
    cost = "costly"

    def __init__(self) -> None:
        self._before: dict[str, IntArray] = {}

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Take the peaks of each unit; a rectified unit that is silent on an image has none there."""
        values, images, positions = np.moveaxis(snapshot.data["peaks"], -1, 0)
        found = np.isfinite(values)
        if snapshot.layer.activation in RECTIFIED:
            found &= values > 0
        images = np.where(found, images, -1).astype(np.int64)
        patches = Patches(
            images,
            np.where(found, positions, 0).astype(np.int64),
            np.where(found, values, np.nan).astype(np.float32),
            int(snapshot.data["searched"]),
        )
        before = self._before.get(snapshot.layer.path)
        self._before[snapshot.layer.path] = images
        if before is None or before.shape != images.shape:
            return LayerResult(payload=patches)
        return LayerResult(_overlap(before, images), patches)


def _overlap(before: IntArray, now: IntArray) -> dict[str, float]:
    """How many of its top images each unit has kept, mean over the units that have any now; −1 stands for none."""
    has, had = (now >= 0).sum(axis=1), (before >= 0).sum(axis=1)
    common = ((now[:, :, None] == before[:, None, :]) & (now >= 0)[:, :, None]).sum(axis=(1, 2))
    alive = has > 0
    if not alive.any():
        return {}
    return {
        "kept_ratio": float((common[alive] / has[alive]).mean()),
        "jaccard": float((common[alive] / (has + had - common)[alive]).mean()),
    }
