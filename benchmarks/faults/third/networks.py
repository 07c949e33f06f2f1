"""Networks of the third round: what questions on forums and first tutorials show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from benchmarks.faults.data import Data


def mlp(
    data: Data,
    *,
    hidden: tuple[int, ...] = (64, 32),
    activation: Any = "relu",
    init: Any = "glorot_uniform",
    norm: bool = False,
    dropout: Any = 0.0,
    penalty: Any = None,
    units: int | None = None,
    head: Any = "auto",
    before: tuple[Any, ...] = (),
    of: dict[str, dict[str, Any]] | None = None,
) -> Any:
    """Dense layers ``hidden1`` … and ``output``, over tables or flattened images.

    ``head="auto"`` is one sigmoid for two classes, a softmax for more, nothing for a regression; ``of`` overrides
    arguments of a layer by its name.
    """
    over = of or {}
    stack: list[Any] = [keras.Input(data.shape), *before]
    stack += [layers.Flatten(name="flatten")] if len(data.shape) > 1 else []
    for i, width in enumerate(hidden, 1):
        name = f"hidden{i}"
        usual: dict[str, Any] = {"kernel_initializer": init, "kernel_regularizer": penalty}
        usual["activation"] = None if norm else activation
        stack.append(layers.Dense(width, name=name, **(usual | over.get(name, {}))))
        if norm:
            stack += [layers.BatchNormalization(momentum=0.9, name=f"bn{i}"), layers.Activation(activation)]
        stack += [layers.Dropout(dropout)] if dropout else []
    few = data.classes <= 2
    if head == "auto":
        head = (None if data.classes == 1 else "sigmoid") if few else "softmax"
    out = {"activation": head, "kernel_regularizer": penalty} | over.get("output", {})
    return keras.Sequential([*stack, layers.Dense(units or (1 if few else data.classes), name="output", **out)])


def convnet(
    data: Data,
    *,
    blocks: tuple[tuple[int, ...], ...] = ((16,), (32,)),
    dense: tuple[int, ...] = (64,),
    size: int = 3,
    activation: Any = "relu",
    init: Any = "glorot_uniform",
    norm: Any = None,
    norm_last: bool = False,
    bias: bool = True,
    dropout: float = 0.0,
    penalty: Any = None,
    pooling: str = "Max",
    average: bool = False,
    units: int | None = None,
    head: Any = "softmax",
    before: tuple[Any, ...] = (),
    acts: dict[str, Callable[..., Any]] | None = None,
    of: dict[str, dict[str, Any]] | None = None,
) -> Any:
    """Convolutions ``conv1`` … and behind each a layer ``act1`` …, pooling after each block; ``fc1`` …, ``output``.

    ``norm`` makes normalisations ``norm1`` …, before the activation or behind it (``norm_last``); ``acts`` makes single
    activation layers; ``average`` takes means over places where the maps would be flattened; ``of`` overrides arguments
    of a layer by its name.
    """
    over, own = of or {}, acts or {}
    usual: dict[str, Any] = {"kernel_initializer": init, "kernel_regularizer": penalty}
    stack: list[Any] = [keras.Input(data.shape), *before]
    i = 0
    for block in blocks:
        for width in block:
            i += 1
            options = {"padding": "same", "use_bias": bias} | usual | over.get(f"conv{i}", {})
            stack.append(layers.Conv2D(width, size, name=f"conv{i}", **options))
            act = own[f"act{i}"](name=f"act{i}") if f"act{i}" in own else layers.Activation(activation, name=f"act{i}")
            normed = [norm(name=f"norm{i}")] if norm else []
            stack += [act, *normed] if norm_last else [*normed, act]
        stack += [getattr(layers, f"{pooling}Pooling2D")(2)]
    stack.append(layers.GlobalAveragePooling2D() if average else layers.Flatten())
    for i, width in enumerate(dense, 1):
        options = {"activation": activation} | usual | over.get(f"fc{i}", {})
        stack.append(layers.Dense(width, name=f"fc{i}", **options))
        stack += [layers.Dropout(dropout)] if dropout else []
    out = {"activation": head, "kernel_regularizer": penalty} | over.get("output", {})
    return keras.Sequential([*stack, layers.Dense(units or data.classes, name="output", **out)])


def lenet(data: Data, *, activation: Any = "relu", norm: bool = False, head: Any = "softmax", rest: Any = None) -> Any:
    """Functional, in the names of the paper: ``C1``, ``S2``, ``C3``, ``S4``, ``F5``, ``F6``, ``output``."""

    def normed(x: Any, name: str) -> Any:
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x) if norm else x
        return layers.Activation(activation, name=f"{name}_act")(x)

    options = rest or {}
    inputs = keras.Input(data.shape)
    x = normed(layers.Conv2D(6, 5, padding="same", name="C1", **options)(inputs), "C1")
    x = layers.AveragePooling2D(2, name="S2")(x)
    x = normed(layers.Conv2D(16, 5, padding="same", name="C3", **options)(x), "C3")
    x = layers.Flatten()(layers.AveragePooling2D(2, name="S4")(x))
    x = normed(layers.Dense(60, name="F5", **options)(x), "F5")
    x = normed(layers.Dense(42, name="F6", **options)(x), "F6")
    return keras.Model(inputs, layers.Dense(data.classes, activation=head, name="output")(x))


def all_convolutional(data: Data, *, activation: str = "relu") -> Any:
    """Strided convolutions only, a map for each class, and means of these (Springenberg et al. 2015)."""
    inputs = x = keras.Input(data.shape)
    for i, (width, strides) in enumerate(((16, 1), (16, 2), (32, 1), (32, 2)), 1):
        x = layers.Conv2D(width, 3, strides, "same", activation=activation, name=f"conv{i}")(x)
    x = layers.Conv2D(data.classes, 1, name="class_maps")(x)
    return keras.Model(inputs, layers.Softmax(name="shares")(layers.GlobalAveragePooling2D()(x)))


def dense_autoencoder(
    data: Data, *, widths: tuple[int, ...] = (64, 16, 64), activation: Any = "relu", head: Any = "sigmoid",
    init: Any = "glorot_uniform", of: dict[str, dict[str, Any]] | None = None,
) -> Any:  # fmt: skip
    """Flattened images through dense layers ``layer1`` … back to images; ``pixels`` is the last of them."""
    shape = data.shape
    size = shape[0] * shape[1] * shape[2]
    stack: list[Any] = [keras.Input(shape), layers.Flatten()]
    for i, width in enumerate(widths, 1):
        usual = {"activation": activation, "kernel_initializer": init}
        stack.append(layers.Dense(width, name=f"layer{i}", **(usual | (of or {}).get(f"layer{i}", {}))))
    return keras.Sequential([*stack, layers.Dense(size, activation=head, name="pixels"), layers.Reshape(shape)])


def conv_autoencoder(
    data: Data, *, head: Any = "sigmoid", activation: Any = "relu", between: tuple[Any, ...] = ()
) -> Any:
    """Pooled convolutions down, upsampled ones up, as in Keras' blog; ``between`` follow the code."""
    options: dict[str, Any] = {"padding": "same", "activation": activation}
    return keras.Sequential(
        [
            keras.Input(data.shape),
            layers.Conv2D(16, 3, name="encoder1", **options),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, name="encoder2", **options),
            layers.MaxPooling2D(),
            *between,
            layers.Conv2D(8, 3, name="decoder1", **options),
            layers.UpSampling2D(),
            layers.Conv2D(16, 3, name="decoder2", **options),
            layers.UpSampling2D(),
            layers.Conv2D(data.shape[-1], 3, padding="same", activation=head, name="decoded"),
        ]
    )
