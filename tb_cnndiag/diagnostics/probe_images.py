"""The probe images that the feature maps belong to."""

from __future__ import annotations

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.pictures import color_picture
from tb_cnndiag.payloads import Image, Images


class ProbeImages(LayerDiagnostic):
    """The first images of the probe as the first kernels receive them, downsampled."""

    name = "probe_images"
    title = "Probe images"
    description = (
        "A feature map can only be read next to its image. These are the first images of the probe as the layer "
        "receives them, after all preprocessing inside the model, scaled from black to white."
    )
    needs = ("input_picture",)
    layer_kind = "images"
    cost = "costly"
    shows_data = True

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Draw one picture per sample."""
        pictures = enumerate(snapshot.data["input_picture"])
        return LayerResult(payload=Images(tuple(Image(0, color_picture(x), 1.0, sample) for sample, x in pictures)))
