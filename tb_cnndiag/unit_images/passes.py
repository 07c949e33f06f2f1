"""Passes through a model that end at a layer or at the scores of classes, and their gradients by the image."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.layers import KernelLayer, find_kernel_layers
from tb_cnndiag.capture.positions import by_position
from tb_cnndiag.capture.recorder import Recording, recording
from tb_cnndiag.payloads import FloatArray, IntArray
from tb_cnndiag.unit_images import rules
from tb_cnndiag.unit_images.differentiate import Differentiated, differentiated

# Most bytes of the pictures of one pass: activations take many times as much.
BATCH_BYTES = 4 << 20

Backward = Literal["plain", "deconvnet", "redirected"]
_RULES: dict[Backward, Callable[[rules.Call], rules.Call] | None] = {
    "plain": None,
    "deconvnet": rules.deconvnet,
    "redirected": rules.redirected,
}
# Random kernels that take the place of trained ones, by kernel variable.
Replaced = Sequence[tuple[Any, FloatArray]]


class NoPictureError(ValueError):
    """The model has no input with two spatial axes; the message says what it has."""


@dataclass(frozen=True)
class Inputs:
    """The samples of a probe, of which one input is the picture that gradients are taken of.

    Attributes:
        structure: The inputs as the model takes them.
        flat: Their arrays.
        at: Index of the picture in ``flat``.
    """

    structure: Any
    flat: list[FloatArray]
    at: int

    @classmethod
    def of(cls, x: Any) -> Inputs:
        """The first input with two spatial axes is the picture.

        Raises:
            NoPictureError: If there is none.
        """
        flat = [np.asarray(array) for array in keras.tree.flatten(x)]
        found = [i for i, array in enumerate(flat) if array.ndim == 4 and array.dtype.kind in "fiub"]
        if not found:
            shapes = ", ".join(str(array.shape[1:]) for array in flat)
            raise NoPictureError(f"No input of the model is a picture (height, width, channels): it takes {shapes}.")
        return cls(x, flat, found[0])

    @functools.cached_property
    def pictures(self) -> FloatArray:
        """``(samples, height, width, channels)`` float32."""
        return np.asarray(self.flat[self.at], np.float32)

    @functools.cached_property
    def gray(self) -> FloatArray:
        """Mean of each channel over the probe, ``(channels,)``."""
        return np.asarray(self.pictures.mean(axis=(0, 1, 2), dtype=np.float64), np.float32)

    def batch(self, most: int) -> int:
        """Samples of one pass that keeps what every layer returns: at most so many, and few of large pictures."""
        return max(1, min(most, BATCH_BYTES // max(int(self.pictures[0].nbytes), 1)))

    def others(self, samples: IntArray) -> list[FloatArray]:
        """The other inputs of these samples."""
        return [array[samples] for i, array in enumerate(self.flat) if i != self.at]

    def packed(self, picture: Any, others: Sequence[Any]) -> Any:
        """All inputs of the model, from tensors."""
        flat = list(others)
        flat.insert(self.at, picture)
        return keras.tree.pack_sequence_as(self.structure, flat)


class Passes:
    """Differentiable passes through one model."""

    def __init__(self, model: Any, inputs: Inputs, prefix: str = "", replaced: Replaced = ()) -> None:
        self.model, self.inputs, self.prefix = model, inputs, prefix
        self.layers = find_kernel_layers(model, prefix)
        self._map_gradients: dict[str, Differentiated] = {}
        self._replaced = [(variable, keras.ops.convert_to_tensor(value)) for variable, value in replaced]
        self.record = self.recorded(np.zeros(1, np.int64))
        """A pass with the first sample."""

    @property
    def heads(self) -> list[Any]:
        """Layers and operations whose output is an output of the model."""
        made = {id(tensor) for tensor in self.record.outputs}
        return [call.layer for call in self.record.calls if any(id(tensor) in made for tensor in call.outputs)]

    def map_shape(self, layer: KernelLayer) -> tuple[int, ...]:
        """Shape of a layer's output, where its activation is observed, without the axis of samples."""
        observed = self.record.observe(layer, self.record.of(layer.layer)[0])
        return tuple(int(n) for n in observed.tensor.shape[1:])

    def recorded(self, samples: IntArray) -> Recording:
        """A pass with these samples of the probe."""
        given = [self.inputs.pictures[samples], *self.inputs.others(samples)]
        picture, *others = map(keras.ops.convert_to_tensor, given)
        with self._recorded("plain", ()) as record:
            self._call(picture, others, record)
        return record

    def outputs(self, samples: IntArray) -> FloatArray:
        """First output of the model for these samples, ``(samples, …)``."""
        return np.asarray(to_host(self.recorded(samples).outputs[0]))

    def unit_gradient(self, layer: KernelLayer, backward: Backward = "plain") -> Differentiated:
        """Gradient of the sum, over samples, of one unit each at one position each.

        It takes pictures, their other inputs, and units and positions ``(samples,)``; a position of −1 stands for the
        largest. Besides the gradient it returns the values ``(samples,)``.
        """
        ops = keras.ops

        def total(picture: Any, others: Sequence[Any], units: Any, positions: Any) -> tuple[Any, Any]:
            own = self.response(layer, picture, others, units, backward)
            positions = ops.cast(positions, "int32")
            at = ops.take_along_axis(own, ops.maximum(positions, 0)[:, None], axis=1)[:, 0]
            values = ops.where(positions < 0, ops.max(own, axis=1), at)
            return ops.sum(values), values

        return differentiated(total)

    def unit_gradients(self, layers: Sequence[KernelLayer]) -> Differentiated:
        """:meth:`unit_gradient` for units of several layers in one function, before a softmax at the output.

        Behind the other inputs it takes the index of the layer of each sample ``(samples,)``.
        """
        ops = keras.ops

        def total(picture: Any, others: Sequence[Any], rows: Any, units: Any, positions: Any) -> tuple[Any, Any]:
            with self._recorded("plain", self.heads) as record:
                self._call(picture, others, record)
            rows, units, positions = (ops.cast(each, "int32") for each in (rows, units, positions))
            values = ops.zeros(ops.shape(rows), "float32")
            for row, layer in enumerate(layers):
                own = ops.equal(rows, row)
                tensor = by_position(layer, record.observe(layer, record.of(layer.layer)[0]).tensor)
                channel, place = (ops.where(own, each, 0)[:, None] for each in (units, positions))
                chosen = ops.take_along_axis(ops.cast(tensor, "float32"), channel[:, None], axis=2)[:, :, 0]
                chosen = ops.take_along_axis(chosen, place, axis=1)[:, 0]
                values = values + ops.where(own, chosen, 0.0)
            return ops.sum(values), values

        return differentiated(total, few=True)

    def response(
        self,
        layer: KernelLayer,
        picture: Any,
        others: Sequence[Any],
        units: Any,
        backward: Backward = "plain",
        *,
        raw: bool = False,
    ) -> Any:
        """Responses of one unit per sample at all positions ``(samples, positions)``; ``raw``: before a softmax."""
        ops = keras.ops
        with self._recorded(backward, self.heads if raw else ()) as record:
            self._call(picture, others, record)
        observed = record.observe(layer, record.of(layer.layer)[0])
        activation = ops.cast(by_position(layer, observed.tensor), "float32")
        return ops.take_along_axis(activation, ops.cast(units, "int32")[:, None, None], axis=2)[:, :, 0]

    def largest_responses(
        self, layer: KernelLayer, pictures: FloatArray, others: Sequence[Any], units: IntArray
    ) -> FloatArray:
        """Largest response of one unit per picture, ``(pictures,)``; compiles nothing."""
        given = (pictures, list(others), units)
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, given)
        return np.asarray(np.max(to_host(self.response(layer, *tensors)), axis=1), np.float64)

    @functools.cached_property
    def score_gradient(self) -> Differentiated:
        """Gradient of one score per sample; it takes pictures, their other inputs and classes ``(samples,)``."""

        def total(picture: Any, others: Sequence[Any], classes: Any) -> tuple[Any, Any]:
            with self._recorded("plain", self.heads) as record:
                self._call(picture, others, record)
            scores = scores_of(record.outputs[0], classes)
            return keras.ops.sum(scores), scores

        return differentiated(total)

    def map_gradient(self, layer: KernelLayer) -> Differentiated:
        """Gradient of the scores of classes by the output of a layer; it takes a zero map, then what scores take.

        Besides the gradient it returns the output of the layer. It is compiled once.
        """
        if layer.path not in self._map_gradients:
            self._map_gradients[layer.path] = self._map_gradient(layer)
        return self._map_gradients[layer.path]

    def _map_gradient(self, layer: KernelLayer) -> Differentiated:
        first = self.record.of(layer.layer)[0]
        seen = self.record.observe(layer, first)
        behind = next(call for call in self.record.calls if any(made is seen.tensor for made in call.outputs))

        def total(zeros: Any, picture: Any, others: Sequence[Any], classes: Any) -> tuple[Any, Any]:
            with rules.added(behind.layer, zeros), self._recorded("plain", self.heads) as record:
                self._call(picture, others, record)
            scores = scores_of(record.outputs[0], classes)
            return keras.ops.sum(scores), record.of(behind.layer)[0].outputs[0]

        return differentiated(total)

    @contextmanager
    def _recorded(self, backward: Backward, heads: Sequence[Any]) -> Iterator[Recording]:
        rule = _RULES[backward]
        with ExitStack() as stack:
            if rule is not None:
                stack.enter_context(rules.rectifiers(self.model, rule))
            stack.enter_context(rules.raw_scores(heads))
            stack.enter_context(keras.StatelessScope(state_mapping=self._replaced))
            yield stack.enter_context(recording(self.model, self.prefix))

    def _call(self, picture: Any, others: Sequence[Any], record: Recording) -> None:
        outputs = self.model(self.inputs.packed(picture, others), training=False)
        record.outputs = [tensor for tensor in keras.tree.flatten(outputs) if keras.ops.is_tensor(tensor)]


def scores_of(output: Any, classes: Any) -> Any:
    """Score of one class per sample ``(samples,)``, summed over the positions of a segmentation map.

    An output of one unit has the score of class 1; that of class 0 is its negative.
    """
    ops = keras.ops
    channels = output.shape[-1] if len(output.shape) > 1 else 1
    flat = ops.sum(ops.reshape(ops.cast(output, "float32"), (ops.shape(output)[0], -1, channels)), axis=1)
    classes = ops.cast(classes, "int32")
    if channels == 1:
        return flat[:, 0] * (2 * ops.cast(classes, "float32") - 1)
    return ops.take_along_axis(flat, classes[:, None], axis=1)[:, 0]
