"""What is made at the end of a training about selected units: where in an image they look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import Patches
from tb_cnndiag.recording import budget
from tb_cnndiag.recording.closing import MARGIN, ClosingDiagnostic, Ended, Made, NotApplicableError, require_picture
from tb_cnndiag.recording.selected_units import selected_units
from tb_cnndiag.unit_images.gradient_boxes import CHUNK, GRADIENT_BOXES, GradientBoxes, sees_all


class ClosingGradientBoxes(ClosingDiagnostic):
    """Boxes of gradients in the top images of units that see whole images."""

    name: ClassVar[str] = GRADIENT_BOXES.name
    title: ClassVar[str] = GRADIENT_BOXES.title
    description: ClassVar[str] = GRADIENT_BOXES.description
    noun = "boxes of gradients"
    described = (GRADIENT_BOXES,)

    def check(self, ended: Ended) -> None:
        """There must be a picture that enters the model, and top patches of a layer that sees all of it."""
        if not _global(ended):
            raise NotApplicableError
        if sum(array.ndim == 4 for array in require_picture(ended).flat) > 1:
            raise NotApplicableError("the model takes several pictures.")

    def expected(self, compiling: float, sample: float) -> float:
        """One gradient, which only JAX compiles, serves all layers; each layer is a pass."""
        return compiling + CHUNK * sample

    def make(self, ended: Ended) -> Iterator[Made]:
        """The units of one layer after the other. A layer is begun if the slowest one so far would fit."""
        table = {layer.path: layer for layer in ended.inspector.table()}
        chosen = selected_units(_global(ended), ended.history)
        wanted, done, slowest = sum(len(units) for _, units in chosen), 0, 0.0
        boxes = GradientBoxes(ended.passes, [layer for layer, _ in chosen])
        for layer, units in chosen:
            if ended.left() < MARGIN * slowest:
                return
            began = budget.clock()
            patches = ended.history.at_last_step("top_patches", layer.path)
            assert isinstance(patches, Patches)
            made = boxes.of(layer, table[layer.path], patches, units)
            slowest = max(slowest, budget.clock() - began)
            done += len(units)
            yield Made({GRADIENT_BOXES.name: made}, done, wanted, layer.path)


def _global(ended: Ended) -> list[KernelLayer]:
    """Layers with top patches at the last snapshot, of which a unit sees a whole picture."""
    table = {layer.path: layer for layer in ended.inspector.table()}
    return [
        layer
        for layer in ended.inspector.layers
        if sees_all(table[layer.path])
        and isinstance(patches := ended.history.at_last_step("top_patches", layer.path), Patches)
        and np.any(patches.images >= 0)
    ]
