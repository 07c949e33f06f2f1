"""One forward pass over the probe, reduced in the graph to a few numbers per unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.recorder import Observation, Recording, recording
from tb_cnndiag.capture.reductions import REDUCTIONS
from tb_cnndiag.payloads import FloatArray, LayerInfo

# Samples per call: bounds the memory of a look to that of a pass over so many.
CHUNK = 64


class Observer:
    """Calls a model on chunks of the probe and reduces every kernel layer's activation in the graph.

    The model is called with ``training=False`` inside a ``keras.StatelessScope``: nothing of it changes. On
    TensorFlow the pass is compiled once per shape; elsewhere it runs eagerly.
    """

    def __init__(self, model: Any, layers: Sequence[KernelLayer], reductions: Sequence[str]) -> None:
        self._model = model
        self._layers = layers
        self._reductions = tuple(reductions)
        self._traced = self._compile()
        self.recording: Recording | None = None
        self.observed: dict[str, Observation] = {}

    def look(self, x: Any) -> dict[str, dict[str, FloatArray]]:
        """Path of each observed layer → its reduced activation by name, joined over all chunks.

        ``x`` is whatever the model takes: an array, or lists and dictionaries of them, ``(samples, …)`` each.
        """
        samples = len(keras.tree.flatten(x)[0])
        parts: list[dict[str, dict[str, FloatArray]]] = []
        for start in range(0, samples, CHUNK):
            chunk = keras.tree.map_structure(lambda a, s=start: a[s : s + CHUNK], x)
            parts.append(keras.tree.map_structure(keras.ops.convert_to_numpy, self._traced(chunk)))
        joined: dict[str, dict[str, FloatArray]] = {}
        for path in parts[0]:
            joined[path] = {
                name: REDUCTIONS[name].join([part[path][name] for part in parts])
                for name in parts[0][path]
                if name in REDUCTIONS
            }
            joined[path]["samples"] = np.asarray(samples)
            joined[path]["positions"] = np.asarray(parts[0][path]["positions"])
        return joined

    def _compile(self) -> Any:
        if keras.backend.backend() != "tensorflow":
            return self._reduced
        import tensorflow as tf

        return tf.function(self._reduced, autograph=False, reduce_retracing=True)

    def _reduced(self, x: Any) -> dict[str, dict[str, Any]]:
        with keras.StatelessScope(), recording(self._model) as record:
            self._model(x, training=False)
        self.recording = record
        self.observed = {}
        seen = {
            layer.path: [record.observe(layer, call) for call in record.of(layer.layer) if _same_graph(call.outputs[0])]
            for layer in self._layers
        }
        self.observed = {path: observations[0] for path, observations in seen.items() if observations}
        return {
            layer.path: self._reduce(layer, [observation.tensor for observation in seen[layer.path]])
            for layer in self._layers
            if seen[layer.path]
        }

    def _reduce(self, layer: KernelLayer, tensors: list[Any]) -> dict[str, Any]:
        ops = keras.ops
        rows = [_by_position(layer, tensor) for tensor in tensors]
        values = {name: ops.cast(REDUCTIONS[name].reduce(ops, rows[0]), "float32") for name in self._reductions}
        if "sample_max" in values:  # a layer called several times fires when it fires in any of its calls
            for other in rows[1:]:
                more = ops.cast(REDUCTIONS["sample_max"].reduce(ops, other), "float32")
                values["sample_max"] = ops.maximum(values["sample_max"], more)
        values["positions"] = ops.cast(ops.shape(rows[0])[1], "float32")
        return values


def _by_position(layer: KernelLayer, tensor: Any) -> Any:
    """The activation as ``(samples, positions, units)``."""
    ops = keras.ops
    if getattr(layer.layer, "data_format", "") == "channels_first" and len(tensor.shape) > 2:
        tensor = ops.moveaxis(tensor, 1, -1)
    return ops.reshape(tensor, (ops.shape(tensor)[0], -1, layer.units))


def _same_graph(tensor: Any) -> bool:
    """False for a tensor of an inner graph (a loop over time steps): reading it here would fail the whole look."""
    if keras.backend.backend() != "tensorflow":
        return True
    import tensorflow as tf

    if tf.executing_eagerly():
        return True
    return getattr(tensor, "graph", None) is tf.compat.v1.get_default_graph()


def observed_table(
    layers: Sequence[KernelLayer], record: Recording | None, observed: Mapping[str, Observation]
) -> tuple[LayerInfo, ...]:
    """Rows of the layer table: in call order where the model was called, with what the call told."""
    rows = {layer.path: layer.info() for layer in layers}
    if record is None:
        return tuple(rows.values())
    by_path = {layer.path: layer for layer in layers}
    called = [call.path for call in record.calls if call.path in by_path]
    order = list(dict.fromkeys([*called, *rows]))
    position = {path: i for i, path in enumerate(order)}
    sources = _kernel_sources(record, by_path)
    outputs = {source for call in record.calls[-1:] for source in sources.get(id(call.outputs[0]), ())}
    table: list[LayerInfo] = []
    for path in order:
        row, seen = rows[path], observed.get(path)
        if seen is not None:
            call = record.of(by_path[path].layer)[0]
            inputs = sorted({position[p] for t in call.inputs for p in sources.get(id(t), ())})
            row = replace(
                row,
                activation=seen.activation,
                normalization=seen.normalization,
                seen_at=seen.seen_at,
                output_shape=tuple(int(n or 0) for n in seen.tensor.shape[1:]),
                inputs=tuple(inputs),
                output=path in outputs,
            )
        table.append(row)
    return tuple(table)


def _kernel_sources(record: Recording, kernels: Mapping[str, KernelLayer]) -> dict[int, frozenset[str]]:
    """Tensor id → paths of the kernel layers whose outputs reach it without another kernel between."""
    sources: dict[int, frozenset[str]] = {}
    for call in record.calls:
        reaching = (
            frozenset([call.path])
            if call.path in kernels
            else frozenset().union(*(sources.get(id(t), frozenset()) for t in call.inputs))
        )
        for tensor in call.outputs:
            sources[id(tensor)] = reaching
    return sources
