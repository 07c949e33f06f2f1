"""Who plays against whom: the generator and the discriminator among the parts of a run."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tb_cnndiag.history import History
from tb_cnndiag.payloads import FloatArray, IntArray, LayerInfo

# A discriminator's loss by the names in use: d_loss, disc_loss, discriminator_loss, loss_d …
_DISCRIMINATOR_LOSS = re.compile(r"(^|_)d(isc(riminator)?)?_(\w+_)?loss$|^loss_d(isc(riminator)?)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Adversaries:
    """Rows of the layer table.

    Attributes:
        generator: All rows of the part that makes images.
        made: The generator's output.
        seen: The discriminator's first kernel.
    """

    generator: tuple[int, ...]
    made: int
    seen: int


def adversaries(history: History) -> Adversaries | None:
    """The two parts of a GAN: one ends in images, the other takes images of this depth and ends without positions.

    None for any other run.
    """
    parts = (history.info.model if history.info else "").split(", ")
    rows = {
        part: [row for row, layer in enumerate(history.layers) if layer.path.startswith(f"{part}/")] for part in parts
    }
    if len(parts) < 2 or not all(rows.values()):
        return None
    ends = {part: [row for row in own if history.layers[row].output] for part, own in rows.items()}
    makers = [part for part, own in ends.items() if len(own) == 1 and _positions(history.layers[own[0]]) > 1]
    judges = [part for part, own in ends.items() if len(own) == 1 and _positions(history.layers[own[0]]) == 1]
    if len(makers) != 1 or len(judges) != 1:
        return None
    made, seen = ends[makers[0]][0], rows[judges[0]][0]
    if history.layers[seen].kernel_shape[-2:-1] != (history.layers[made].units,):
        return None
    return Adversaries(tuple(rows[makers[0]]), made, seen)


def discriminator_loss(history: History) -> tuple[IntArray, FloatArray] | None:
    """(steps, values) of the discriminator's loss; None when no logged number is called like one."""
    for name in history.scalar_names("training_curve"):
        if _DISCRIMINATOR_LOSS.search(name) and not name.startswith("val_"):
            return history.scalars("training_curve", name)
    return None


def _positions(layer: LayerInfo) -> int:
    shape = layer.output_shape[1:] if layer.unit_axis == 1 else layer.output_shape[:-1]
    return math.prod(shape)
