"""A convolution or dense layer, the layers that treat its channels one by one, and the layer that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from tb_cnndiag.capture.layers import activation_name, is_activation

_KERNELS = ("Conv1D", "Conv2D", "Conv3D", "Dense")
_ACTIVATIONS = ("Activation", "ReLU", "LeakyReLU")
# Activation functions over all channels.
_MIXING = ("softmax", "log_softmax", "sparsemax", "glu")
# Layers that treat each channel separately, and map a channel of zeros to zeros unless they are activations.
_CHANNELWISE = (
    *_ACTIVATIONS,
    *"Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D Identity GaussianNoise Flatten".split(),
    *(
        f"{kind}{dimensions}D"
        for kind in "MaxPooling AveragePooling GlobalMaxPooling GlobalAveragePooling ZeroPadding UpSampling".split()
        for dimensions in (1, 2, 3)
    ),
)


class SurgeryError(ValueError):
    """Units of a layer cannot be removed; the message says why."""


@dataclass(frozen=True)
class Chain:
    """A layer, the layers that treat its channels one by one, and the kernel layer that reads them.

    Attributes:
        layer: Where the chain begins.
        between: In the order of the graph; a batch normalization comes first, and there is one activation at most.
        reader: Where the chain ends.
    """

    layer: Any
    between: tuple[Any, ...]
    reader: Any

    @property
    def norm(self) -> Any:
        """The batch normalization of the layer, or None."""
        return next((member for member in self.between if _kind(member) == "BatchNormalization"), None)

    @property
    def flattened(self) -> bool:
        """Whether the reader sees positions × channels as one axis."""
        return any(_kind(member) == "Flatten" for member in self.between)

    @property
    def activation(self) -> str:
        """Name of the activation between the layer and its reader; ``"linear"`` without one."""
        return next((name for name in map(_activation, (self.layer, *self.between)) if name != "linear"), "linear")


def chain_of(model: Any, layer: Any) -> Chain:
    """The chain that begins at a layer of a Sequential or Functional model.

    Raises:
        SurgeryError: If several layers read the output, if it is joined with others or returned by the model, if a
            layer in the chain does not treat each channel separately, or if a batch normalization comes after the
            activation or a pooling: it does not scale the layer's own output then.
    """
    if _kind(layer) not in _KERNELS:
        raise SurgeryError(f"{layer.name} is a {_kind(layer)}")
    if getattr(layer, "data_format", "channels_last") != "channels_last" or getattr(layer, "groups", 1) != 1:
        raise SurgeryError(f"{layer.name} has its channels first or in groups")
    between: list[Any] = []
    activations: list[Any] = []
    here = layer
    while True:
        if _activation(here) in _MIXING:
            raise SurgeryError(f"{here.name} ({_activation(here)}) does not treat each channel separately")
        if _activation(here) != "linear":
            activations.append(here)
        if len(activations) > 1:
            raise SurgeryError(f"{activations[0].name} and {activations[1].name} are two activations in a row")
        following = _only_reader(model, here)
        kind = _kind(following)
        if kind in _KERNELS and getattr(following, "groups", 1) == 1:
            return Chain(layer, tuple(between), following)
        if kind == "BatchNormalization":
            if between or activations:
                what = between[-1].name if between else f"the activation of {layer.name}"
                raise SurgeryError(f"{following.name} normalizes the output of {what}")
            if following.axis not in (-1, len(layer.output.shape) - 1):
                raise SurgeryError(f"{following.name} normalizes another axis than the channels")
        elif kind not in _CHANNELWISE:
            raise SurgeryError(f"{following.name} ({kind}) does not treat each channel separately")
        between.append(following)
        here = following


def activation_behind(model: Any, layer: Any) -> Any:
    """The activation layer that acts on the output of a layer, before any other kernel or join; None without one."""
    here = layer
    while True:
        try:
            here = _only_reader(model, here)
        except SurgeryError:
            return None
        if is_activation(here) and activation_name(here) != "linear":
            return here if isinstance(here, keras.layers.Layer) else None
        if _kind(here) != "BatchNormalization" and _kind(here) not in _CHANNELWISE:
            return None


def _only_reader(model: Any, layer: Any) -> Any:
    """The one layer that reads the output of another."""
    readers = _readers(model, layer)
    if len(readers) != 1:
        raise SurgeryError(f"{layer.name} is read by {len(readers)} layers")
    (reader,) = readers
    if len(keras.tree.flatten(reader.input)) != 1:
        raise SurgeryError(f"{reader.name} joins {layer.name} with others")
    if not isinstance(model, keras.Sequential):
        if len(reader._inbound_nodes) != 1:
            raise SurgeryError(f"{reader.name} is called {len(reader._inbound_nodes)} times")
        if any(output is layer.output for output in keras.tree.flatten(model.outputs)):
            raise SurgeryError(f"{layer.name} is an output of the model")
    return reader


def _readers(model: Any, layer: Any) -> list[Any]:
    if isinstance(model, keras.Sequential):
        position = model.layers.index(layer)
        return list(model.layers[position + 1 : position + 2])
    # Keras has no public way from a layer to those that read it.
    return [node.operation for node in layer._outbound_nodes]


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _activation(layer: Any) -> str:
    """Name of the activation function that a layer applies; ``"linear"`` without one."""
    if _kind(layer) == "LeakyReLU":
        return "leaky_relu"
    if _kind(layer) == "ReLU":
        if layer.max_value is not None or layer.threshold:
            return "clipped_relu"
        return "leaky_relu" if layer.negative_slope else "relu"
    function = getattr(layer, "activation", None)
    return "linear" if function is None else str(getattr(function, "__name__", _kind(function)))
