"""The images of the units of one layer, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import FloatArray, Image, Images, LayerInfo, UnitValues
from tb_cnndiag.unit_images.natural import Natural
from tb_cnndiag.unit_images.passes import Backward, Passes
from tb_cnndiag.unit_images.payloads import projection_picture, synthetic_pictures
from tb_cnndiag.unit_images.projections import project
from tb_cnndiag.unit_images.synthesis import Synthesizer, best_responses, middle_position

# Most units in one batch.
BATCH_UNITS = 64


@dataclass(frozen=True)
class UnitImage:
    """An image made to excite one unit.

    Attributes:
        layer: Path of the layer.
        unit: Index of the unit.
        image: ``(height, width, channels)`` float32, in the range of the probe.
        activation: Largest response of the unit to it.
        ratio: That response, relative to the largest one to an image of the probe; NaN for a unit that is silent there.
        note: What is special about it; empty for most.
    """

    layer: str
    unit: int
    image: FloatArray = field(repr=False)
    activation: float
    ratio: float
    note: str = ""


def synthetic(
    passes: Passes,
    layer: KernelLayer,
    info: LayerInfo,
    units: Sequence[int],
    go_on: Callable[[int], bool],
    *,
    best: FloatArray | None = None,
    seed: int = 0,
) -> Iterator[list[UnitImage]]:
    """Images of units, one batch after the other, until ``go_on``, which gets the step of a batch, returns False.

    ``best`` is the largest response of each of these units to the probe; None: it is measured.
    """
    natural = Natural.of(passes.inputs.pictures)
    extent = max((axis.size for axis in info.receptive_field.axes), default=0.0) if info.receptive_field else 0.0
    synthesizer = Synthesizer(
        passes,
        layer,
        natural,
        extent=extent or max(natural.spectrum.shape),
        position=middle_position(info.spatial_shape),
    )
    size = passes.inputs.batch(BATCH_UNITS)
    for start in range(0, len(units), size):
        batch = list(units[start : start + size])
        made = synthesizer.make(batch, seed, go_on=go_on)
        if made is None:
            return
        if best is None:  # one pass over the probe for all batches
            best = best_responses(passes, layer, np.asarray(units))
        yield [
            UnitImage(
                layer.path,
                unit,
                image,
                float(activation),
                float(activation / natural_best) if natural_best > 0 else float("nan"),
                _note(natural_best, activation),
            )
            for unit, image, activation, natural_best in zip(
                batch, made.images, made.activations, best[start : start + size], strict=True
            )
        ]


def _note(natural: float, activation: float) -> str:
    if natural > 0:
        return "" if activation > 0 else "no synthetic image was found to which it responds"
    if activation > 0:
        return "silent on every image of the probe: found by passing signals through silent rectifiers"
    return "silent on every image of the probe, and no synthetic image was found to which it responds"


def synthetic_payloads(units: int, made: Sequence[UnitImage], probe: FloatArray) -> tuple[Images, UnitValues]:
    """Images of some of the units of a layer, and how strongly these respond, as the log stores them."""
    columns = {name: np.full(units, np.nan, np.float32) for name in ("activation", "ratio")}
    for each in made:
        columns["activation"][each.unit], columns["ratio"][each.unit] = each.activation, each.ratio
    pictures = synthetic_pictures([each.unit for each in made], np.stack([each.image for each in made]), probe)
    return Images(tuple(pictures)), UnitValues(columns)


def projections(
    passes: Passes, layer: KernelLayer, info: LayerInfo, peaks: FloatArray, units: Sequence[int], backward: Backward
) -> list[Image]:
    """Pictures of what excites units in their top patches.

    ``peaks`` is ``(all units, patches, 3)``: response, image and position; responses of 0 and −∞ are left out.
    """
    places = [
        (unit, int(image), int(position))
        for unit in units
        for value, image, position in peaks[unit]
        if np.isfinite(value) and value > 0
    ]
    if not places:
        return []
    columns = np.array(places, np.int64).T
    gradients = project(passes, layer, columns[0], columns[1], columns[2], backward)
    return [projection_picture(info, *place, gradient) for place, gradient in zip(places, gradients, strict=True)]
