"""The forward pass over the probe, reduced in the graph to a few numbers per unit."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.capture.kernel_graph import KernelGraph
from tb_cnndiag.capture.layer_reductions import layer_reductions
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.positions import number_of_positions
from tb_cnndiag.capture.receptive_field import FieldGraph, is_picture
from tb_cnndiag.capture.recorder import Observation, Recording, recording
from tb_cnndiag.capture.reductions import (
    COSTLY,
    REDUCTIONS,
    SEARCHED,
    pictured_units,
    spacing,
)
from tb_cnndiag.payloads import FloatArray, ReceptiveField

# Most samples and input bytes per call: they bound the memory that a snapshot uses, for a probe of any size.
CHUNK_SAMPLES = 256
CHUNK_BYTES = 16 << 20


class Observer:
    """Calls a model on chunks of the probe and reduces every kernel layer's activation in the graph.

    The model is called with ``training=False`` inside a ``keras.StatelessScope``, so its state does not change. On
    TensorFlow, the pass is compiled for any number of samples, on JAX for each number; on torch, it runs eagerly.
    """

    def __init__(self, model: Any, layers: Sequence[KernelLayer], prefix: str = "") -> None:
        self._model = model
        self._prefix = prefix
        self.layers = layers
        self._compiled: dict[tuple[Any, ...], dict[int, Any]] = {}
        # What is known without the pass must not be an output of it: TensorFlow takes seconds for 1,000 constants.
        self._units = {layer.path: layer.units for layer in layers}
        self._positions: dict[str, int | None] = {}
        self.batch_size: int | None = None
        """Samples per call of a model that is made for batches of one size; None: any number."""
        self.recording: Recording | None = None
        self.observed: dict[str, Observation] = {}
        self.fields: dict[str, ReceptiveField] = {}
        """Receptive field by path of the layer, of those that see an image."""

    def observe(self, x: Any, reductions: Sequence[str], *, costly: bool = False) -> dict[str, dict[str, FloatArray]]:
        """Path of each observed layer → its reduced activations by name, joined over all chunks.

        ``x`` has the structure of the model's inputs: an array ``(samples, …)``, or lists and dictionaries of arrays.
        Costly reductions are left out unless ``costly``.
        """
        samples, size = len(keras.tree.flatten(x)[0]), self.batch_size or _chunk_size(x)
        parts: list[dict[str, dict[str, FloatArray]]] = []
        searched = -(-min(samples, SEARCHED) // size) if costly else 0
        for start in range(0, samples, size):
            chunk = keras.tree.map_structure(lambda a, s=start: a[s : s + size], x)
            search = len(parts) < searched
            reduced = self._reducer(reductions, x, min(samples, size))(chunk, search)
            parts.append(to_host(reduced if search else _without_costly(reduced)))
        weights = [min(size, samples - start) for start in range(0, samples, size)]
        joined: dict[str, dict[str, FloatArray]] = {}
        for path in parts[0]:
            joined[path] = {
                name: REDUCTIONS[name].join([part[path][name] for part in parts[:count]], weights[:count])
                for name in parts[0][path]
                if name in REDUCTIONS and (count := searched if name in COSTLY else len(parts))
            }
            joined[path]["samples"] = np.asarray(samples)
            if "peaks" in joined[path]:
                joined[path]["searched"] = np.asarray(sum(weights[:searched]))
            positions = self._positions[path]
            joined[path]["positions"] = np.asarray(parts[0][path]["positions"] if positions is None else positions)
            if "feature_map" in joined[path]:
                joined[path]["pictured_units"] = pictured_units(self._units[path])
        return joined

    def trace(self) -> None:
        """Record a pass without data: on TensorFlow and JAX it is only traced, on torch it runs on zeros.

        Raises:
            Exception: Any error of the model; its inputs must be declared.
        """
        backend().trace(self._model, lambda x: self._reduced((), 1, x, False), self._model.inputs)

    def _reducer(self, reductions: Sequence[str], x: Any, samples: int) -> Any:
        """The pass with these reductions, for so many inputs like ``x``: it takes the inputs, and whether it searches.

        One pass serves all snapshots: to compile another one takes longer than to run it.
        """
        names = tuple(sorted(reductions))
        inputs = (self.batch_size, *((array.shape[1:], array.dtype) for array in keras.tree.flatten(x)))
        known = self._compiled.setdefault((names, inputs), {})
        right = spacing(samples)
        every = max(
            (each for each in known if each <= 2 * right), default=right
        )  # rather fewer samples than another pass
        if every not in known:
            reduced = functools.partial(self._reduced, names, every)
            known[every] = backend().compiled(self._model, reduced, x, self.batch_size)
        return known[every]

    def _reduced(self, names: tuple[str, ...], every: int, x: Any, search: Any) -> dict[str, dict[str, Any]]:
        """Call the model and reduce.

        Args:
            names: The reductions.
            every: One of so many samples represents all where some do.
            x: The inputs.
            search: Whether reductions that search are made; a bool of the graph, where there is one.
        """
        ops = keras.ops
        with recording(self._model, self._prefix) as record:
            outputs = self._model(x, training=False)
            record.outputs = [tensor for tensor in keras.tree.flatten(outputs) if ops.is_tensor(tensor)]
            record.inputs = keras.tree.flatten(x)
        self.recording = record
        seen = {
            layer.path: [record.observe(layer, call) for call in record.of(layer.layer) if call.in_this_graph]
            for layer in self.layers
        }
        self.observed = {path: observations[0] for path, observations in seen.items() if observations}
        graph = KernelGraph(record, [layer.path for layer in self.layers])
        pictures = self._see_images(record)
        found: dict[str, dict[str, Any]] = {}
        given: dict[str, dict[str, tuple[Any, ...]]] = {}
        for layer in self.layers:
            if not seen[layer.path]:
                continue
            image = pictures.get(layer.path)
            tensors, kind = layer_reductions(layer, seen[layer.path], graph, image, names, every)
            found[layer.path], given[layer.path] = backend().shared(kind)(tensors, search)
            self._positions[layer.path] = number_of_positions(tensors["activation"][0], layer.units)
            if "normalized" in given[layer.path]:
                given[layer.path]["normalized"] += (graph.normalization[layer.path].layer,)
        for name in names:
            reduction = REDUCTIONS[name]
            if reduction.at_once:
                mine = {path: have[reduction.of] for path, have in given.items() if reduction.of in have}
                values = reduction.reduce(ops, *zip(*mine.values(), strict=True)) if mine else []
                for path, value in zip(mine, values, strict=True):
                    found[path][name] = ops.cast(value, "float32")
        return found

    def _see_images(self, record: Recording) -> dict[str, Any]:
        """Find the receptive fields; returns the images by the path of the first layer that receives each."""
        try:
            graph = FieldGraph(record, [layer.path for layer in self.layers])
            for layer in self.layers:
                if layer.path in self.observed:
                    field = graph.field(layer, self.observed[layer.path].tensor)
                    if field is not None:
                        self.fields[layer.path] = field
        except Exception:  # of any layer of a user; without fields, everything else is recorded
            return {}
        return {path: graph.images[image] for image, path in graph.first.items() if is_picture(graph.images[image])}


def _without_costly(reduced: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What need not be fetched is left on the device."""
    return {path: {name: values[name] for name in values if name not in COSTLY} for path, values in reduced.items()}


def _chunk_size(x: Any) -> int:
    """Samples per call."""
    arrays = keras.tree.flatten(x)
    per_sample = sum(array.nbytes for array in arrays) // len(arrays[0])
    return int(min(CHUNK_SAMPLES, max(CHUNK_BYTES // max(per_sample, 1), 1)))
