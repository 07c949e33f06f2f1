"""Adds images of units to the log of a run that has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.payloads import FloatArray, Image, Images, Patches, SampleMaps, UnitDensities, UnitValues
from tb_cnndiag.recording.additions import additions
from tb_cnndiag.summaries.codec import Payload, encode
from tb_cnndiag.summaries.names import RUN_DIRECTORY
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.writer import SnapshotWriter
from tb_cnndiag.unit_images.gradient_boxes import GRADIENT_BOXES
from tb_cnndiag.unit_images.layer_images import UnitImage, synthetic_payloads
from tb_cnndiag.unit_images.payloads import DESCRIBED, SYNTHETIC_IMAGES, SYNTHETIC_RESPONSES
from tb_cnndiag.unit_images.sample_maps import SAMPLE_MAPS
from tb_cnndiag.unit_images.unit_densities import UNIT_DENSITIES

# Share of top patches that must be the same for images of the log to be those of the probe.
SAME = 0.9


class UnitImageLog:
    """Writes to the last snapshot of the run in ``<log_dir>/cnndiag``. What it holds of other units stays."""

    def __init__(self, log_dir: Path) -> None:
        self._history = History.of(read_run(log_dir / RUN_DIRECTORY))
        self._writer = SnapshotWriter(log_dir / RUN_DIRECTORY)

    def fits(self, kernel_shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Whether the run is of a model with these kernels, by path."""
        return {layer.path: layer.kernel_shape for layer in self._history.layers} == dict(kernel_shapes)

    def same_patches(self, path: str, peaks: FloatArray) -> bool:
        """Whether the log shows these top patches of a layer: its images are those of the probe, and were stored."""
        known = self._history.latest("top_patches", path)
        if not isinstance(known, Patches) or known.images.shape != peaks.shape[:2]:
            return False
        field = next((each.receptive_field for each in self._history.layers if each.path == path), None)
        if field is None or self._history.latest("probe_atlas", field.image) is None:
            return False
        exists = known.images >= 0
        return bool(exists.any() and (known.images == peaks[:, :, 1])[exists].mean() >= SAME)

    def write_boxes(self, path: str, boxes: Callable[[Patches], Patches]) -> None:
        """Write the boxes of gradients that are made of the top patches of a layer, with those that the log has."""
        patches = self._history.latest("top_patches", path)
        assert isinstance(patches, Patches)
        made, known = boxes(patches), self._history.at_last_step(GRADIENT_BOXES.name, path)
        if isinstance(known, Patches) and known.listed is not None and known.boxes is not None:
            assert made.listed is not None
            assert made.boxes is not None
            before = np.setdiff1d(known.listed, made.listed)
            joined = made.boxes.copy()
            joined[before] = np.where((patches.images == known.images)[before, :, None], known.boxes[before], 0)
            made = replace(patches.part(np.union1d(known.listed, made.listed).tolist()), boxes=joined)
        self._write(path, {GRADIENT_BOXES.name: made})

    def write_densities(self, path: str, made: UnitDensities) -> None:
        """Write densities of units of a layer, with those of other units that the last snapshot has."""
        known = self._history.at_last_step(UNIT_DENSITIES.name, path)
        before = dict(zip(known.units, known.densities, strict=True)) if isinstance(known, UnitDensities) else {}
        joined = before | dict(zip(made.units, made.densities, strict=True))
        units = np.sort(np.array([*joined], np.int64))
        payload = UnitDensities(units, tuple(joined[unit] for unit in units))
        self._write(path, {UNIT_DENSITIES.name: payload})

    def write_synthetic(self, path: str, units: int, made: Sequence[UnitImage], probe: FloatArray) -> None:
        """Write images made for some of the units of a layer, with how strongly they respond."""
        images, values = synthetic_payloads(units, made, probe)
        known = self._history.at_last_step(SYNTHETIC_RESPONSES.name, path)
        if isinstance(known, UnitValues):
            new = np.isin(np.arange(units), [each.unit for each in made])
            before = known.columns
            values = UnitValues(
                {name: np.where(new, now, before.get(name, now)) for name, now in values.columns.items()}
            )
        joined = self._joined(SYNTHETIC_IMAGES.name, path, images.images)
        self._write(path, {SYNTHETIC_IMAGES.name: joined, SYNTHETIC_RESPONSES.name: values})

    def write_images(self, name: str, path: str, images: Sequence[Image]) -> None:
        """Write pictures of units of a layer, if there are any."""
        if images:
            self._write(path, {name: self._joined(name, path, images)})

    def _joined(self, name: str, path: str, images: Sequence[Image]) -> Images:
        """These pictures, and those of other units of the layer that the last snapshot has."""
        known, units = self._history.at_last_step(name, path), {image.unit for image in images}
        others = [each for each in known.images if each.unit not in units] if isinstance(known, Images) else []
        return Images(tuple(sorted((*others, *images), key=lambda each: each.unit)))

    @property
    def wants_samples(self) -> bool:
        """Whether the log shows images of the probe, and its last snapshot has no maps of classes yet."""
        shown = any(self._history.latest("probe_atlas", each.path) is not None for each in self._history.layers)
        return shown and self._history.at_last_step(SAMPLE_MAPS.name) is None

    def write_samples(self, payload: SampleMaps) -> None:
        """Write predictions and maps of classes."""
        self._write("", {SAMPLE_MAPS.name: payload})

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()

    def _write(self, path: str, payloads: Mapping[str, Payload]) -> None:
        described = (*DESCRIBED, SAMPLE_MAPS, GRADIENT_BOXES, UNIT_DENSITIES)
        messages = additions(self._history, payloads, layer=path, described=described)
        self._writer.write(messages[0].step, [(each, encode(each)) for each in messages], {})
