"""What is certain about each unit without data: between which values it lies, and with which weights it is read.

The calls of one recorded pass are followed from the input on. Each tensor has an interval per channel, and for each
channel the unit that it comes from. What is not known is unbounded, and read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.layers import KernelLayer, activation_name, is_activation
from tb_cnndiag.capture.recorder import Call, Recording, tensor_key
from tb_cnndiag.numerics.intervals import Interval, activated, added, affine, multiplied, scaled
from tb_cnndiag.numerics.weights import vanished
from tb_cnndiag.payloads import FloatArray, IntArray

# Layers, lower case and without dimensions, whose outputs lie between the values of the same channel of their input.
_WITHIN = frozenset(
    "dropout spatialdropout gaussiannoise gaussiandropout identity activityregularization cropping upsampling "
    "averagepooling maxpooling globalaveragepooling globalmaxpooling flatten reshape".split()
)
_PASSED_ON = ("Cast", "Identity")
# Pixels that a Rescaling by less than this is made for.
PIXELS, PIXEL_SCALE = (0.0, 255.0), 0.05
# Of tensors with more values per sample than this, channels are joined: it bounds the memory.
MOST_VALUES = 1 << 22


@dataclass(frozen=True)
class Facts:
    """What is certain about the units of one layer, ``(units,)`` each.

    Attributes:
        lowest, highest: Between which values the output lies, behind its normalization and activation.
        read: Largest magnitude of the weights with which later kernels read the unit; infinite if it is read otherwise.
        read_parameters: Number of these weights.
    """

    lowest: FloatArray
    highest: FloatArray
    read: FloatArray
    read_parameters: FloatArray


@dataclass
class _Value:
    """A tensor: an interval per channel, and per channel the unit that it comes from (−1: not a single one)."""

    interval: Interval
    units: IntArray

    @property
    def channels(self) -> int:
        return len(self.units)


@dataclass
class _Pass:
    """Follows the calls of a recording."""

    offsets: Mapping[int, int]  # id(layer) → number of its first unit
    kernels: Mapping[int, KernelLayer]
    values: dict[Any, _Value] = field(default_factory=dict)
    read: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    parameters: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    called: set[int] = field(default_factory=set)

    def value(self, tensor: Any) -> _Value:
        """What is known of a tensor."""
        key = tensor_key(tensor)
        if key not in self.values:
            origin = getattr(tensor, "op", None) if isinstance(key, str) else None
            if origin is not None and origin.type in _PASSED_ON:
                self.values[key] = self.value(origin.inputs[0])
            else:
                self._read_before(origin, set())
                self.values[key] = _unknown(_channels(tensor))
        return self.values[key]

    def _read_before(self, origin: Any, seen: set[str]) -> None:
        """An operation outside of layers reads all units that reach it."""
        for tensor in getattr(origin, "inputs", ()):
            key = tensor_key(tensor)
            if key in self.values:
                self.reads(self.values[key])
            elif key not in seen:
                seen.add(key)
                self._read_before(getattr(tensor, "op", None), seen)

    def reads(self, value: _Value) -> None:
        """Something else than a kernel reads the units of a value."""
        self.read[value.units[value.units >= 0]] = np.inf

    def follow(self, call: Call) -> None:
        """Set the outputs of one call."""
        inputs = [self.value(tensor) for tensor in call.inputs]
        found = self._output(call, inputs) if inputs and len(call.outputs) == 1 else None
        if found is None:
            for value in inputs:
                self.reads(value)
        for tensor in call.outputs:
            channels = _channels(tensor)
            known = found is not None and found.channels == channels
            if found is not None and not known:
                self.reads(found)
            self.values[tensor_key(tensor)] = found if known and found is not None else _unknown(channels)

    def _output(self, call: Call, inputs: Sequence[_Value]) -> _Value | None:
        layer, kind = call.layer, _kind(call.layer)
        if id(layer) in self.kernels:
            return self._kernel_output(self.kernels[id(layer)], inputs)
        if getattr(layer, "data_format", "") == "channels_first":
            return None
        first = inputs[0]
        if kind in _JOINS:
            return _JOINS[kind](self, layer, inputs)
        if len(inputs) > 1:
            return None
        if kind == "flatten":
            return _flattened(call, first)
        if kind == "reshape":
            same = _channels(call.outputs[0]) == first.channels == _channels(call.inputs[0])
            return first if same else None
        if kind in _WITHIN:
            return first
        if kind == "zeropadding":
            return _Value(first.interval.with_zero(), first.units)
        if kind == "rescaling":
            return _rescaled(layer, first)
        if kind == "batchnormalization":
            return _normalized(layer, call, first)
        if is_activation(layer):
            name = activation_name(layer)
            if name in ("softmax", "log_softmax", "glu"):  # mixes channels
                self.reads(first)
                return _Value(activated(first.interval, name), np.full(first.channels, -1))
            if name == "leaky_relu" or _plain(layer):
                return _Value(activated(first.interval, name), first.units)
        return None

    def _kernel_output(self, layer: KernelLayer, inputs: Sequence[_Value]) -> _Value:
        units = self.offsets[id(layer.layer)] + np.arange(layer.units)
        again = id(layer.layer) in self.called
        self.called.add(id(layer.layer))
        interval = self._reads_kernel(layer, inputs)
        interval = activated(interval, activation_name(layer.layer))
        if activation_name(layer.layer) in ("softmax", "log_softmax", "glu"):
            self.read[units] = np.inf
            units = np.full(layer.units, -1)
        if again:  # called several times: each call has values of its own
            interval = activated(Interval.unbounded(layer.units), activation_name(layer.layer))
        return _Value(interval, units)

    def _reads_kernel(self, layer: KernelLayer, inputs: Sequence[_Value]) -> Interval:
        """The output of a kernel before its activation; notes with which weights it reads its input."""
        if len(inputs) != 1 or layer.role not in ("conv", "dense", "depthwise_conv") or not _ordinary(layer):
            for value in inputs:
                self.reads(value)
            return Interval.unbounded(layer.units)
        (value,) = inputs
        kernel = layer.kernel()
        kernel = np.where(vanished(kernel)[:, None], np.float32(0), kernel)
        bias = getattr(layer.layer, "bias", None)
        added_bias = None if bias is None else np.asarray(to_host(bias), np.float64).reshape(-1)
        seen = value.interval.with_zero() if getattr(layer.layer, "padding", "valid") != "valid" else value.interval
        if layer.role == "depthwise_conv":
            self.reads(value)  # each channel goes into units of its own
            multiplier = layer.units // value.channels
            repeated = Interval(np.repeat(seen.low, multiplier), np.repeat(seen.high, multiplier))
            parts = [affine(Interval(repeated.low[[u]].repeat(kernel.shape[1]), repeated.high[[u]].repeat(
                kernel.shape[1])), kernel[[u]]) for u in range(layer.units)]  # fmt: skip
            summed = Interval(np.concatenate([p.low for p in parts]), np.concatenate([p.high for p in parts]))
            shift = np.zeros(layer.units) if added_bias is None else added_bias
            return Interval(summed.low + shift, summed.high + shift)
        positions = kernel.shape[1] // value.channels
        if positions * value.channels != kernel.shape[1]:
            self.reads(value)
            return Interval.unbounded(layer.units)
        self._note(value, kernel.reshape(layer.units, positions, value.channels))
        inputs_of_all = Interval(np.tile(seen.low, positions), np.tile(seen.high, positions))
        return affine(inputs_of_all, kernel, added_bias)

    def _note(self, value: _Value, kernel: FloatArray) -> None:
        """Note the weights ``(units, positions, channels)`` with which channels are read."""
        with np.errstate(invalid="ignore"):
            largest = np.abs(kernel).max(axis=(0, 1))
        largest = np.where(np.isnan(largest), np.inf, largest)
        known = value.units >= 0
        np.maximum.at(self.read, value.units[known], largest[known])
        np.add.at(self.parameters, value.units[known], kernel.shape[0] * kernel.shape[1])


def certain_facts(layers: Sequence[KernelLayer], record: Recording, observed: Mapping[str, Any]) -> dict[str, Facts]:
    """Path → what is certain about the units of each layer that the recorded pass has called.

    Args:
        layers: The kernel layers.
        record: One pass through the model.
        observed: Where the output of each layer is observed, by path.
    """
    ends = np.cumsum([0, *(layer.units for layer in layers)])
    offsets = {id(layer.layer): int(end) for layer, end in zip(layers, ends, strict=False)}
    state = _Pass(offsets, {id(layer.layer): layer for layer in layers})
    state.read, state.parameters = np.zeros(int(ends[-1])), np.zeros(int(ends[-1]))
    for call in record.calls:
        state.follow(call)
    for tensor in record.outputs:
        state.reads(state.value(tensor))
    found: dict[str, Facts] = {}
    for layer in layers:
        if layer.path not in observed or id(layer.layer) not in state.called:
            continue
        value = state.value(observed[layer.path].tensor)
        own = slice(offsets[id(layer.layer)], offsets[id(layer.layer)] + layer.units)
        interval = value.interval if value.channels == layer.units else Interval.unbounded(layer.units)
        found[layer.path] = Facts(interval.low, interval.high, state.read[own], state.parameters[own])
    return found


def _kind(layer: Any) -> str:
    return re.sub(r"[123]d$", "", type(layer).__name__.lower())


def _channels(tensor: Any) -> int:
    shape = tensor.shape
    return int(shape[-1] or 0) if len(shape) > 1 else 1


def _unknown(channels: int) -> _Value:
    return _Value(Interval.unbounded(channels), np.full(channels, -1))


def _ordinary(layer: KernelLayer) -> bool:
    """Whether a layer multiplies its whole input by its kernel."""
    name = type(layer.layer).__name__
    plain = name in ("Conv1D", "Conv2D", "Conv3D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D")
    first = getattr(layer.layer, "data_format", "channels_last") == "channels_first"
    quantized = getattr(layer.layer, "quantization_mode", None)
    return plain and not first and getattr(layer.layer, "groups", 1) == 1 and quantized is None


def _plain(layer: Any) -> bool:
    """Whether the name of an activation layer says all about it."""
    return not getattr(layer, "threshold", 0) and getattr(layer, "max_value", None) in (None, 6)


def _flattened(call: Call, value: _Value) -> _Value | None:
    channels, inner = _channels(call.outputs[0]), call.inputs[0].shape[1:]
    if None in inner or not value.channels or channels % value.channels or channels > MOST_VALUES:
        return None
    times = channels // value.channels
    low, high = np.tile(value.interval.low, times), np.tile(value.interval.high, times)
    return _Value(Interval(low, high), np.tile(value.units, times))


def _rescaled(layer: Any, value: _Value) -> _Value:
    """A rescaling of the input by about 1/255 says that the input lies between 0 and 255."""
    interval = value.interval
    scale, offset = np.asarray(layer.scale, np.float64), np.asarray(layer.offset, np.float64)
    if np.isinf(interval.low).all() and np.isinf(interval.high).all() and (np.abs(scale) < PIXEL_SCALE).all():
        interval = Interval.between(*PIXELS, value.channels)
    factor, shift = np.broadcast_to(scale, value.channels), np.broadcast_to(offset, value.channels)
    return _Value(scaled(interval, factor, shift), value.units)


def _normalized(layer: Any, call: Call, value: _Value) -> _Value | None:
    axis = getattr(layer, "axis", -1)
    if axis not in (-1, len(call.inputs[0].shape) - 1):
        return None

    def array(name: str, default: float) -> NDArray[np.float64]:
        variable = getattr(layer, name, None)
        if variable is None:
            return np.full(value.channels, default)
        return np.asarray(to_host(variable), np.float64)

    factor = array("gamma", 1.0) / np.sqrt(array("moving_variance", 1.0) + layer.epsilon)
    shift = array("beta", 0.0) - factor * array("moving_mean", 0.0)
    return _Value(scaled(value.interval, factor, shift), value.units)


def _concatenated(state: _Pass, layer: Any, inputs: Sequence[_Value]) -> _Value | None:
    if getattr(layer, "axis", -1) not in (-1, 3):
        return None
    low = np.concatenate([value.interval.low for value in inputs])
    high = np.concatenate([value.interval.high for value in inputs])
    return _Value(Interval(low, high), np.concatenate([value.units for value in inputs]))


def _joined(combine: Callable[..., Interval]) -> Callable[[_Pass, Any, Sequence[_Value]], _Value | None]:
    def join(state: _Pass, layer: Any, inputs: Sequence[_Value]) -> _Value | None:
        if len({value.channels for value in inputs}) != 1:
            return None
        for value in inputs:
            state.reads(value)
        return _Value(combine(*(value.interval for value in inputs)), np.full(inputs[0].channels, -1))

    return join


def _averaged(*terms: Interval) -> Interval:
    total = added(*terms)
    return Interval(total.low / len(terms), total.high / len(terms))


def _largest(*terms: Interval) -> Interval:
    low, high = [term.low for term in terms], [term.high for term in terms]
    return Interval(np.max(low, axis=0), np.max(high, axis=0))


def _smallest(*terms: Interval) -> Interval:
    low, high = [term.low for term in terms], [term.high for term in terms]
    return Interval(np.min(low, axis=0), np.min(high, axis=0))


def _product(*terms: Interval) -> Interval:
    found = terms[0]
    for term in terms[1:]:
        found = multiplied(found, term)
    return found


_JOINS: Mapping[str, Callable[[_Pass, Any, Sequence[_Value]], _Value | None]] = {
    "concatenate": _concatenated,
    "add": _joined(added),
    "average": _joined(_averaged),
    "maximum": _joined(_largest),
    "minimum": _joined(_smallest),
    "multiply": _joined(_product),
}
