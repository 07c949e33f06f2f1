"""What is reduced at one layer: from its tensors to a few numbers per unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from tb_cnndiag.capture.backends import backend
from tb_cnndiag.capture.batch_statistics import compares, moments
from tb_cnndiag.capture.kernel_graph import KernelGraph
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.positions import channels_last, flat_positions, number_of_positions
from tb_cnndiag.capture.recorder import Observation
from tb_cnndiag.capture.reductions import REDUCTIONS, block_maxima, sample_max
from tb_cnndiag.numerics.activations import SATURATION

# The tensors that some kinds of reductions are made from; others are named like theirs, or made from the activation.
_SOURCES = {"some output": "output", "some input": "input", "picture": "input"}


@dataclass(frozen=True)
class LayerReductions:
    """The reductions of one layer. In a graph, equal ones that receive the same shapes are made once.

    Attributes:
        names: Reductions, and ``"positions"`` if their number is not known.
        together: Kinds of tensors that are made for the reductions of many layers at once.
        units: Units of the layer.
        every: One of so many samples represents all where some do.
        bounds: At which its activation is saturated, if it is bounded.
    """

    names: tuple[str, ...]
    together: frozenset[str]
    units: int
    every: int
    bounds: tuple[float, float] | None

    def __call__(self, tensors: Mapping[str, Any], search: Any) -> tuple[dict[str, Any], dict[str, tuple[Any, ...]]]:
        """Reductions by name, and what the reductions of many layers at once take, by kind.

        Args:
            tensors: ``"activation"``: those of all calls of the layer; ``"output"``, ``"input"``, ``"normalized"``,
                ``"image"``: as in :class:`Reduction`, but with all their axes, channels last.
            search: Whether costly reductions are wanted.
        """
        ops = keras.ops
        kinds = {REDUCTIONS[name].of for name in self.names if name in REDUCTIONS} | self.together
        activation, *others = [flat_positions(tensor, self.units) for tensor in tensors["activation"]]
        given: dict[str, tuple[Any, ...]] = {"activation": (activation,), "map": (tensors["activation"][0],)}
        if kinds & {"maxima", "peak"}:
            blocks = block_maxima(ops, activation)
            maxima = ops.max(blocks, axis=1)
            given["peak"] = (activation, blocks, maxima, search)
            for other in others:  # a layer that is called several times fires if it fires in any call
                maxima = ops.maximum(maxima, sample_max(ops, other))
            given["maxima"] = (maxima,)
        if kinds & {"some", "bounded"}:
            given["some"] = (backend().every(activation, self.every),)
            given["bounded"] = (*given["some"], self.bounds)
        for name, form in (("output", _output_by_position), ("input", _input_by_position)):
            if name in tensors:
                flat = form(tensors[name])
                given |= {name: (flat,), f"some {name}": (backend().every(flat, self.every),)}
        if "input" in tensors:
            given["picture"] = (tensors["input"],)
        if "normalized" in kinds:
            given["normalized"] = moments(ops, tensors["normalized"])
        if "image" in kinds:
            given["image"] = (tensors["image"],)
        found = {
            name: ops.cast(reduction.reduce(ops, *given[reduction.of]), "float32")
            for name, reduction in REDUCTIONS.items()
            if name in self.names
        }
        if "positions" in self.names:
            found["positions"] = ops.convert_to_tensor(ops.shape(activation)[1], "float32")
        return found, {kind: given[kind] for kind in self.together}


def layer_reductions(
    layer: KernelLayer,
    seen: Sequence[Observation],
    graph: KernelGraph,
    image: Any,
    names: Sequence[str],
    every: int,
) -> tuple[dict[str, Any], LayerReductions]:
    """The tensors of a layer that are reduced, and those of the named reductions that there are tensors for.

    Args:
        layer: The layer.
        seen: Its calls.
        graph: Where it stands in the model.
        image: The image that enters the model, if it reaches this layer first; or None.
        names: The reductions.
        every: One of so many samples represents all where some do.
    """
    activations = tuple(channels_last(layer, each.tensor) for each in seen)
    tensors: dict[str, Any] = {"activation": activations}
    kinds = {"activation", "maxima", "peak", "some"}
    bounds = None
    if layer.path in graph.answers:
        tensors["output"] = channels_last(layer, graph.answers[layer.path])
        kinds |= {"output", "some output"}
    elif bounds := SATURATION.get(seen[0].activation):
        kinds.add("bounded")
    if layer.path in graph.first:
        tensors["input"] = channels_last(layer, graph.calls[layer.path].inputs[0])
        kinds |= {"input", "some input"} | ({"picture"} if _is_map(tensors["input"]) else set())
    call = graph.normalization.get(layer.path)
    if call is not None and compares(call.layer) and call.in_this_graph:
        tensors["normalized"] = call.inputs[0]
        kinds.add("normalized")
    if _is_map(activations[0], layer.units):
        kinds.add("map")
    if image is not None:
        tensors["image"] = channels_last(layer, image)
        kinds.add("image")
    mine = [name for name in names if REDUCTIONS[name].of in kinds]
    alone = tuple(name for name in mine if not REDUCTIONS[name].at_once)
    together = frozenset(REDUCTIONS[name].of for name in mine if REDUCTIONS[name].at_once)
    wanted = {_SOURCES.get(REDUCTIONS[name].of, REDUCTIONS[name].of) for name in mine}
    if number_of_positions(activations[0], layer.units) is None:
        alone = (*alone, "positions")
    kept = {name: tensor for name, tensor in tensors.items() if name in wanted or name == "activation"}
    return kept, LayerReductions(alone, together, layer.units, every, bounds)


def _input_by_position(tensor: Any) -> Any:
    """The input of a layer as ``(samples, positions, channels)``; a flat input has one channel."""
    ops = keras.ops
    tensor = ops.cast(tensor, "float32")
    if len(tensor.shape) < 3:
        return ops.reshape(tensor, (ops.shape(tensor)[0], -1, 1))
    return flat_positions(tensor, tensor.shape[-1])


def _output_by_position(tensor: Any) -> Any:
    """An output of the model as ``(samples, positions, units)``; it may be pooled after the layer."""
    if len(tensor.shape) < 2:
        return keras.ops.reshape(tensor, (-1, 1, 1))
    return flat_positions(tensor, tensor.shape[-1])


def _is_map(tensor: Any, channels: int | None = None) -> bool:
    """Whether a tensor is ``(samples, height, width, channels)`` with axes of known length and more than one pixel."""
    if len(tensor.shape) != 4 or None in tensor.shape[1:] or tensor.shape[1] * tensor.shape[2] < 2:
        return False
    return channels is None or tensor.shape[-1] == channels
