"""Receptive fields: the part of the image that a unit can see, exact, by interval propagation through one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from tb_cnndiag.capture.backends import backend
from tb_cnndiag.capture.field_rules import (
    Given,
    Seen,
    Shape,
    concatenated,
    elementwise,
    is_reshaping,
    reduced,
    reshaping,
    rule_of,
)
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.recorder import Call, Recording, tensor_key
from tb_cnndiag.numerics import pixel_intervals as intervals
from tb_cnndiag.payloads import FieldAxis, ReceptiveField

# Operations of TensorFlow's graph, outside of layers, whose result at a position depends on that position alone.
_ELEMENTWISE = frozenset(
    "Add AddV2 AddN Sub Mul RealDiv Div DivNoNan Maximum Minimum Pow SquaredDifference Relu Relu6 Elu Selu "
    "LeakyRelu Tanh Sigmoid Softplus Softsign Neg Abs Square Sqrt Rsqrt Exp Log Log1p Expm1 Erf Cast Identity "
    "StopGradient BiasAdd ClipByValue SelectV2 Select Greater GreaterEqual Less LessEqual ZerosLike OnesLike Sign "
    "Floor Round".split()
)
_REDUCTIONS = frozenset("Mean Max Min Sum Prod".split())


class FieldGraph:
    """What each tensor of a recorded call sees of each image that enters the model.

    An image is an input of the model, or the first tensor with spatial axes that a reshape makes of a flat input. What
    an unknown operation sees is taken to be all of its images.
    """

    def __init__(self, record: Recording, kernels: Iterable[str]) -> None:
        """``kernels``: paths of the kernel layers."""
        self.images: list[Any] = []
        self.first: dict[int, str] = {}
        """Path of the kernel layer that receives an image first, by its number in ``images``."""
        self._seen: dict[Any, dict[int, Seen]] = {}
        self._raw: set[Any] = set()
        self._inputs = {tuple(tensor.shape[1:]) for tensor in record.inputs}
        paths = set(kernels)
        for call in record.calls:
            given = [self.of(tensor) for tensor in call.inputs]
            for tensor in call.outputs:
                self._seen.setdefault(tensor_key(tensor), self._through(call, given, tensor))
            if call.path in paths:
                for seen in given:
                    for image in seen:
                        self.first.setdefault(image, call.path)

    def of(self, tensor: Any) -> dict[int, Seen]:
        """What a tensor sees, by the number of the image."""
        key = tensor_key(tensor)
        if key not in self._seen:
            self._seen[key] = {}  # ends the recursion if the graph has a loop
            self._seen[key] = self._traced(tensor)
        return self._seen[key]

    def _through(self, call: Call, given: Sequence[dict[int, Seen]], output: Any) -> dict[int, Seen]:
        shape = _shape(output)
        if is_reshaping(call.layer) and len(shape) > 3 > len(call.inputs[0].shape) and self._is_raw(call.inputs[0]):
            return self._new_image(output)
        rule = rule_of(call.layer)
        if rule is None or 0 in shape[1:]:
            return self._traced(output)
        images = set[int]().union(*given)
        shapes = [_shape(x) for x in call.inputs]
        try:
            return {
                image: rule(call.layer, [(seen.get(image), x) for seen, x in zip(given, shapes, strict=True)], shape)
                for image in images
            }
        except Exception:  # a layer of a user may have the name of a known one and other attributes
            return self._all_of(images)

    def _traced(self, tensor: Any) -> dict[int, Seen]:
        """What a tensor sees that no recorded call has made, from TensorFlow's graph."""
        origin = getattr(tensor, "op", None) if isinstance(tensor_key(tensor), str) else None
        if origin is None:
            fits = tuple(tensor.shape[1:]) in self._inputs
            return self._new_image(tensor) if fits else self._all_of(range(len(self.images)))
        if origin.type == "Placeholder":
            captured = any(inner is tensor for _, inner in getattr(tensor.graph, "captures", ()))
            return {} if captured or tensor.dtype.name == "resource" else self._new_image(tensor)
        inputs = [x for x in origin.inputs if x.dtype.name != "resource"]
        seen = [self.of(x) for x in inputs]
        images = set[int]().union(*seen)
        if not images:
            return {}
        if origin.type in ("Cast", "Identity") and self._is_raw(inputs[0]):
            self._raw.add(tensor_key(tensor))
        found = {}
        for image in images:
            given = [(each.get(image), _shape(x)) for each, x in zip(seen, inputs, strict=True)]
            known = _by_operation(origin, given, _shape(tensor))
            if known is None:
                return self._all_of(images)
            found[image] = known
        return found

    def _new_image(self, tensor: Any) -> dict[int, Seen]:
        shape = _shape(tensor)
        self.images.append(tensor)
        self._raw.add(tensor_key(tensor))
        axes = {axis: intervals.identity(axis, length) for axis, length in enumerate(shape) if axis}
        return {len(self.images) - 1: Seen(axes, {})}

    def _is_raw(self, tensor: Any) -> bool:
        self.of(tensor)
        return tensor_key(tensor) in self._raw

    def _all_of(self, images: Iterable[int]) -> dict[int, Seen]:
        """The whole of each of these images."""
        return {
            image: Seen({}, {axis: (0, n - 1) for axis, n in enumerate(_shape(self.images[image])) if axis})
            for image in images
        }

    def field(self, layer: KernelLayer, tensor: Any) -> ReceptiveField | None:
        """The receptive field of a layer that is observed as ``tensor``; None if no image reaches it.

        If several images do, it is that of the one with the most spatial axes, the first of them.
        """
        seen = self.of(tensor)
        reached = [image for image in seen if len(self.images[image].shape) > 2 and image in self.first]
        if not reached:
            return None
        image = min(reached, key=lambda each: (-len(self.images[each].shape), each))
        extents = _shape(self.images[image])
        first_channels = self._channels_first(layer)
        spatial = range(2, len(extents)) if first_channels else range(1, len(extents) - 1)
        own = range(2, len(tensor.shape)) if first_channels else range(1, len(tensor.shape) - 1)
        whole_seen = seen[image]
        axes = []
        for at, image_axis in enumerate(spatial):
            along = whole_seen.axes.get(own[at]) if at < len(own) else None
            if along is not None and along.of == image_axis:
                axes.append(_field_axis(along, extents[image_axis]))
                continue
            hull = whole_seen.without(*whole_seen.axes).hulls[image_axis]
            axes.append(FieldAxis(extents[image_axis], float(hull[1] - hull[0] + 1), 0.0, float(-hull[0])))
        whole = all(axis.stride == 0 and not axis.low and axis.size == axis.extent for axis in axes)
        return ReceptiveField(self.first[image], tuple(axes), whole)

    def _channels_first(self, layer: KernelLayer) -> bool:
        return getattr(layer.layer, "data_format", "") == "channels_first"


def _by_operation(origin: Any, given: Given, shape: Shape) -> Seen | None:
    """What an operation of TensorFlow's graph sees; None if it is not known."""
    if origin.type in _ELEMENTWISE:
        return elementwise(None, given, shape)
    if origin.type == "Reshape" and 0 not in shape[1:]:
        return reshaping(None, given[:1], shape)
    if origin.type == "ConcatV2":
        axis = backend().constant_value(origin.inputs[-1])
        return None if axis is None else concatenated(int(axis), given[:-1], shape)
    if origin.type in _REDUCTIONS:
        axis = backend().constant_value(origin.inputs[1])
        return None if axis is None else reduced(axis.reshape(-1).tolist(), given[:1], shape)
    return None


def _field_axis(along: intervals.Intervals, extent: int) -> FieldAxis:
    low, high = along.low, along.high
    affine = along.affine
    if affine is not None:
        axis = FieldAxis(extent, float(affine.size), float(affine.stride), float(-affine.start))
        boxes = [axis.box(position) for position in range(len(along))]
        if [low.tolist(), high.tolist()] == [list(ends) for ends in zip(*boxes, strict=True)]:
            return axis
    else:
        seen = high >= low
        size = int((high - low)[seen].max(initial=0)) + 1
        if seen.all() and (low == low[0]).all() and (high == high[0]).all():
            return FieldAxis(extent, float(size), 0.0, float(-low[0]))
        axis = FieldAxis(extent, float(size), float(along.stride), float(-low[seen][0]) if seen.any() else 0.0)
    empty = high < low
    low, high = low.copy(), high.copy()
    low[empty], high[empty] = 1, 0
    return FieldAxis(axis.extent, axis.size, axis.stride, axis.padding, tuple(low.tolist()), tuple(high.tolist()))


def _shape(tensor: Any) -> Shape:
    """Lengths of all axes; 0 for one of unknown length, and for the batch."""
    return (0, *(int(n or 0) for n in tensor.shape[1:]))


def is_picture(tensor: Any) -> bool:
    """Whether a tensor can be shown: samples with two spatial axes of known lengths, and numbers in them."""
    numeric = keras.backend.standardize_dtype(tensor.dtype) != "string"
    return numeric and len(tensor.shape) == 4 and None not in tensor.shape[1:] and min(tensor.shape[1:3]) > 1
