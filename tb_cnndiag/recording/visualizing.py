"""Makes images of what units look for, at any time: ``tb_cnndiag.visualize``."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.numerics.pictures import evenly_spaced
from tb_cnndiag.recording.auditing import AuditError, audited, inspector_of
from tb_cnndiag.recording.class_maps import write_class_maps
from tb_cnndiag.recording.model_passes import CONVOLUTIONS, passes_of
from tb_cnndiag.recording.unit_image_log import UnitImageLog
from tb_cnndiag.summaries.names import RUN_DIRECTORY
from tb_cnndiag.unit_images.gradient_boxes import GradientBoxes, sees_all
from tb_cnndiag.unit_images.layer_images import UnitImage, projections, synthetic
from tb_cnndiag.unit_images.passes import Backward, Passes
from tb_cnndiag.unit_images.payloads import GRADIENTS, PROJECTIONS
from tb_cnndiag.unit_images.synthesis import STEPS
from tb_cnndiag.unit_images.unit_densities import unit_densities
from tb_cnndiag.warning import warn

# Units of each layer, evenly spaced, where none are named.
MOST_UNITS = 64
Progress = Callable[[str, float], None]


class VisualizeError(ValueError):
    """No images can be made; the message says why and what to do."""


def visualize(
    model: Any,
    probe: Any,
    *,
    layers: str | Sequence[str] | None = None,
    units: Sequence[int] | None = None,
    time_limit: float | None = None,
    log_dir: str | os.PathLike[str] | None = None,
    progress: Progress = lambda _what, _share: None,
) -> list[UnitImage]:
    """Make an image that excites each unit as much as possible, and project its top patches back to pixels.

    Nothing that is given changes. The same model, probe and units give the same images. The time limit and Ctrl-C keep
    what is done.

    Args:
        model: A built Keras model, or a ``.keras`` or ``.h5`` file.
        probe: Samples of your data: ``x`` or ``(x, y)``; or what ``--probe`` takes, as text.
        layers: Regular expression of layer paths, or the paths; None: all convolutions.
        units: Units of each of these layers; None: all, of large layers 64 that are evenly spaced.
        time_limit: Seconds after which no further step is made; None: no bound.
        log_dir: Log of a training of this model, to which the images are added; or a new directory.
        progress: Called with what is being made, and the share that is done, 0..1.

    Raises:
        VisualizeError: If the model, the probe, or the choice of layers and units does not allow it.
    """
    end = float("inf") if time_limit is None else time.monotonic() + time_limit
    if not isinstance(model, keras.Model | str | os.PathLike):
        raise VisualizeError(f"visualize takes a Keras model or a saved one; this is a {type(model).__name__}.")
    try:
        inspector = inspector_of(model, probe)
        chosen = _chosen(inspector, layers)
        names = {layer.path: _units(layer, units) for layer in chosen}
        passes = passes_of(inspector)
        log = None if log_dir is None else _log(inspector, Path(log_dir), probe)
    except (ValueError, OSError) as error:
        raise VisualizeError(str(error)) from None
    wanted, made = sum(map(len, names.values())), list[UnitImage]()
    stopped = "The time limit was reached"

    def go_on(path: str, step: int) -> bool:
        progress(path, (len(made) + step / STEPS) / wanted)
        return time.monotonic() < end

    maker = _Maker(inspector, passes, log)
    try:
        for layer in chosen:
            for batch in maker.batches(layer, names[layer.path], functools.partial(go_on, layer.path)):
                made += batch
        if log is not None:
            write_class_maps(log, passes, inspector, lambda: time.monotonic() < end)
    except KeyboardInterrupt:
        stopped = "Interrupted"
    finally:
        if log is not None:
            log.close()
    if len(made) < wanted:
        warn(f"{stopped}: {len(made)} of {wanted} units have an image.")
    return made


class _Maker:
    """Makes the images of layers and writes them to the log, each layer as far as it came."""

    def __init__(self, inspector: ModelInspector, passes: Passes, log: UnitImageLog | None) -> None:
        self._passes, self._log = passes, log
        self._peaks = inspector.activations(("peaks",)) if log is not None else {}
        self._table = {layer.path: layer for layer in inspector.table()}

    def batches(
        self, layer: KernelLayer, units: Sequence[int], go_on: Callable[[int], bool]
    ) -> Iterator[list[UnitImage]]:
        """The images of some units of a layer, batch by batch."""
        made: list[UnitImage] = []
        try:
            for batch in synthetic(self._passes, layer, self._table[layer.path], units, go_on):
                made += batch
                yield batch
        finally:
            if self._log is not None and made:
                self._log.write_synthetic(layer.path, layer.units, made, self._passes.inputs.pictures)
        if self._log is not None and made:
            self._project(self._log, layer, [image.unit for image in made])

    def _project(self, log: UnitImageLog, layer: KernelLayer, units: Sequence[int]) -> None:
        """Write projections of top patches, and more, if the log has the same ones: it may be of another probe."""
        peaks = self._peaks.get(layer.path, {}).get("peaks")
        if peaks is None or not log.same_patches(layer.path, peaks):
            return
        kinds: dict[str, Backward] = {PROJECTIONS.name: "deconvnet", GRADIENTS.name: "plain"}
        for name, backward in kinds.items():
            pictures = projections(self._passes, layer, self._table[layer.path], peaks, units, backward)
            log.write_images(name, layer.path, pictures)
        densities = unit_densities(self._passes, [(layer, units)], self._table)
        log.write_densities(layer.path, densities[layer.path])
        info = self._table[layer.path]
        if sees_all(info) and sum(array.ndim == 4 for array in self._passes.inputs.flat) == 1:
            boxes = GradientBoxes(self._passes, [layer])
            log.write_boxes(layer.path, lambda patches: boxes.of(layer, info, patches, units))


def _chosen(inspector: ModelInspector, layers: str | Sequence[str] | None) -> list[KernelLayer]:
    """The layers to make images for, as far as a pass reaches them.

    Raises:
        VisualizeError: If there are none.
    """
    if not inspector.probes:
        raise VisualizeError("Images of units need samples of your data, as in visualize(model, x_val[:256]).")
    inspector.activations(())
    table = {layer.path: layer for layer in inspector.table()}
    everything = [layer for layer in inspector.layers if table[layer.path].seen_at]
    paths = ", ".join(layer.path for layer in everything)
    if layers is None:
        found = [layer for layer in everything if layer.role in CONVOLUTIONS]
        if not found:
            raise VisualizeError(f"The model has no convolution. Name layers, as in layers='dense'. It has {paths}.")
        return found
    if isinstance(layers, str):
        try:
            found = [layer for layer in everything if re.search(layers, layer.path)]
        except re.error as error:
            raise VisualizeError(f"{layers!r} is not a regular expression: {error}.") from None
        if not found:
            raise VisualizeError(f"No layer matches {layers!r}. The layers are: {paths}.")
        return found
    if not layers:
        raise VisualizeError("layers is empty. Leave it out for all convolutions.")
    unknown = [path for path in layers if path not in {layer.path for layer in everything}]
    if unknown:
        raise VisualizeError(f"The model does not have {', '.join(unknown)}. The layers are: {paths}.")
    return [layer for layer in everything if layer.path in layers]


def _units(layer: KernelLayer, units: Iterable[int] | None) -> list[int]:
    if units is None:
        return [int(unit) for unit in evenly_spaced(layer.units, MOST_UNITS)]
    found = [int(unit) for unit in units]
    if not found:
        raise VisualizeError("units is empty. Leave it out for all units.")
    outside = [unit for unit in found if not 0 <= unit < layer.units]
    if outside:
        raise VisualizeError(
            f"{layer.path} has {layer.units} units, 0 to {layer.units - 1}; there is no unit {outside[0]}."
        )
    return list(dict.fromkeys(found))


def _log(inspector: ModelInspector, log_dir: Path, probe: Any) -> UnitImageLog:
    """The log to add to; a directory without one gets the log of an audit.

    Raises:
        VisualizeError: If the log is of another model.
    """
    if not (log_dir / RUN_DIRECTORY).exists():
        try:
            given = probe if isinstance(probe, str) else _pair(inspector)
            audited(inspector.models[0], given, log_dir, closing=False)
        except AuditError as error:
            raise VisualizeError(str(error)) from None
    log = UnitImageLog(log_dir)
    shapes = {layer.path: layer.info().kernel_shape for layer in inspector.layers}
    if not log.fits(shapes):
        raise VisualizeError(
            f"{log_dir} holds the log of another model: its layers or kernels differ. Give the log of this model, or a "
            "new directory."
        )
    return log


def _pair(inspector: ModelInspector) -> Any:
    (samples,) = inspector.probes
    return samples.x if samples.y is None else (samples.x, samples.y)
