"""Why a model predicts what it does for some images of the probe: maps by several methods, each with its check."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tb_cnndiag.numerics.colors import colors
from tb_cnndiag.numerics.pictures import signed_picture
from tb_cnndiag.payloads import ClassMap, DiagnosticInfo, ExplainedSample, FloatArray, Image, IntArray, SampleMaps
from tb_cnndiag.unit_images.attribution import METHODS, Method, NoMapError
from tb_cnndiag.unit_images.passes import Passes
from tb_cnndiag.unit_images.payloads import IMAGE_SIDE, smaller
from tb_cnndiag.unit_images.predictions import chosen, predicted
from tb_cnndiag.unit_images.randomization import randomized, similarity_to_random, words

CONSTANT = "This map has the same value everywhere: it shows nothing."

SAMPLE_MAPS = DiagnosticInfo(
    "sample_maps",
    "Why this class",
    "What in an image raises the score of the predicted class (red) and what lowers it (blue), by several methods. "
    "Rely on a map only if it changes when the trained layers get random weights: its note says so.",
    model_kind="sample_maps",
)


def sample_maps(passes: Passes, labels: IntArray, go_on: Callable[[], bool] = lambda: True) -> SampleMaps:
    """Predict all images and explain some, image by image, as long as ``go_on`` allows.

    Args:
        passes: Passes through the model, with its probe.
        labels: Class of each image, ``(samples,)``; empty if unknown.
        go_on: Asked before each map. What is done is kept.

    Raises:
        NoMapError: If the model predicts no class.
    """
    if len(labels) != len(passes.inputs.pictures):
        labels = np.empty(0, np.int64)
    found = predicted(passes, labels)
    random = Passes(passes.model, passes.inputs, passes.prefix, randomized(passes.layers))
    picked = chosen(found, labels)
    pixels, _ = colors(passes.inputs.pictures)
    explained = []
    for sample, reason in picked:
        maps = []
        for name, method in METHODS.items():
            if not go_on():
                break
            one = _map(name, method, passes, random, sample, int(found.classes[sample]))
            if one is not None:
                maps.append(one)
        if not maps:
            break
        shown = smaller(pixels[sample].astype(np.float32), IMAGE_SIDE).round().astype(np.uint8)
        explained.append(ExplainedSample(sample, reason, Image(0, shown, sample=sample), tuple(maps)))
    number = max(found.number, int(labels.max(initial=-1)) + 1)
    return SampleMaps(found.classes, labels, found.confidences, number, tuple(explained))


def _map(name: str, method: Method, passes: Passes, random: Passes, sample: int, kind: int) -> ClassMap | None:
    """One map with its check; None if the method cannot explain this model."""
    samples, classes = np.array([sample]), np.array([kind])
    try:
        maps = method(passes, samples, classes)
        similarity = float(similarity_to_random(method, passes, random, samples, classes, maps)[0])
    except NoMapError:
        return None
    if np.ptp(maps) == 0:
        return ClassMap(name, _picture(maps[0], sample), float("nan"), CONSTANT)
    return ClassMap(name, _picture(maps[0], sample), similarity, words(similarity))


def _picture(values: FloatArray, sample: int) -> Image:
    pixels, scale = signed_picture(smaller(values[..., None], IMAGE_SIDE))
    return Image(0, pixels, scale, sample)
