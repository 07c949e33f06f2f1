"""Which parts of a run are a generator and a discriminator."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tb_cnndiag.history import History
from tb_cnndiag.payloads import FloatArray, IntArray, LayerInfo

# Usual names of a discriminator's loss: d_loss, disc_loss, discriminator_loss, loss_d …
_DISCRIMINATOR_LOSS = re.compile(r"(^|_)d(isc(riminator)?)?_(\w+_)?loss$|^loss_d(isc(riminator)?)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Adversaries:
    """Rows of the layer table.

    Attributes:
        generator: All rows of the generator.
        generator_output: The layer that produces the images.
        discriminator_input: The first layer of the discriminator.
    """

    generator: tuple[int, ...]
    generator_output: int
    discriminator_input: int


def adversaries(history: History) -> Adversaries | None:
    """Generator and discriminator of a GAN; None for any other run.

    The generator ends in images. The discriminator takes images of this depth, and its output has no positions.
    """
    parts = (history.info.model if history.info else "").split(", ")
    rows = {
        part: [row for row, layer in enumerate(history.layers) if layer.path.startswith(f"{part}/")] for part in parts
    }
    if len(parts) < 2 or not all(rows.values()):
        return None
    ends = {part: [row for row in own if history.layers[row].output] for part, own in rows.items()}
    generators = [part for part, own in ends.items() if len(own) == 1 and _positions(history.layers[own[0]]) > 1]
    discriminators = [part for part, own in ends.items() if len(own) == 1 and _positions(history.layers[own[0]]) == 1]
    if len(generators) != 1 or len(discriminators) != 1:
        return None
    output, first = ends[generators[0]][0], rows[discriminators[0]][0]
    if history.layers[first].kernel_shape[-2:-1] != (history.layers[output].units,):
        return None
    return Adversaries(tuple(rows[generators[0]]), output, first)


def discriminator_loss(history: History) -> tuple[IntArray, FloatArray] | None:
    """(steps, values) of the discriminator's loss; None when no logged scalar has such a name."""
    for name in history.scalar_names("training_curve"):
        if _DISCRIMINATOR_LOSS.search(name) and not name.startswith("val_"):
            return history.scalars("training_curve", name)
    return None


def _positions(layer: LayerInfo) -> int:
    """Number of spatial positions of the output; 1 without spatial axes."""
    shape = layer.output_shape[1:] if layer.unit_axis == 1 else layer.output_shape[:-1]
    return math.prod(shape)
