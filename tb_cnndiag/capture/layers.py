"""Finds the layers of a model that own a kernel, describes them, and reads kernels as ``(units, fan_in)``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.numerics.activations import CLASS_NAMES
from tb_cnndiag.payloads import FloatArray, LayerInfo

_NORMALIZATIONS = (
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
)

# Class names, lower case and without dimensions, of layers and operations that are linear in evaluation.
_LINEAR = frozenset(
    "batchnormalization identity flatten reshape permute transpose zeropadding cropping averagepooling "
    "globalaveragepooling upsampling add subtract average concatenate rescaling dropout spatialdropout gaussiannoise "
    "gaussiandropout activityregularization inputlayer squeeze expanddims mean sum".split()
)


@dataclass(frozen=True)
class KernelLayer:
    """A Keras layer that owns a kernel.

    ``unit_axes`` and the remaining axes of the kernel become rows and columns of ``(units, fan_in)``.
    """

    layer: Any
    path: str
    role: str
    variable: Any = field(repr=False)
    unit_axes: tuple[int, ...]
    _rows: dict[tuple[bool, bool], LayerInfo] = field(default_factory=dict, repr=False, compare=False)

    @property
    def units(self) -> int:
        """Rows of the kernel."""
        return int(np.prod([self.variable.shape[axis] for axis in self.unit_axes]))

    def kernel(self) -> FloatArray:
        """The kernel now, ``(units, fan_in)`` float32."""
        return self.as_rows(to_host(self.variable))

    def as_rows(self, value: Any) -> FloatArray:
        """A value of the kernel's variable as ``(units, fan_in)`` float32."""
        rest = [axis for axis in range(value.ndim) if axis not in self.unit_axes]
        rows = value.transpose(*self.unit_axes, *rest).reshape(self.units, -1)
        return np.asarray(rows, np.float32)

    def info(self) -> LayerInfo:
        """What is known without calling the model; recomputed only after the layer is frozen or unfrozen."""
        state = bool(self.layer.trainable), bool(self.variable.trainable)
        if state not in self._rows:
            self._rows[state] = self._info(trainable=all(state))
        return self._rows[state]

    def _info(self, *, trainable: bool) -> LayerInfo:
        layer = self.layer
        return LayerInfo(
            path=self.path,
            class_name=type(layer).__name__,
            role=self.role,
            units=self.units,
            fan_in=int(np.prod(self.variable.shape)) // max(self.units, 1),
            kernel_shape=tuple(int(n) for n in self.variable.shape),
            trainable=trainable,
            activation=activation_name(layer),
            parameters=int(layer.count_params()),
            config=json_of(layer.get_config),
            unit_axis=1 if getattr(layer, "data_format", "") == "channels_first" else -1,
            initializer=initializer_name(
                getattr(layer, "kernel_initializer", None) or getattr(layer, "depthwise_initializer", None)
            ),
        )


def find_kernel_layers(model: Any, prefix: str = "") -> list[KernelLayer]:
    """All layers of a built model that own a kernel, outer layers before the layers inside them.

    A wrapper that exposes the kernel of its inner layer, such as spectral normalization, is not counted as a second
    layer.
    """
    found: list[KernelLayer] = []
    for path, layer in walk(model, prefix):
        kernel = _kernel_of(layer)
        if kernel is None:
            continue
        if found and isinstance(found[-1].layer, keras.layers.Wrapper) and found[-1].variable is kernel[1]:
            found.pop()
        found.append(KernelLayer(layer, path, *kernel))
    return found


def walk(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(path, layer) of each layer below ``model``, once each.

    A path is ``prefix`` followed by layer names joined by ``/``, without the name of ``model``. Repeated paths get
    ``#2``, ``#3`` …
    """
    seen = {id(model)}
    used: dict[str, int] = {}

    def below(parent: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for layer in getattr(parent, "_layers", ()):
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            path = f"{prefix}{layer.name}"
            used[path] = used.get(path, 0) + 1
            if used[path] > 1:
                path = f"{path}#{used[path]}"
            yield path, layer
            yield from below(layer, f"{path}/")

    yield from below(model, prefix)


def other_matrices(model: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(path, reason) of each trainable matrix of a model that is not the kernel of a kernel layer; biases do not count.

    The matrices of a recurrent layer are left out: the layer as a whole is not observed.
    """
    kernels = {id(layer.variable) for layer in find_kernel_layers(model)}
    recurrent: list[str] = []
    for path, layer in (*walk(model, prefix), (prefix.rstrip("/"), model)):
        if isinstance(layer, keras.layers.RNN):
            recurrent.append(f"{path}/")
        if isinstance(layer, keras.layers.RNN) or path.startswith(tuple(recurrent)):
            continue
        inner = {id(variable) for below in getattr(layer, "_layers", ()) for variable in below.trainable_variables}
        for variable in layer.trainable_variables:
            is_matrix = sum(length > 1 for length in variable.shape) > 1
            if id(variable) in inner | kernels or not is_matrix or "bias" in variable.name:
                continue
            yield "/".join(filter(None, (path, variable.name))), _reason_not_inspected(layer, variable)


def _reason_not_inspected(layer: Any, variable: Any) -> str:
    if isinstance(layer, keras.layers.Embedding):
        return "an embedding is a lookup table, not a kernel"
    if variable.name == "depthwise_kernel":
        return "its outputs go into the pointwise kernel, which is inspected, without an activation of their own"
    return f"it is not known how {type(layer).__name__} uses it"


def _kernel_of(layer: Any) -> tuple[str, Any, tuple[int, ...]] | None:
    """(role, kernel variable, unit axes); None if the layer itself has no kernel."""
    if isinstance(layer, keras.layers.RNN) or type(layer).__name__.endswith("Cell"):
        return None
    variable = getattr(layer, "pointwise_kernel", None)
    if variable is None:
        variable = getattr(layer, "_kernel", None)
    if variable is None:
        variable = getattr(layer, "kernel", None)
    shape = getattr(variable, "shape", None)
    if not is_variable(variable) or shape is None or len(shape) < 2 or 0 in shape:
        return None
    last = len(shape) - 1
    names = [base.__name__ for base in type(layer).__mro__]
    if "BaseDepthwiseConv" in names:
        return "depthwise_conv", variable, (last - 1, last)
    if "BaseConvTranspose" in names:
        return "transposed_conv", variable, (last - 1,)
    if "BaseConv" in names or "BaseSeparableConv" in names:
        return "conv", variable, (last,)
    if "EinsumDense" in names:
        return "dense", variable, _einsum_unit_axes(layer.equation) or (last,)
    return ("dense" if "Dense" in names else "other"), variable, (last,)


def _einsum_unit_axes(equation: str) -> tuple[int, ...]:
    """Kernel axes that reach the output, e.g. (1, 2) for ``abc,cde->abde``."""
    left, _, output = equation.replace(" ", "").replace("...", "").partition("->")
    kernel = left.partition(",")[2]
    return tuple(axis for axis, label in enumerate(kernel) if label in output)


def is_activation(operation: Any) -> bool:
    """Whether a layer or operation only applies an activation function."""
    name = type(operation).__name__.lower()
    return name == "activation" or name in CLASS_NAMES


def dropout_rate(operation: Any) -> float:
    """Rate of a dropout layer, 0 to 1; 0 for anything else."""
    dropout = any(
        base.__name__ == "BaseSpatialDropout" or base.__name__ == "Dropout" for base in type(operation).__mro__
    )
    return float(operation.rate) if dropout else 0.0


def is_normalization(operation: Any) -> bool:
    """Whether a layer normalizes its input."""
    return type(operation).__name__ in _NORMALIZATIONS


def is_linear(operation: Any) -> bool:
    """Whether an operation is known to be linear in its input during evaluation."""
    if is_activation(operation):
        return activation_name(operation) == "linear"
    return re.sub(r"[123]d$", "", type(operation).__name__.lower()) in _LINEAR


def activation_name(layer: Any) -> str:
    """Name of a layer's activation as Keras spells it, e.g. ``"relu"``; ``"linear"`` if it has no activation."""
    kind = type(layer).__name__.lower()
    if kind in CLASS_NAMES:
        activation = layer
    else:
        activation = getattr(layer, "activation", None)
        if activation is None:
            return "linear"
    name = getattr(activation, "__name__", type(activation).__name__).lower()
    name = CLASS_NAMES.get(name.replace("_", ""), name)
    if getattr(activation, "negative_slope", 0) == 1:
        return "linear"
    if name == "relu":
        if getattr(activation, "negative_slope", 0):
            return "leaky_relu"
        if getattr(activation, "max_value", None) == 6:
            return "relu6"
    return name


def is_variable(value: Any) -> bool:
    """Whether a value is a Keras variable; before Keras 3.4, ``keras.Variable`` is not their base class."""
    return hasattr(value, "assign") and any("Variable" in base.__name__ for base in type(value).__mro__)


def owns_kernel(layer: Any) -> bool:
    """Whether the layer itself has a kernel."""
    return _kernel_of(layer) is not None


def initializer_name(initializer: Any) -> str:
    """Name of an initializer as Keras spells it, e.g. ``"he_normal"``."""
    name = type(initializer).__name__ if initializer is not None else ""
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def json_of(config: Callable[[], Any]) -> str:
    """A Keras config as JSON; empty if the object cannot be serialized."""
    try:
        return json.dumps(config(), default=str, sort_keys=True)
    except Exception:  # get_config of a user's layer may raise anything
        return ""


def table_id(layers: Sequence[LayerInfo]) -> str:
    """Digest of a layer table: equal tables have equal ids, also across processes."""
    return hashlib.blake2b(repr(tuple(layers)).encode(), digest_size=6).hexdigest()
