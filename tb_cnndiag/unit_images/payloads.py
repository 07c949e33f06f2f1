"""Images of units as the log stores them: quantized, cut out, and bounded in size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.numerics.colors import colors
from tb_cnndiag.numerics.pictures import signed_picture
from tb_cnndiag.payloads import ColumnInfo, DiagnosticInfo, FieldAxis, FloatArray, Image, LayerInfo

# Longest side of a stored synthetic image and of a projection, in pixels.
IMAGE_SIDE, PROJECTION_SIDE = 64, 32

SYNTHETIC_IMAGES = DiagnosticInfo(
    "synthetic_images",
    "Synthetic images",
    "Images made to excite a unit as much as possible, from the colors and frequencies of your own images. They show "
    "what a unit answers to where no natural image has only that; natural patches are the better evidence.",
    layer_kind="images",
)
SYNTHETIC_RESPONSES = DiagnosticInfo(
    "synthetic_responses",
    "Responses to synthetic images",
    "How strongly each unit responds to the image that was made for it. A unit whose ratio is far above 1 answers to "
    "something that your images hardly contain.",
    columns=(
        ColumnInfo("activation", "Response", "norm", "Largest response of the unit to its synthetic image."),
        ColumnInfo(
            "ratio",
            "Relative response",
            "ratio",
            "That response, relative to the largest one to an image of the probe.",
        ),
    ),
    layer_kind="unit_values",
)
PROJECTIONS = DiagnosticInfo(
    "projections",
    "Projections",
    "What in a patch excites the unit: its response, passed back to the pixels by a deconvnet. Red pixels raise it, "
    "blue ones lower it. Projections do not explain a class: they depend little on later layers.",
)
GRADIENTS = DiagnosticInfo(
    "patch_gradients",
    "Gradients of patches",
    "How the response of the unit to a patch changes with each pixel: the plain gradient, summed over colors. Red "
    "pixels would raise it if they were brighter, blue ones if they were darker.",
)
DESCRIBED = (SYNTHETIC_IMAGES, SYNTHETIC_RESPONSES, PROJECTIONS, GRADIENTS)


def synthetic_pictures(units: Sequence[int], images: FloatArray, probe: FloatArray) -> list[Image]:
    """Colors of synthetic images, as those of the probe are shown, at most ``IMAGE_SIDE`` pixels high and wide."""
    pixels, _ = colors(np.concatenate([probe, images]))
    return [
        Image(unit, smaller(picture.astype(np.float32), IMAGE_SIDE).round().astype(np.uint8))
        for unit, picture in zip(units, pixels[len(probe) :], strict=True)
    ]


def projection_picture(layer: LayerInfo, unit: int, sample: int, position: int, gradient: FloatArray) -> Image:
    """The part of a gradient ``(height, width, channels)`` that the unit sees, summed over channels."""
    values = gradient.sum(axis=-1, keepdims=True)
    field = layer.receptive_field
    if field is not None and len(field.axes) == 2:
        columns = layer.spatial_shape[1] if len(layer.spatial_shape) == 2 else 1
        places = position // columns, position % columns
        for axis, (part, place) in enumerate(zip(field.axes, places, strict=True)):
            values = _cut(values, axis, *_seen(part, place))
    pixels, scale = signed_picture(smaller(values, PROJECTION_SIDE))
    return Image(unit, pixels, scale, sample)


def _seen(axis: FieldAxis, place: int) -> tuple[int, int]:
    """First pixel and number of pixels that a position sees, beyond the image's borders too, as the page cuts it."""
    if axis.low:
        return axis.low[place], max(1, axis.high[place] - axis.low[place] + 1)
    return int(np.floor(place * axis.stride - axis.padding + 0.5)), max(1, int(np.floor(axis.size + 0.5)))


def _cut(values: FloatArray, axis: int, first: int, count: int) -> FloatArray:
    """Part of an array along an axis, with zeros beyond its ends."""
    length = values.shape[axis]
    before, behind = max(0, -first), max(0, first + count - length)
    padded = np.pad(values, [(before, behind) if i == axis else (0, 0) for i in range(values.ndim)])
    return np.take(padded, np.arange(count) + first + before, axis=axis)


def smaller(values: NDArray[np.floating], side: int) -> FloatArray:
    """A picture ``(height, width, channels)`` of at most ``side`` pixels: means of square blocks."""
    height, width, channels = values.shape
    block = -(-max(height, width) // side)
    if block <= 1:
        return np.asarray(values)
    down, across = -(-height // block), -(-width // block)
    edges = ((0, down * block - height), (0, across * block - width), (0, 0))
    padded = np.pad(values, edges, mode="edge")
    return np.asarray(padded.reshape(down, block, across, block, channels).mean(axis=(1, 3)))
