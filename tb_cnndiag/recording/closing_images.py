"""What is made at the end of a training: images for selected units, and maps of why classes were predicted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.probe_samples import class_labels
from tb_cnndiag.history import History
from tb_cnndiag.payloads import FloatArray, LayerInfo, Patches
from tb_cnndiag.recording import budget
from tb_cnndiag.recording.closing import MARGIN, ClosingDiagnostic, Ended, Made, NotApplicableError, require_picture
from tb_cnndiag.recording.closing_units import ClosingGradientBoxes, ClosingUnitDensities
from tb_cnndiag.recording.model_passes import observed_convolutions
from tb_cnndiag.recording.selected_units import MOST_UNITS, selected_units
from tb_cnndiag.unit_images.attribution import METHODS, NoMapError
from tb_cnndiag.unit_images.layer_images import UnitImage, synthetic, synthetic_payloads
from tb_cnndiag.unit_images.payloads import SYNTHETIC_IMAGES, SYNTHETIC_RESPONSES
from tb_cnndiag.unit_images.predictions import Predictions
from tb_cnndiag.unit_images.predictions import chosen as images_to_explain
from tb_cnndiag.unit_images.sample_maps import SAMPLE_MAPS, sample_maps
from tb_cnndiag.unit_images.synthesis import STEPS

# Seconds that a step of synthesis takes at least.
STEP = 0.003
# Gradients of a sample that the maps of one image take, with those of their checks: 32 to 64 steps of integrated
# gradients and about 225 squares of occlusion, twice.
GRADIENTS_PER_IMAGE = 600


class ClosingSyntheticImages(ClosingDiagnostic):
    """Synthetic images of cluster medoids and of units that findings name."""

    noun = "synthetic images"
    described = (SYNTHETIC_IMAGES, SYNTHETIC_RESPONSES)

    def check(self, ended: Ended) -> None:
        """There must be a picture that enters the model, and a convolution."""
        require_picture(ended)
        if not observed_convolutions(ended.inspector):
            raise NotApplicableError("the model has no convolution.")

    def expected(self, compiling: float, sample: float) -> float:
        """Two gradients are compiled for the units of a layer; each step is a pass with all of them."""
        return 2 * compiling + STEPS * max(STEP, MOST_UNITS * sample)

    def make(self, ended: Ended) -> Iterator[Made]:
        """The units of one layer after the other. A layer is begun if the slowest one so far would fit."""
        table = {layer.path: layer for layer in ended.inspector.table()}
        chosen = selected_units(observed_convolutions(ended.inspector), ended.history)
        wanted, done, slowest = sum(len(units) for _, units in chosen), 0, 0.0
        for layer, units in chosen:
            if ended.left() < MARGIN * slowest:
                return
            began = budget.clock()
            made = self._layer(ended, layer, table[layer.path], units)
            slowest = max(slowest, budget.clock() - began)
            if not made:
                return
            done += len(made)
            images, values = synthetic_payloads(layer.units, made, ended.passes.inputs.pictures)
            yield Made({SYNTHETIC_IMAGES.name: images, SYNTHETIC_RESPONSES.name: values}, done, wanted, layer.path)

    def _layer(self, ended: Ended, layer: KernelLayer, info: LayerInfo, units: list[int]) -> list[UnitImage]:
        best = _best(ended.history, layer.path, units)
        batches = synthetic(ended.passes, layer, info, units, lambda _step: ended.left() > 0, best=best)
        return [image for batch in batches for image in batch]


class ClosingSampleMaps(ClosingDiagnostic):
    """Maps of why classes were predicted for images of the probe."""

    shows_data = True
    noun = "images with maps of why their class was predicted"
    described = (SAMPLE_MAPS,)

    def check(self, ended: Ended) -> None:
        """There must be a picture that enters the model."""
        require_picture(ended)

    def expected(self, compiling: float, sample: float) -> float:
        """Two gradients are compiled for the trained model and for the one with random upper layers."""
        return 4 * compiling + GRADIENTS_PER_IMAGE * sample

    def make(self, ended: Ended) -> Iterator[Made]:
        """One image after the other. A map is begun if the slowest one of the last image would fit."""
        took: list[float] = []
        began = budget.clock()

        def go_on() -> bool:
            nonlocal began
            now = budget.clock()
            took.append(now - began)
            began = now
            return ended.left() > MARGIN * max(took[1:][-len(METHODS) :], default=0.0)

        try:
            made = sample_maps(ended.passes, class_labels(ended.inspector.probes[0].y), go_on)
        except NoMapError as error:
            raise NotApplicableError(str(error)) from None
        if made.chosen:
            found = Predictions(made.predictions, made.confidences, made.classes)
            whole = [each for each in made.chosen if len(each.maps) == len(made.chosen[0].maps)]
            yield Made({SAMPLE_MAPS.name: made}, len(whole), len(images_to_explain(found, made.labels)))


def _best(history: History, path: str, units: list[int]) -> FloatArray | None:
    """Responses of units to their best patches, if the last snapshot has these."""
    known = history.at_last_step("top_patches", path)
    if not isinstance(known, Patches):
        return None
    return np.nan_to_num(np.asarray(known.values, np.float64)[units, 0], nan=0.0)


CLOSING: tuple[type[ClosingDiagnostic], ...] = (
    ClosingUnitDensities,
    ClosingGradientBoxes,
    ClosingSyntheticImages,
    ClosingSampleMaps,
)
