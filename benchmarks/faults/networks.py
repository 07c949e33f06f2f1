"""The networks of the cases: small, with a knob for each thing that can be wrong."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from benchmarks.faults.data import Data


def plain(
    data: Data,
    *,
    filters: tuple[int, ...] = (16, 32),
    dense: tuple[int, ...] = (48,),
    activation: Any = "relu",
    init: Any = "he_normal",
    norm: str | None = None,
    dropout: float = 0.0,
    regularizer: Any = None,
    units: int | None = None,
    head: Any = "softmax",
    pool: bool = True,
    first: tuple[Any, ...] = (),
    of: dict[str, dict[str, Any]] | None = None,
    trainable: bool = True,
) -> Any:
    """Convolutions ``conv1`` … with pooling, dense layers ``fc1`` …, and the output layer ``head``.

    ``of`` overrides arguments of a layer by its name; ``first`` are layers put before the first convolution.
    """

    def options(name: str) -> dict[str, Any]:
        usual = {
            "name": name,
            "activation": None if norm else activation,
            "kernel_initializer": init,
            "kernel_regularizer": regularizer,
        }
        return usual | (of or {}).get(name, {})

    def normalised(name: str) -> list[Any]:
        if norm is None:
            return []
        kinds = {"batch": layers.BatchNormalization, "layer": layers.LayerNormalization}
        kind = layers.GroupNormalization(4, name=f"{name}_gn") if norm == "group" else kinds[norm](name=f"{name}_bn")
        return [kind, layers.Activation(activation, name=f"{name}_act")]

    stack: list[Any] = [keras.Input(data.shape), *first]
    for i, width in enumerate(filters, 1):
        stack += [layers.Conv2D(width, 3, padding="same", **options(f"conv{i}")), *normalised(f"conv{i}")]
        if pool and i <= 2:
            stack.append(layers.MaxPooling2D())
    stack.append(layers.Flatten())
    for i, width in enumerate(dense, 1):
        stack += [layers.Dense(width, **options(f"fc{i}")), *normalised(f"fc{i}")]
        stack += [layers.Dropout(dropout)] if dropout else []
    usual = {"name": "head", "activation": head}
    stack.append(layers.Dense(units or data.classes, **(usual | (of or {}).get("head", {}))))
    return keras.Sequential(stack)


def residual(data: Data, *, blocks: int = 3, width: int = 16, zero_gamma: bool = False, norm: bool = True) -> Any:
    """A pre-pooled residual network; the last normalisation of a block may start at γ = 0."""

    def normalised(x: Any, **options: Any) -> Any:
        return layers.BatchNormalization(momentum=0.9, **options)(x) if norm else x

    inputs = keras.Input(data.shape)
    x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name="stem")(inputs)
    x = layers.MaxPooling2D()(layers.ReLU()(normalised(x)))
    for i in range(blocks):
        options: dict[str, Any] = {"padding": "same", "kernel_initializer": "he_normal"}
        y = layers.ReLU()(normalised(layers.Conv2D(width, 3, name=f"block{i}_conv1", **options)(x)))
        y = layers.Conv2D(width, 3, name=f"block{i}_conv2", **options)(y)
        y = normalised(y, gamma_initializer="zeros" if zero_gamma else "ones")
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="head")(x))


def separable(data: Data) -> Any:
    """Depthwise and pointwise convolutions and a linear bottleneck, as in MobileNetV2."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    for i in range(2):
        y = layers.Conv2D(48, 1, use_bias=False, name=f"expand{i}")(x)
        y = layers.ReLU(6)(layers.BatchNormalization(momentum=0.9)(y))
        y = layers.DepthwiseConv2D(3, strides=2 - i, padding="same", use_bias=False, name=f"depthwise{i}")(y)
        y = layers.ReLU(6)(layers.BatchNormalization(momentum=0.9)(y))
        x = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(16, 1, use_bias=False, name=f"project{i}")(y))
    x = layers.Conv2D(48, 1, activation="relu", name="top")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="head")(x))


def autoencoder(data: Data) -> Any:
    """Strided convolutions down, transposed ones up, images out."""
    return keras.Sequential(
        [
            keras.Input(data.shape),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", name="down1"),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="down2"),
            layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu", name="up1"),
            layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu", name="up2"),
            layers.Conv2D(data.shape[-1], 3, padding="same", activation="sigmoid", name="image"),
        ]
    )


def attention(data: Data) -> Any:
    """A tiny vision transformer: patches, one block, mean of tokens."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(32, 4, strides=4, name="patches")(inputs)
    x = layers.Reshape((-1, 32))(x)
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 16, name="attention")(y, y)])
    y = layers.LayerNormalization()(x)
    y = layers.Dense(32, name="mlp2")(layers.Dense(64, activation="gelu", name="mlp1")(y))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([x, y])))
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="head")(x))


class Subclassed(keras.Model):
    """The same written as a class, with activations as functions."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(16, 3, name="conv1")
        self.conv2 = layers.Conv2D(32, 3, name="conv2")
        self.pool = layers.GlobalMaxPooling2D()
        self.head = layers.Dense(classes, name="head")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Logits."""
        x = keras.ops.relu(self.conv1(inputs))
        return self.head(self.pool(keras.ops.relu(self.conv2(x))))
