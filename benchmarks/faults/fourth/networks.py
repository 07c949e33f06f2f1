"""Networks of the fourth round: what courses on image classification have their students write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from benchmarks.faults.data import Data
from benchmarks.faults.fourth.make import usual_norm


def vgg(
    data: Data,
    *,
    widths: tuple[int, ...] = (16, 32),
    per_block: int = 2,
    dense: tuple[int, ...] = (64,),
    activation: Any = "relu",
    init: Any = "he_uniform",
    norm: Callable[[str], Any] | None = None,
    padding: str = "same",
    size: int = 3,
    dropout: float = 0.0,
    penalty: Any = None,
    mean: bool = False,
    units: int | None = None,
    head: Any = "softmax",
    before: tuple[Any, ...] = (),
    of: dict[str, dict[str, Any]] | None = None,
) -> Any:
    """``block1_conv1`` … with pooling behind each block, ``fc1`` …, ``predictions``.

    ``norm`` makes the ``…_bn`` between a convolution and its ``…_act``; ``mean`` takes the place of flattening; ``of``
    overrides arguments of a layer by its name.
    """
    over = of or {}
    usual: dict[str, Any] = {"kernel_initializer": init, "kernel_regularizer": penalty}
    stack: list[Any] = [keras.Input(data.shape), *before]
    for block, width in enumerate(widths, 1):
        for i in range(1, per_block + 1):
            name = f"block{block}_conv{i}"
            options = (
                {"kernel_size": size, "padding": padding, "activation": None if norm else activation}
                | usual
                | over.get(name, {})
            )
            stack.append(layers.Conv2D(width, name=name, **options))
            if norm:
                stack += [norm(f"{name}_bn"), layers.Activation(activation, name=f"{name}_act")]
        stack.append(layers.MaxPooling2D(name=f"block{block}_pool"))
    stack.append(layers.GlobalAveragePooling2D() if mean else layers.Flatten())
    for i, width in enumerate(dense, 1):
        options = {"activation": activation} | usual | over.get(f"fc{i}", {})
        stack.append(layers.Dense(width, name=f"fc{i}", **options))
        stack += [layers.Dropout(dropout)] if dropout else []
    out = {"activation": head} | over.get("predictions", {})
    return keras.Sequential([*stack, layers.Dense(units or data.classes, name="predictions", **out)])


def simple(data: Data, **options: Any) -> Any:
    """Two convolutions without padding, as in Keras' first example for MNIST."""
    usual: dict[str, Any] = {"per_block": 1, "padding": "valid", "init": "glorot_uniform"}
    return vgg(data, **(usual | options))


def xception(data: Data, *, widths: tuple[int, ...] = (24, 32), activation: str = "relu") -> Any:
    """Separable convolutions with shortcuts, as in Keras' example from scratch: ``stem``, ``sep1`` …."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.Activation(activation)(usual_norm("stem_bn")(x))
    for i, width in enumerate(widths, 1):
        y = layers.SeparableConv2D(width, 3, padding="same", use_bias=False, name=f"sep{i}")(x)
        y = layers.Activation(activation)(usual_norm(f"sep{i}_bn")(y))
        y = layers.MaxPooling2D(3, strides=2, padding="same")(y)
        short = layers.Conv2D(width, 1, strides=2, padding="same", name=f"short{i}")(x)
        x = layers.Add(name=f"add{i}")([y, short])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="predictions")(x))
