"""Records which layer produced which tensor while a model is called, and follows each kernel's output from there.

It replaces the ``call`` method of each layer during one call of the model. This works the same for Functional,
Sequential, nested and subclassed models, both eagerly and while a graph is traced.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

import keras

from tb_cnndiag.capture.backends import backend
from tb_cnndiag.capture.guard import Guard
from tb_cnndiag.capture.layers import KernelLayer, activation_name, is_activation, is_normalization, owns_kernel, walk
from tb_cnndiag.numerics.activations import GRAPH_OPERATIONS

_IDENTITIES = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "Identity", "GaussianNoise")


@dataclass(frozen=True)
class Call:
    """One call of one layer, with flat lists of its input and output tensors."""

    path: str
    layer: Any
    inputs: list[Any]
    outputs: list[Any]
    computation: Any = None

    @property
    def in_this_graph(self) -> bool:
        """False for a call of an inner graph, e.g. a loop over time steps: reading its tensors would fail the pass."""
        return bool(self.computation == backend().computation())


@dataclass(frozen=True)
class Observation:
    """Where a kernel's output is observed: after its normalization and activation, as the next layer receives it."""

    tensor: Any
    seen_at: str
    activation: str
    norm_layer: Any = None


@dataclass
class Recording:
    """All layer calls of one pass through the model, and the model's inputs and outputs."""

    calls: list[Call] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    guard: Guard = field(default_factory=Guard)

    def add(self, path: str, layer: Any, arguments: Any, outputs: Any) -> None:
        """A layer was called with these arguments and returned these outputs, structures of tensors and anything."""
        inputs = [x for x in keras.tree.flatten(arguments) if keras.ops.is_tensor(x)]
        made = [x for x in keras.tree.flatten(outputs) if keras.ops.is_tensor(x)]
        if made:
            self.calls.append(Call(path, layer, inputs, made, backend().computation()))

    def consumers(self, tensor: Any) -> list[Call]:
        """Calls that took the tensor as an input."""
        return [call for call in self.calls if any(tensor is given or _is_cast(tensor, given) for given in call.inputs)]

    def of(self, layer: Any) -> list[Call]:
        """Calls of one layer."""
        return [call for call in self.calls if call.layer is layer]

    def observe(self, kernel_layer: KernelLayer, call: Call) -> Observation:
        """Follow the output of one call of a kernel layer through its normalization and activation."""
        tensor, seen_at = call.outputs[0], kernel_layer.path
        activation, norm_layer = activation_name(kernel_layer.layer), None
        while activation == "linear":
            consumers = self.consumers(tensor)
            if len(consumers) != 1 or len(consumers[0].outputs) != 1 or len(consumers[0].inputs) != 1:
                break
            follower = consumers[0]
            if follower.outputs[0] is tensor:
                break
            kind = type(follower.layer).__name__
            if is_normalization(follower.layer) and norm_layer is None:
                norm_layer = follower.layer
            elif is_activation(follower.layer):
                activation = activation_name(follower.layer)
            elif kind not in _IDENTITIES:
                break
            tensor, seen_at = follower.outputs[0], follower.path
        if activation == "linear" and not self.consumers(tensor):
            tensor, activation = _unseen_activation(tensor)
        return Observation(tensor, seen_at, activation, norm_layer)


def tensor_key(tensor: Any) -> Any:
    """Identity of a tensor. TensorFlow graphs create new objects for the same tensor, so there it is the name."""
    name = getattr(tensor, "name", None) if hasattr(tensor, "graph") else None
    return name if isinstance(name, str) else id(tensor)


def _is_cast(tensor: Any, given: Any) -> bool:
    """Whether ``given`` is ``tensor`` cast to another precision; a layer casts its input to its own dtype policy."""
    origin: Any = getattr(given, "op", None) if hasattr(given, "graph") else None
    return getattr(origin, "type", "") == "Cast" and origin.inputs[0].name == getattr(tensor, "name", None)


@contextmanager
def recording(model: Any, prefix: str = "", guard: Guard | None = None) -> Iterator[Recording]:
    """Record every call of a layer or operation below ``model`` that happens inside the ``with``.

    Recordings that share a ``guard`` report a failure once.
    """
    record = Recording(guard=guard or Guard())
    with _patched(model, prefix, lambda: record):
        yield record


class ReplicaRecorder:
    """Records the calls of several threads through one model, each for itself.

    The replicas of ``tf.distribute`` are threads that take turns: one may pause inside its step while another begins.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._records: dict[int, Recording] = {}
        self._guard = Guard()
        self._patches = ExitStack()

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Record every call that this thread makes inside the ``with``."""
        thread = get_ident()
        record = self._records[thread] = Recording(guard=self._guard)
        try:
            if len(self._records) == 1:
                self._patches.enter_context(_patched(self._model, "", lambda: self._records.get(get_ident())))
            yield record
        finally:
            del self._records[thread]
            if not self._records:
                self._patches.close()


@contextmanager
def _patched(model: Any, prefix: str, current: Callable[[], Recording | None]) -> Iterator[None]:
    """Context in which each call is added to the recording that is current."""
    patched: list[Any] = []
    try:
        for path, operation in _leaves(model, prefix).items():
            if "call" in operation.__dict__:
                continue  # other code has replaced it: do not interfere
            operation.__dict__["call"] = _recorded(operation.call, path, operation, current)
            patched.append(operation)
        yield
    finally:
        for operation in patched:
            operation.__dict__.pop("call", None)


def _unseen_activation(tensor: Any) -> tuple[Any, str]:
    """Find an activation that a subclassed model applies as a function, not as a layer, in TensorFlow's graph.

    Returns:
        The activated tensor and the activation's name, or the tensor itself and ``"linear"`` if there is no activation.
    """
    graph = keras.backend.backend() == "tensorflow" and hasattr(tensor, "graph")
    consumers: list[Any] = tensor.consumers() if graph else []
    if len(consumers) == 1 and consumers[0].type in GRAPH_OPERATIONS:
        return consumers[0].outputs[0], GRAPH_OPERATIONS[consumers[0].type]
    return tensor, "linear"


def _leaves(model: Any, prefix: str) -> dict[str, Any]:
    """By path, the layers that contain no layers or own a kernel, and the operations of Functional models."""
    everything = dict(walk(model, prefix))
    found = {path: layer for path, layer in everything.items() if not layer._layers or owns_kernel(layer)}
    known = {id(layer) for layer in everything.values()}
    for above, container in [(prefix, model), *((f"{path}/", layer) for path, layer in everything.items())]:
        for operation in getattr(container, "operations", None) or ():
            if id(operation) not in known:
                known.add(id(operation))
                found[f"{above}{operation.name}"] = operation
    return found


def _recorded(
    call: Callable[..., Any], path: str, layer: Any, current: Callable[[], Recording | None]
) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        record = current()
        if record is not None:
            # It may be the user's training step that calls this.
            record.guard.run("The calls of layers", record.add, path, layer, (args, kwargs), outputs)
        return outputs

    return wrapper
