"""Why a class was predicted: maps of what in an image raises (positive) or lowers (negative) its score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.numerics.pictures import interpolation
from tb_cnndiag.payloads import FloatArray, IntArray
from tb_cnndiag.unit_images.passes import Passes

# Integrated gradients: the steps double until the sum is this near to the difference of the scores.
COMPLETE = 0.01
FIRST_STEPS, MOST_STEPS = 32, 1024
# Side of the occluding square, relative to that of the image; it moves by half of its side.
SQUARE = 1 / 8
# Images in one pass.
CHUNK = 64

Method = Callable[[Passes, IntArray, IntArray], FloatArray]


class NoMapError(ValueError):
    """A method cannot explain this model; the message says why."""


def gradient_times_input(passes: Passes, samples: IntArray, classes: IntArray) -> FloatArray:
    """Gradient of the score times the image, summed over channels, ``(samples, height, width)``.

    The image counts relative to the mean of the probe, so that a map does not depend on where zero is.
    """
    pictures = passes.inputs.pictures
    _, gradient = passes.score_gradient(pictures[samples], passes.inputs.others(samples), classes)
    return np.asarray((gradient * (pictures[samples] - passes.inputs.gray)).sum(axis=-1))


def integrated_gradients(passes: Passes, samples: IntArray, classes: IntArray) -> FloatArray:
    """The gradient along the way from the mean of the probe to the image, times that way (Sundararajan et al. 2017).

    The sum of a map is the difference of the scores, to 1 % where ``MOST_STEPS`` suffice. ``(samples, height, width)``.
    """
    gradient = passes.score_gradient
    return np.stack(
        [_integrated(passes, gradient, sample, kind) for sample, kind in zip(samples, classes, strict=True)]
    )


def _integrated(passes: Passes, gradient: Any, sample: int, kind: int) -> FloatArray:
    picture, gray = passes.inputs.pictures[sample], passes.inputs.gray
    way = picture - gray

    def at(shares: FloatArray) -> tuple[FloatArray, FloatArray]:
        count = len(shares)
        points = np.asarray(gray + shares[:, None, None, None] * way, np.float32)
        values, slopes = gradient(points, passes.inputs.others(np.full(count, sample)), np.full(count, kind, np.int64))
        return values, slopes

    ends, _ = at(np.array([0.0, 1.0]))
    difference, steps = float(ends[1] - ends[0]), FIRST_STEPS
    while True:
        shares = (np.arange(steps) + 0.5) / steps
        total = sum(at(shares[i : i + CHUNK])[1].astype(np.float64).sum(axis=0) for i in range(0, steps, CHUNK))
        values = np.asarray((way * total / steps).sum(axis=-1))
        if abs(values.sum() - difference) <= COMPLETE * abs(difference) or steps >= MOST_STEPS:
            return values
        steps *= 2


def grad_cam(passes: Passes, samples: IntArray, classes: IntArray, layer: KernelLayer | None = None) -> FloatArray:
    """Grad-CAM of a layer, or of the last one that makes maps, enlarged to the image (Selvaraju et al. 2017).

    The signed sum of maps, weighted by their mean gradients, ``(samples, height, width)``; negative parts are kept.

    Raises:
        NoMapError: If no layer makes maps.
    """
    layer = layer or _last_map_layer(passes)
    first = bool(getattr(layer.layer, "data_format", "") == "channels_first")
    shape = passes.map_shape(layer)
    zeros = np.zeros((len(samples), *shape), np.float32)
    maps, gradient = passes.map_gradient(layer)(
        zeros, passes.inputs.pictures[samples], passes.inputs.others(samples), classes
    )
    if first:
        maps, gradient = (np.moveaxis(array, 1, -1) for array in (maps, gradient))
    cam = (maps * gradient.mean(axis=(1, 2), keepdims=True)).sum(axis=-1)
    return enlarged(cam, *passes.inputs.pictures.shape[1:3])


def _last_map_layer(passes: Passes) -> KernelLayer:
    called = [call.layer for call in passes.record.calls]
    layers = [layer for layer in passes.layers if layer.layer in called and len(passes.map_shape(layer)) == 3]
    if not layers:
        raise NoMapError("Grad-CAM needs a convolution: no layer of this model makes maps.")
    return max(layers, key=lambda layer: called.index(layer.layer))


def occlusion(passes: Passes, samples: IntArray, classes: IntArray) -> FloatArray:
    """How much the score falls where a square of the probe's mean covers the image (Zeiler & Fergus 2014).

    A pixel gets the mean over the squares that cover it, ``(samples, height, width)``.
    """
    gradient = passes.score_gradient
    return np.stack([_occluded(passes, gradient, sample, kind) for sample, kind in zip(samples, classes, strict=True)])


def squares(height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Top, left, bottom and right of each occluding square; together they cover the image."""
    side = max(2, round(max(height, width) * SQUARE))
    stride = max(1, side // 2)
    return [
        (top, left, min(top + side, height), min(left + side, width))
        for top in range(0, max(height - side, 0) + stride, stride)
        for left in range(0, max(width - side, 0) + stride, stride)
        if top < height and left < width
    ]


def _occluded(passes: Passes, gradient: Any, sample: int, kind: int) -> FloatArray:
    picture, gray = passes.inputs.pictures[sample], passes.inputs.gray
    places = squares(*picture.shape[:2])
    covered = np.repeat(picture[None], len(places) + 1, axis=0)
    for i, (top, left, bottom, right) in enumerate(places, start=1):
        covered[i, top:bottom, left:right] = gray
    scores = np.concatenate(
        [
            gradient(part, passes.inputs.others(np.full(len(part), sample)), np.full(len(part), kind, np.int64))[0]
            for part in (covered[i : i + CHUNK] for i in range(0, len(covered), CHUNK))
        ]
    )
    falls, counts = np.zeros(picture.shape[:2]), np.zeros(picture.shape[:2])
    for (top, left, bottom, right), score in zip(places, scores[1:], strict=True):
        falls[top:bottom, left:right] += scores[0] - score
        counts[top:bottom, left:right] += 1
    return falls / np.maximum(counts, 1)


def enlarged(maps: FloatArray, height: int, width: int) -> FloatArray:
    """Maps ``(samples, rows, columns)`` at another size, with straight lines between the centers of their cells."""
    down, across = _resampling(maps.shape[1], height), _resampling(maps.shape[2], width)
    return np.asarray(np.einsum("yr,nrc,xc->nyx", down, maps, across))


def _resampling(cells: int, side: int) -> FloatArray:
    return interpolation((np.arange(side) + 0.5) * cells / side - 0.5, cells)


METHODS: dict[str, Method] = {
    "gradient_times_input": gradient_times_input,
    "integrated_gradients": integrated_gradients,
    "grad_cam": grad_cam,
    "occlusion": occlusion,
}
