"""The forward pass over the probe, reduced in the graph to a few numbers per unit."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence, Set
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.capture.batch_statistics import compares, moments
from tb_cnndiag.capture.kernel_graph import KernelGraph
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.positions import by_position, channels_last, flat_positions
from tb_cnndiag.capture.receptive_field import FieldGraph, is_picture
from tb_cnndiag.capture.recorder import Observation, Recording, recording
from tb_cnndiag.capture.reductions import (
    COSTLY,
    REDUCTIONS,
    SEARCHED,
    Reduction,
    block_maxima,
    pictured_units,
    sample_max,
    spacing,
)
from tb_cnndiag.numerics.activations import SATURATION
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
        kinds = {REDUCTIONS[name].of for name in names}
        found: dict[str, dict[str, Any]] = {}
        given: dict[str, dict[str, tuple[Any, ...]]] = {}
        for layer in self.layers:
            if not seen[layer.path]:
                continue
            activations = [by_position(layer, each.tensor) for each in seen[layer.path]]
            positions = self._positions[layer.path] = activations[0].shape[1]
            found[layer.path] = {"positions": _positions(activations[0])} if positions is None else {}
            given[layer.path] = _reducible(layer, seen[layer.path][0], activations, graph, kinds, every)
            if layer.path in pictures:
                given[layer.path]["image"] = (channels_last(layer, pictures[layer.path]),)
        for name in names:
            reduction = REDUCTIONS[name]
            mine = {path: have[reduction.of] for path, have in given.items() if reduction.of in have}
            for path, value in zip(mine, _values(reduction, list(mine.values()), search), strict=True):
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


def _values(reduction: Reduction, given: Sequence[tuple[Any, ...]], search: Any) -> list[Any]:
    """What a reduction makes of what each layer gives it, by layer."""
    ops = keras.ops
    if not given or not reduction.at_once:
        return [reduction.reduce(ops, *arguments) for arguments in given]
    together = list(zip(*given, strict=True))
    if reduction.blank is None:
        return list(reduction.reduce(ops, *together))
    blank = functools.partial(reduction.blank, ops, *together)
    return list(ops.cond(search, functools.partial(reduction.reduce, ops, *together), blank))


def _without_costly(reduced: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What need not be fetched is left on the device."""
    return {path: {name: values[name] for name in values if name not in COSTLY} for path, values in reduced.items()}


def _positions(activation: Any) -> Any:
    """Number of positions, ``()``, float32."""
    return keras.ops.convert_to_tensor(keras.ops.shape(activation)[1], "float32")


def _reducible(
    layer: KernelLayer,
    seen: Observation,
    activations: Sequence[Any],
    graph: KernelGraph,
    kinds: Set[str],
    every: int,
) -> dict[str, tuple[Any, ...]]:
    """What the reductions of each kind receive at a layer; kinds that it does not have are missing.

    Each tensor is made once for all reductions: the graph of a large network must stay small. ``seen`` is the layer's
    first call, ``activations`` are those of all calls.
    """
    ops = keras.ops
    activation = activations[0]
    given: dict[str, tuple[Any, ...]] = {"activation": (activation,)}
    answers = layer.path in graph.answers
    bounds = SATURATION.get(seen.activation)
    if kinds & {"maxima", "peak"}:
        blocks = block_maxima(ops, activation)
        maxima = ops.max(blocks, axis=1)
        given["peak"] = (activation, blocks, maxima)
        for other in activations[1:]:  # a layer that is called several times fires if it fires in any call
            maxima = ops.maximum(maxima, sample_max(ops, other))
        given["maxima"] = (maxima,)
    if kinds & {"some", "bounded"}:
        given["some"] = (backend().every(activation, every),)
        if bounds and not answers:
            given["bounded"] = (*given["some"], bounds)
    if kinds & {"output", "some output"} and answers:
        answer = _answer_by_position(layer, graph.answers[layer.path])
        given |= {"output": (answer,), "some output": (backend().every(answer, every),)}
    if kinds & {"input", "some input", "picture"} and layer.path in graph.first:
        tensor = graph.calls[layer.path].inputs[0]
        flat = _input_by_position(layer, tensor)
        given |= {"input": (flat,), "some input": (backend().every(flat, every),)}
        if _is_map(image := channels_last(layer, tensor)):
            given["picture"] = (image,)
    if "normalized" in kinds:
        call = graph.normalization.get(layer.path)
        if call is not None and compares(call.layer) and call.in_this_graph:
            given["normalized"] = (*moments(ops, call.inputs[0]), call.layer)
    if "map" in kinds and _is_map(image := channels_last(layer, seen.tensor), layer.units):
        given["map"] = (image,)
    return given


def _chunk_size(x: Any) -> int:
    """Samples per call."""
    arrays = keras.tree.flatten(x)
    per_sample = sum(array.nbytes for array in arrays) // len(arrays[0])
    return int(min(CHUNK_SAMPLES, max(CHUNK_BYTES // max(per_sample, 1), 1)))


def _input_by_position(layer: KernelLayer, tensor: Any) -> Any:
    """The input of a layer as ``(samples, positions, channels)``; a flat input has one channel."""
    ops = keras.ops
    tensor = ops.cast(tensor, "float32")
    if len(tensor.shape) < 3:
        return ops.reshape(tensor, (ops.shape(tensor)[0], -1, 1))
    tensor = channels_last(layer, tensor)
    return flat_positions(tensor, tensor.shape[-1])


def _answer_by_position(layer: KernelLayer, tensor: Any) -> Any:
    """An output of the model as ``(samples, positions, units)``; it may be pooled after the layer."""
    if len(tensor.shape) < 2:
        return keras.ops.reshape(tensor, (-1, 1, 1))
    tensor = channels_last(layer, tensor)
    return flat_positions(tensor, tensor.shape[-1])


def _is_map(tensor: Any, channels: int | None = None) -> bool:
    """Whether a tensor is ``(samples, height, width, channels)`` with axes of known length and more than one pixel."""
    if len(tensor.shape) != 4 or None in tensor.shape[1:] or tensor.shape[1] * tensor.shape[2] < 2:
        return False
    return channels is None or tensor.shape[-1] == channels
