"""Images of units and maps of classes for the log of a training that never was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.numerics.density import densities
from tb_cnndiag.numerics.pictures import signed_picture
from tb_cnndiag.payloads import ClassMap, ExplainedSample, Image, Images, Patches, SampleMaps, UnitDensities, UnitValues
from tb_cnndiag.recording.additions import additions
from tb_cnndiag.summaries.codec import Measurement
from tb_cnndiag.unit_images.attribution import METHODS
from tb_cnndiag.unit_images.gradient_boxes import GRADIENT_BOXES
from tb_cnndiag.unit_images.payloads import DESCRIBED
from tb_cnndiag.unit_images.randomization import words
from tb_cnndiag.unit_images.sample_maps import SAMPLE_MAPS
from tb_cnndiag.unit_images.unit_densities import POINTS, UNIT_DENSITIES

SIDE = 24
# A layer that sees whole images, and those of its units that have boxes of gradients.
SEES_ALL, BOXED = "hidden", (0, 2, 5)
# Units that have a density.
WITH_DENSITY = (0, 2, 5, 7)
# Of each class, the share of images that the made-up model takes for the class behind it is about one in so many.
WRONG = 8


def made_images(history: History, path: str, seed: int) -> list[Measurement]:
    """Projections and synthetic images of all units of a layer, and maps of some images, for the last snapshot."""
    rng = np.random.default_rng(seed)
    patches = history.latest("top_patches", path)
    assert isinstance(patches, Patches)
    units = len(patches.images)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angles, tones = rng.uniform(0, np.pi, units), rng.uniform(0, 0.5, (units, 3))
    waves = [np.sin(9 * (np.cos(angle) * x + np.sin(angle) * y)) for angle in angles]
    bell = np.exp(-3 * (x**2 + y**2))
    synthetic = [
        Image(unit, _bytes(0.5 + 0.5 * waves[unit][..., None] * bell[..., None] * (0.5 + tones[unit])))
        for unit in range(units)
    ]
    projected = {"projections": 0.3, "patch_gradients": 1.0}
    pictures = {
        name: Images(
            tuple(
                _signed(unit, int(sample), waves[unit] * bell + noise * rng.normal(0, 0.3, (SIDE, SIDE)))
                for unit in range(units)
                for sample in patches.images[unit]
                if sample >= 0
            )
        )
        for name, noise in projected.items()
    }
    best = np.nan_to_num(patches.values[:, 0])
    ratios = rng.uniform(0.9, 2.5, units).astype(np.float32)
    responses = UnitValues({"activation": (best * ratios).astype(np.float32), "ratio": ratios})
    payloads = {"synthetic_images": Images(tuple(synthetic)), "synthetic_responses": responses, **pictures}
    return [
        *additions(history, payloads, layer=path, described=(*DESCRIBED, SAMPLE_MAPS)),
        *additions(history, {SAMPLE_MAPS.name: _maps(patches.samples, rng)}),
        *(message for path in (path, SEES_ALL) for message in _densities(history, path, rng)),
        *additions(history, {GRADIENT_BOXES.name: _boxes(history, rng)}, layer=SEES_ALL, described=(GRADIENT_BOXES,)),
    ]


def _densities(history: History, path: str, rng: np.random.Generator) -> list[Measurement]:
    """Densities of the units of a layer that have one: zero for most images, and some far above."""
    values = [
        np.where(rng.uniform(size=4096) < 0.55, 0, rng.gamma(2 + unit % 3, 0.8, 4096)).astype(np.float32)
        for unit in WITH_DENSITY
    ]
    curves = densities(values, bounds=[(0, None)] * len(values), points=POINTS)
    payload = UnitDensities(np.array(WITH_DENSITY), tuple(curves))
    return additions(history, {UNIT_DENSITIES.name: payload}, layer=path, described=(UNIT_DENSITIES,))


def _boxes(history: History, rng: np.random.Generator) -> Patches:
    """Boxes in the top images of some units of a layer that sees whole images."""
    patches = history.latest("top_patches", SEES_ALL)
    assert isinstance(patches, Patches)
    corners = rng.integers(0, 12, (*patches.images.shape, 2))
    sizes = rng.integers(7, 12, (*patches.images.shape, 2))
    boxes = np.concatenate([corners, sizes], axis=-1) * (patches.images >= 0)[..., None]
    return replace(patches.part(BOXED), boxes=boxes)


def _maps(samples: int, rng: np.random.Generator) -> SampleMaps:
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    classes = 4
    labels = np.arange(samples) % classes
    wrong = np.arange(samples) % (2 * WRONG) == 3
    predictions = np.where(wrong, (labels + 1) % classes, labels)
    reasons = {3: "wrong", 19: "wrong", 8: "unsure", 13: "unsure", 4: "typical", 5: "typical"}
    chosen = []
    for sample, reason in reasons.items():
        angle = np.pi * sample / samples
        bar = np.abs(np.cos(angle) * x + np.sin(angle) * y) < 0.3
        maps = []
        for method in METHODS:
            values = bar * np.sin(6 * x + sample) + rng.normal(0, 0.1, (SIDE, SIDE))
            similarity = float(np.round(rng.uniform(0, 0.7), 2))
            maps.append(ClassMap(method, _signed(0, sample, values), similarity, words(similarity)))
        tone = np.array([[1, 0.2, 0.1], [0.2, 0.8, 0.3], [0.2, 0.4, 1], [1, 0.9, 0.2]])[labels[sample]]
        picture = Image(0, _bytes(0.1 + 0.9 * bar[..., None] * tone), sample=sample)
        chosen.append(ExplainedSample(sample, reason, picture, tuple(maps)))
    shares = np.round(rng.uniform(0.4, 1, samples), 2).astype(np.float32)
    return SampleMaps(predictions, labels, shares, classes, tuple(chosen))


def _bytes(values: np.ndarray) -> np.ndarray:
    return (255 * np.clip(values, 0, 1)).round().astype(np.uint8)


def _signed(unit: int, sample: int, values: np.ndarray) -> Image:
    pixels, scale = signed_picture(values[..., None])
    return Image(unit, pixels, scale, sample)
