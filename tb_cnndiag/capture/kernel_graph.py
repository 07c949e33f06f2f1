"""The operations between a model's kernels, taken from one recorded call, and the layer table that lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tb_cnndiag.capture.layers import (
    KernelLayer,
    activation_name,
    dropout_rate,
    is_activation,
    is_linear,
    is_normalization,
)
from tb_cnndiag.capture.recorder import Call, Observation, Recording, tensor_key
from tb_cnndiag.payloads import LayerInfo, ReceptiveField

# TensorFlow graph operations outside of layers that do not change values.
# Stands, among the sources of a tensor, for trainable layers that are not kernel layers.
OTHER = ""
_PLAIN_OPERATIONS = ("Cast", "Identity", "Reshape")


class KernelGraph:
    """Which kernel layers feed which kernel layers directly, with no other kernel between, according to a recording.

    Attributes:
        calls: First call of each kernel layer, by path.
        inputs: Paths of the kernel layers that feed each kernel layer.
        first: Paths of the kernel layers that the model's input reaches through no trainable layer but normalizations.
        answers: Model output that each final kernel layer reaches, by path.
        last_activation: Name of the last activation between each kernel and the next.
        dropout: Highest dropout rate between each kernel and the next, and the path of that dropout layer.
        normalization: Call of the first normalization between each kernel and the next.
        nonlinear: Paths of kernels with a nonlinear operation between them and the next kernel.
    """

    def __init__(self, record: Recording, paths: Sequence[str]) -> None:
        self.calls: dict[str, Call] = {}
        self.inputs: dict[str, frozenset[str]] = {path: frozenset() for path in paths}
        kernels = set(paths)
        self.last_activation: dict[str, str] = {}
        self.dropout: dict[str, tuple[float, str]] = {}
        self.normalization: dict[str, Call] = {}
        self.nonlinear: set[str] = set()
        fed_by_trainable: set[str] = set()
        self._sources: dict[Any, frozenset[str]] = {}
        for call in record.calls:
            reaching = frozenset[str]().union(*map(self._reaching, call.inputs))
            if call.path in kernels:
                self.calls.setdefault(call.path, call)
                self.inputs[call.path] |= reaching - {OTHER}
                if reaching:
                    fed_by_trainable.add(call.path)
                reaching = frozenset([call.path])
            elif getattr(call.layer, "trainable_weights", ()) and not is_normalization(call.layer):
                reaching |= {OTHER}
            for path in reaching - {OTHER}:
                self._note(path, call)
            for tensor in call.outputs:
                self._sources[tensor_key(tensor)] = reaching
        self.first = kernels - fed_by_trainable
        self.answers: dict[str, Any] = {}
        for tensor in record.outputs:
            for path in self._reaching(tensor) - {OTHER}:
                self.answers.setdefault(path, tensor)

    def _note(self, path: str, call: Call) -> None:
        """Note a call between a kernel layer and the next kernel."""
        rate = dropout_rate(call.layer)
        if rate > self.dropout.get(path, (0.0, ""))[0]:
            self.dropout[path] = rate, call.path
        if is_activation(call.layer):
            self.last_activation[path] = activation_name(call.layer)
        if is_normalization(call.layer):
            self.normalization.setdefault(path, call)
        if path != call.path and not is_linear(call.layer):
            self.nonlinear.add(path)

    def _reaching(self, tensor: Any) -> frozenset[str]:
        """Kernel layers whose outputs reach a tensor, through layers or through plain functions."""
        key = tensor_key(tensor)
        if key not in self._sources:
            self._sources[key] = frozenset()  # ends the recursion if the graph has a loop
            origin = getattr(tensor, "op", None) if isinstance(key, str) else None
            if origin is not None:
                self._sources[key] = frozenset[str]().union(*map(self._reaching, origin.inputs))
                if any(given.dtype.name == "resource" for given in origin.inputs):
                    self._sources[key] |= {OTHER}  # reads variables, as a recurrent layer's loop does
                if origin.type not in _PLAIN_OPERATIONS:
                    self.nonlinear |= self._sources[key]
        return self._sources[key]


def _activation(path: str, observation: Observation, graph: KernelGraph) -> str:
    """The activation after a kernel; if the model returns the kernel's output, the last activation before that."""
    if path in graph.answers:
        return graph.last_activation.get(path, observation.activation)
    return observation.activation


def _normalization(call: Call | None) -> dict[str, Any]:
    """Columns of the layer table about a layer's normalization."""
    if call is None:
        return {}
    frozen = not call.layer.trainable
    return {
        "normalization": call.path,
        "normalization_class": type(call.layer).__name__,
        "normalization_frozen": frozen,
    }


def observed_table(
    layers: Sequence[KernelLayer],
    record: Recording | None,
    observed: Mapping[str, Observation],
    fields: Mapping[str, ReceptiveField] = MappingProxyType({}),
) -> tuple[LayerInfo, ...]:
    """Rows of the layer table; if the model was called, they are in call order and include what the call recorded."""
    rows = {layer.path: layer.info() for layer in layers}
    if record is None:
        return tuple(rows.values())
    graph = KernelGraph(record, list(rows))
    order = list(dict.fromkeys([*graph.calls, *rows]))
    position = {path: row for row, path in enumerate(order)}
    return tuple(
        replace(
            rows[path],
            activation=_activation(path, observed[path], graph),
            **_normalization(graph.normalization.get(path)),
            seen_at=observed[path].seen_at,
            output_shape=tuple(int(n or 0) for n in observed[path].tensor.shape[1:]),
            inputs=tuple(sorted(position[source] for source in graph.inputs[path])),
            output=path in graph.answers,
            dropout=graph.dropout.get(path, (0.0, ""))[0],
            dropout_at=graph.dropout.get(path, (0.0, ""))[1],
            linear_behind=path not in graph.nonlinear,
            receptive_field=fields.get(path),
        )
        if path in observed
        else rows[path]
        for path in order
    )
