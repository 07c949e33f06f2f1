"""Pictures of a layer's filters."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.pictures import evenly_spaced, signed_picture
from tb_cnndiag.payloads import FloatArray, Image, Images, LayerInfo

# Most filters drawn per layer: 64 filters of 3 × 3 take 2 kB.
MAX_FILTERS = 64
# Kernels with a larger area than MAX_SIDE² are not drawn.
MAX_SIDE = 32


class FilterImages(LayerDiagnostic):
    """The kernels of a convolution as small pictures."""

    name = "filter_images"
    title = "Filters"
    description = (
        "Filters that have learned show edges, blobs or colors; filters that stay noisy or all look alike have learned "
        "nothing. Filters with one input channel show their weights, filters of a first layer with three channels are "
        "in color with 0 as gray, and for all others each pixel is the norm over input channels."
    )
    needs = ("kernel",)
    layer_kind = "images"
    cost = "costly"

    def __init__(self, channel: int | None = None) -> None:
        """``channel``: Input channel to draw; None draws the norm over all channels."""
        self.channel = channel

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Draw up to 64 evenly spaced filters of a kernel that has two spatial axes and more than one pixel."""
        kernels = _spatial(snapshot.layer, snapshot.data["kernel"])
        if kernels is None:
            return LayerResult()
        color = kernels.shape[-1] == 3 and not snapshot.layer.inputs
        if self.channel is not None and not -kernels.shape[-1] <= self.channel < kernels.shape[-1]:
            return LayerResult()
        images = []
        for unit in evenly_spaced(len(kernels), MAX_FILTERS):
            pixels, scale = signed_picture(kernels[unit] if color else self._plane(kernels[unit]))
            images.append(Image(int(unit), pixels, scale))
        return LayerResult(payload=Images(tuple(images)))

    def _plane(self, kernel: FloatArray) -> FloatArray:
        """One number per pixel ``(height, width, 1)`` of a kernel ``(height, width, channels)``."""
        if self.channel is not None:
            return kernel[..., self.channel, None]
        return kernel if kernel.shape[-1] == 1 else np.linalg.norm(kernel.astype(np.float64), axis=-1, keepdims=True)


def _spatial(layer: LayerInfo, kernel: FloatArray) -> FloatArray | None:
    """The kernel as ``(units, height, width, channels)``; None if it cannot be drawn."""
    if layer.role not in ("conv", "depthwise_conv", "transposed_conv") or len(layer.kernel_shape) != 4:
        return None
    height, width = layer.kernel_shape[:2]
    if not 1 < height * width <= MAX_SIDE**2 or kernel.shape[1] % (height * width):
        return None
    return kernel.reshape(len(kernel), height, width, -1)
