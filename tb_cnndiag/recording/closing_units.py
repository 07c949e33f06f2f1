"""What is made at the end of a training about selected units: how often they fire, and where in an image they look."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import Patches
from tb_cnndiag.recording import budget
from tb_cnndiag.recording.closing import MARGIN, ClosingDiagnostic, Ended, Made, NotApplicableError, require_picture
from tb_cnndiag.recording.selected_units import selected_units
from tb_cnndiag.unit_images.gradient_boxes import CHUNK, GRADIENT_BOXES, GradientBoxes, sees_all
from tb_cnndiag.unit_images.unit_densities import SAMPLES, UNIT_DENSITIES, unit_densities


class ClosingGradientBoxes(ClosingDiagnostic):
    """Boxes of gradients in the top images of units that see whole images."""

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


class ClosingUnitDensities(ClosingDiagnostic):
    """Densities of the activations of selected units of every layer."""

    noun = "densities of units"
    described = (UNIT_DENSITIES,)

    def check(self, ended: Ended) -> None:
        """There must be a picture that enters the model."""
        require_picture(ended)

    def expected(self, compiling: float, sample: float) -> float:
        """Nothing is compiled; a pass takes less than a gradient, which leaves time for the estimates."""
        return SAMPLES * sample

    def make(self, ended: Ended) -> Iterator[Made]:
        """The units of all layers, from the same passes."""
        table = {layer.path: layer for layer in ended.inspector.table()}
        observed = [layer for layer in ended.inspector.layers if table[layer.path].seen_at]
        chosen = selected_units(observed, ended.history, most_layers=len(observed))
        made = unit_densities(ended.passes, chosen, table)
        wanted, done = sum(len(units) for _, units in chosen), 0
        for path, payload in made.items():
            done += len(payload.units)
            yield Made({UNIT_DENSITIES.name: payload}, done, wanted, path)


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
