"""Which part of an image a unit responds to, where it sees all of it: the box that holds most of its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.numerics.boxes import smallest_box
from tb_cnndiag.payloads import DiagnosticInfo, FloatArray, IntArray, LayerInfo, Patches
from tb_cnndiag.unit_images.differentiate import Differentiated
from tb_cnndiag.unit_images.passes import Passes

# Share of |∂unit/∂pixel| that a box holds.
SHARE = 0.95
# Images in one pass: nine of eight units.
CHUNK = 72

GRADIENT_BOXES = DiagnosticInfo(
    "gradient_boxes",
    "Boxes of gradients",
    "Where in its top images a unit looks that sees whole images: the smallest box that holds 95 % of the magnitude of "
    "its gradient by the pixels. It is an estimate: a gradient shows what small changes do.",
)


def sees_all(info: LayerInfo) -> bool:
    """Whether the unit in the middle of a layer's output sees the whole of a picture."""
    field = info.receptive_field
    if field is None or len(field.axes) != 2:
        return False
    if field.whole:
        return True
    middle = [side // 2 for side in info.spatial_shape]
    return len(middle) == 2 and all(
        axis.box(at) == (0, axis.extent - 1) for axis, at in zip(field.axes, middle, strict=True)
    )


class GradientBoxes:
    """Boxes of the top images of units. One function has the gradients of all layers: JAX compiles it once."""

    def __init__(self, passes: Passes, layers: Sequence[KernelLayer]) -> None:
        self._passes, self._rows = passes, {layer.path: row for row, layer in enumerate(layers)}
        self._size = passes.inputs.batch(CHUNK)
        self._gradient: Differentiated = passes.unit_gradients(layers)

    def of(self, layer: KernelLayer, info: LayerInfo, patches: Patches, units: Sequence[int]) -> Patches:
        """The patches of these units with their boxes; those of other units are left out."""
        own = patches.part(units)
        boxes = np.zeros((*own.images.shape, 4), np.int64)
        places = np.argwhere(own.images >= 0)
        for start in range(0, len(places), self._size):
            unit, rank = places[start : start + self._size].T
            gradients = self._gradients(layer, unit, own.images[unit, rank], own.positions[unit, rank])
            boxes[unit, rank] = [smallest_box(each, SHARE) for each in _magnitudes(gradients, info)]
        return replace(own, boxes=boxes)

    def _gradients(self, layer: KernelLayer, units: IntArray, images: IntArray, positions: IntArray) -> FloatArray:
        """Padded to a full pass: on JAX each number of samples would be compiled."""
        count = len(units)
        images, units, positions = (np.resize(each, self._size) for each in (images, units, positions))
        inputs, rows = self._passes.inputs, np.full(self._size, self._rows[layer.path])
        return self._gradient(inputs.pictures[images], inputs.others(images), rows, units, positions)[1][:count]


def _magnitudes(gradients: FloatArray, info: LayerInfo) -> FloatArray:
    """Sum of magnitudes over channels, ``(samples, height, width)``."""
    extents = tuple(axis.extent for axis in info.receptive_field.axes) if info.receptive_field else ()
    channels = 1 if gradients.shape[1:3] != extents else 3
    return np.asarray(np.abs(np.asarray(gradients, np.float64)).sum(axis=channels))
