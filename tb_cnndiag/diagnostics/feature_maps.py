"""Responses of a layer's units to a few images."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.pictures import signed_picture
from tb_cnndiag.payloads import Image, Images


class FeatureMaps(LayerDiagnostic):
    """Activations of a few units on the first images of the probe, as small pictures."""

    name = "feature_maps"
    title = "Feature maps"
    description = (
        "The places in an image where a unit fires show what the unit detects: edges in early layers, parts and whole "
        "objects in later layers. A blank map is a unit that is silent on this image; maps that all look alike are "
        "units that do the same work."
    )
    needs = ("feature_map", "pictured_units")
    layer_kind = "images"
    cost = "costly"
    shows_data = True

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Draw one picture per captured sample and unit, each with its own scale."""
        images = []
        for sample, maps in enumerate(snapshot.data["feature_map"]):
            for index, unit in enumerate(snapshot.data["pictured_units"]):
                pixels, scale = signed_picture(maps[..., index, None])
                images.append(Image(int(unit), pixels, scale, sample))
        return LayerResult(payload=Images(tuple(images)))
