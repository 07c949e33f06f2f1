"""What lies between the kernels of a model, as one recorded call shows it, and the layer table that tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tb_cnndiag.capture.layers import (
    KernelLayer,
    activation_name,
    dropout_rate,
    is_activation,
    is_linear,
    is_normalization,
)
from tb_cnndiag.capture.recorder import Call, Observation, Recording
from tb_cnndiag.payloads import LayerInfo

# Operations of TensorFlow's graph, outside of layers, that leave values as they are.
_PLAIN_OPERATIONS = ("Cast", "Identity", "Reshape")


class KernelGraph:
    """Which kernel layers feed which, without another kernel between, as a recording shows it.

    ``inputs`` has the paths that reach each layer, ``calls`` the first call of each layer, ``answers`` what the model
    returns of those that reach its end; ``last_activation``, ``normalization``, ``dropout`` (rate and path) and
    ``nonlinear`` are of what lies behind a layer, before the next kernel.
    """

    def __init__(self, record: Recording, paths: Sequence[str]) -> None:
        self.calls: dict[str, Call] = {}
        self.inputs: dict[str, frozenset[str]] = {path: frozenset() for path in paths}
        kernels = set(paths)
        self.last_activation: dict[str, str] = {}
        self.dropout: dict[str, tuple[float, str]] = {}
        self.normalization: dict[str, Call] = {}
        self.nonlinear: set[str] = set()
        self._sources: dict[Any, frozenset[str]] = {}
        for call in record.calls:
            reaching = frozenset[str]().union(*map(self._reaching, call.inputs))
            if call.path in kernels:
                self.calls.setdefault(call.path, call)
                self.inputs[call.path] |= reaching
                reaching = frozenset([call.path])
            for path in reaching:
                self._note(path, call)
            for tensor in call.outputs:
                self._sources[_key(tensor)] = reaching
        self.answers: dict[str, Any] = {}
        for tensor in record.outputs:
            for path in self._reaching(tensor):
                self.answers.setdefault(path, tensor)

    def _note(self, path: str, call: Call) -> None:
        """What lies behind a kernel layer."""
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
        """Kernel layers whose outputs reach a tensor, through functions that are no layers too."""
        key = _key(tensor)
        if key not in self._sources:
            self._sources[key] = frozenset()  # while it is looked into: loops end here
            origin = getattr(tensor, "op", None) if isinstance(key, str) else None
            if origin is not None:
                self._sources[key] = frozenset[str]().union(*map(self._reaching, origin.inputs))
                if origin.type not in _PLAIN_OPERATIONS:
                    self.nonlinear |= self._sources[key]
        return self._sources[key]


def _key(tensor: Any) -> Any:
    """Identity of a tensor: its name in a TensorFlow graph, which hands out new objects for the same tensor."""
    name = getattr(tensor, "name", None) if hasattr(tensor, "graph") else None
    return name if isinstance(name, str) else id(tensor)


def _activation(path: str, observation: Observation, graph: KernelGraph) -> str:
    """The activation between a kernel and the next; of one whose output the model returns, what it ends with."""
    if path in graph.answers:
        return graph.last_activation.get(path, observation.activation)
    return observation.activation


def _normalization(call: Call | None) -> dict[str, Any]:
    """What the table tells of the normalization of a layer."""
    if call is None:
        return {}
    frozen = not call.layer.trainable
    return {
        "normalization": call.path,
        "normalization_class": type(call.layer).__name__,
        "normalization_frozen": frozen,
    }


def observed_table(
    layers: Sequence[KernelLayer], record: Recording | None, observed: Mapping[str, Observation]
) -> tuple[LayerInfo, ...]:
    """Rows of the layer table: in call order where the model was called, with what the call told."""
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
        )
        if path in observed
        else rows[path]
        for path in order
    )
