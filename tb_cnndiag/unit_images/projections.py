"""What in an image excites a unit: its response, projected back to the pixels."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import FloatArray, IntArray
from tb_cnndiag.unit_images.passes import Backward, Passes

# Images in one pass.
CHUNK = 64


def project(
    passes: Passes,
    layer: KernelLayer,
    units: IntArray,
    images: IntArray,
    positions: IntArray,
    backward: Backward = "plain",
) -> FloatArray:
    """Gradient of a unit at a position of an image, by the image ``(n, height, width, channels)``.

    ``backward`` is ``"plain"`` or ``"deconvnet"``. ``units``, ``images`` and ``positions`` are ``(n,)``. A deconvnet
    shows what in a patch excites a unit; it depends little on later layers, so it never explains a class (Sixt et al.
    2020).
    """
    gradient = passes.unit_gradient(layer, backward)
    found = [
        gradient(passes.inputs.pictures[i], passes.inputs.others(i), units[part], positions[part])[1]
        for part in (slice(start, start + CHUNK) for start in range(0, len(units), CHUNK))
        for i in (images[part],)
    ]
    return np.concatenate(found) if found else np.empty((0, *passes.inputs.pictures.shape[1:]), np.float32)
