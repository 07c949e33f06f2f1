"""The pictures of the probe, which top patches refer to."""

from __future__ import annotations

import zlib

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.colors import colors, side_by_side
from tb_cnndiag.payloads import Atlas
from tb_cnndiag.webp import encoded

# Most bytes of an atlas.
MAX_BYTES = 4_000_000


class ProbeAtlas(LayerDiagnostic):
    """The images of the probe as they enter the model, once per training, at the first kernel that each reaches."""

    name = "probe_atlas"
    title = "Images of the probe"
    description = (
        "What a unit looks for is shown with the images of the probe. These are all of them as they enter the model; "
        "the scaling of common preprocessing is undone, and large images are stored smaller."
    )
    needs = ("image",)
    layer_kind = "atlas"
    cost = "costly"
    shows_data = True

    def __init__(self) -> None:
        self._stored: dict[str, int] = {}

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Encode the images, unless they have been stored."""
        images, path = snapshot.data["image"], snapshot.layer.path
        digest = zlib.crc32(np.ascontiguousarray(images).tobytes())
        if self._stored.get(path) == digest:
            return LayerResult()
        pixels, scaling = colors(images)
        picture, columns = side_by_side(pixels)
        data, tile = encoded(picture, columns, (pixels.shape[1], pixels.shape[2]), MAX_BYTES)
        field = snapshot.layer.receptive_field
        extents = [axis.extent for axis in field.axes] if field else []
        height, width = extents if len(extents) == 2 else pixels.shape[1:3]
        labels = snapshot.data.get("labels", np.empty(0))[: len(pixels)]
        atlas = Atlas(data, len(pixels), columns, tile, (height, width), scaling, labels.astype(np.int64))
        self._stored[path] = digest
        return LayerResult(payload=atlas)
