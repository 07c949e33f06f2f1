"""What the units of a layer see in a few images."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.pictures import signed_picture
from tb_cnndiag.payloads import Image, Images


class FeatureMaps(LayerDiagnostic):
    """Activations of a few units on the first images of the probe, as small pictures."""

    name = "feature_maps"
    title = "Feature maps"
    description = (
        "Where in an image a unit fires tells what it looks for: early maps follow edges, later ones parts and whole "
        "things. A blank map is a unit that is silent on this image, and maps that are all alike are units that do the "
        "same."
    )
    needs = ("feature_map", "pictured_units")
    layer_kind = "images"
    cost = "costly"
    shows_data = True

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """One picture for each sample and unit that was taken, each with its own scale."""
        images = []
        for sample, maps in enumerate(snapshot.data["feature_map"]):
            for index, unit in enumerate(snapshot.data["pictured_units"]):
                pixels, scale = signed_picture(maps[..., index, None])
                images.append(Image(int(unit), pixels, scale, sample))
        return LayerResult(payload=Images(tuple(images)))
