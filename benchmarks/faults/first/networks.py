"""Networks of the first round: families that the other cases do not use, each with a knob for what can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from benchmarks.faults.data import Data


def _kind(data: Data, what: str) -> Callable[..., Any]:
    """A layer class for signals, images or volumes: ``_kind(data, "Conv{}D")``."""
    found: Callable[..., Any] = getattr(layers, what.format(len(data.shape) - 1))
    return found


def _normalised(norm: str | None, x: Any, name: str, **options: Any) -> Any:
    kinds = {
        "batch": lambda: layers.BatchNormalization(momentum=0.9, name=f"{name}_norm", **options),
        "group": lambda: layers.GroupNormalization(4, name=f"{name}_norm", **options),
        "layer": lambda: layers.LayerNormalization(name=f"{name}_norm", **options),
    }
    return kinds[norm]()(x) if norm else x


def chain(
    data: Data,
    *,
    widths: tuple[int, ...] = (16, 24),
    dense: tuple[int, ...] = (),
    activation: Any = "relu",
    init: Any = "he_normal",
    norm: str | None = None,
    size: int = 3,
    pools: int = 2,
    flat: bool = False,
    dropout: float = 0.0,
    penalty: Any = None,
    units: int | None = None,
    head: Any = "softmax",
    before: tuple[Any, ...] = (),
    of: dict[str, dict[str, Any]] | None = None,
    of_norm: dict[str, Any] | None = None,
) -> Any:
    """Functional: convolutions ``c1`` … of as many dimensions as the data, pooling, ``d1`` …, ``out``.

    ``of`` overrides arguments of a layer by its name, ``of_norm`` those of the normalisations.
    """
    over = of or {}
    inputs = x = keras.Input(data.shape)
    for layer in before:
        x = layer(x)
    usual: dict[str, Any] = {"kernel_initializer": init, "kernel_regularizer": penalty}
    for i, width in enumerate(widths, 1):
        name = f"c{i}"
        options = usual | {"activation": None if norm else activation} | over.get(name, {})
        x = _kind(data, "Conv{}D")(width, size, padding="same", name=name, **options)(x)
        if norm:
            x = layers.Activation(activation, name=f"{name}_act")(_normalised(norm, x, name, **(of_norm or {})))
        if i <= pools:
            x = _kind(data, "MaxPooling{}D")(2)(x)
    x = layers.Flatten()(x) if flat else _kind(data, "GlobalAveragePooling{}D")()(x)
    for i, width in enumerate(dense, 1):
        x = layers.Dense(width, name=f"d{i}", **(usual | {"activation": activation} | over.get(f"d{i}", {})))(x)
    x = layers.Dropout(dropout)(x) if dropout else x
    out = {"activation": head} | over.get("out", {})
    return keras.Model(inputs, layers.Dense(units or data.classes, name="out", **out)(x))


def inception(data: Data, *, norm: str | None = None, activation: str = "relu", blocks: int = 2, **head: Any) -> Any:
    """Branches of 1 × 1, 3 × 3, 5 × 5 and pooling side by side, joined along channels."""
    inputs = x = keras.Input(data.shape)
    for i in range(blocks):
        parts = []
        for size, width in ((1, 6), (3, 10), (5, 6)):
            part = layers.Conv2D(width, size, padding="same", kernel_initializer="he_normal", name=f"b{i}_k{size}")(x)
            parts.append(layers.Activation(activation)(_normalised(norm, part, f"b{i}_k{size}")))
        pooled = layers.MaxPooling2D(3, 1, padding="same")(x)
        parts.append(
            layers.Conv2D(6, 1, activation=activation, kernel_initializer="he_normal", name=f"b{i}_pool")(pooled)
        )
        x = layers.MaxPooling2D()(layers.Concatenate()(parts))
    x = layers.Flatten()(x)
    options = {"units": data.classes, "activation": "softmax"} | head
    return keras.Model(inputs, layers.Dense(name="out", **options)(x))


def shortcut(
    data: Data,
    *,
    blocks: int = 2,
    width: int = 16,
    norm: str | None = "batch",
    activation: str = "relu",
    init: Any = "he_normal",
    first_init: Any = "he_normal",
    zero_scale: bool = False,
    last: dict[str, Any] | None = None,
) -> Any:
    """Pre-activation residual blocks for data of any dimension."""
    conv = _kind(data, "Conv{}D")
    inputs = keras.Input(data.shape)
    x = conv(width, 3, padding="same", kernel_initializer=first_init, name="stem")(inputs)
    x = _kind(data, "MaxPooling{}D")(2)(x)
    for i in range(blocks):
        scale = {"gamma_initializer": "zeros"} if zero_scale else {}
        y = layers.Activation(activation)(_normalised(norm, x, f"r{i}a"))
        y = conv(width, 3, padding="same", kernel_initializer=init, name=f"r{i}a")(y)
        y = layers.Activation(activation)(_normalised(norm, y, f"r{i}b"))
        y = conv(width, 3, padding="same", kernel_initializer=init, name=f"r{i}b")(y)
        y = _normalised(norm, y, f"r{i}c", **scale) if zero_scale else y
        x = layers.Add()([x, y])
    x = layers.Activation(activation)(_normalised(norm, x, "end"))
    x = _kind(data, "GlobalAveragePooling{}D")()(x)
    options = {"units": data.classes, "activation": "softmax"} | (last or {})
    return keras.Model(inputs, layers.Dense(name="out", **options)(x))


def mobile(
    data: Data, *, activation: str = "hard_swish", norm: str | None = "batch", pointwise: Any = "he_normal"
) -> Any:
    """Depthwise, then pointwise convolutions, twice (images)."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation=activation, name="stem")(inputs)
    for i in (1, 2):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=norm is None, name=f"dw{i}")(x)
        x = layers.Activation(activation)(_normalised(norm, x, f"dw{i}"))
        x = layers.Conv2D(24, 1, kernel_initializer=pointwise if i == 2 else "he_normal", name=f"pw{i}")(x)
        x = layers.Activation(activation)(_normalised(norm, x, f"pw{i}"))
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="out")(x))


def squeezed(
    data: Data, *, units: int | None = None, head: Any = "softmax", gate: str = "sigmoid", of: Any = None
) -> Any:
    """Squeeze and excitation by dense layers after each convolution (signals, images, volumes)."""
    inputs = x = keras.Input(data.shape)
    for i, width in enumerate((16, 24), 1):
        options = {"kernel_initializer": "he_normal"} | (of or {}).get(f"c{i}", {})
        x = _kind(data, "Conv{}D")(width, 3, padding="same", activation="relu", name=f"c{i}", **options)(x)
        y = _kind(data, "GlobalAveragePooling{}D")()(x)
        y = layers.Dense(width, activation=gate, name=f"gate{i}")(layers.Dense(6, activation="relu", name=f"sq{i}")(y))
        y = layers.Reshape((*(1 for _ in data.shape[:-1]), width))(y)
        x = _kind(data, "MaxPooling{}D")(2)(layers.Multiply()([x, y]))
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(units or data.classes, activation=head, name="out")(x))


class Scale(layers.Layer):
    """A factor per channel, which starts near zero (ConvNeXt's layer scale)."""

    def build(self, shape: Any) -> None:
        """One factor a channel."""
        self.factor = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(1e-2), name="factor")

    def call(self, inputs: Any) -> Any:
        """The scaled inputs."""
        return inputs * self.factor


def convnext(data: Data, *, width: int = 24, blocks: int = 2) -> Any:
    """Patches, depthwise 5 × 5, layer normalisation, an inverted bottleneck with GELU, layer scale (images)."""
    inputs = keras.Input(data.shape)
    x = layers.LayerNormalization()(layers.Conv2D(width, 2, strides=2, name="stem")(inputs))
    for i in range(blocks):
        y = layers.LayerNormalization()(layers.DepthwiseConv2D(5, padding="same", name=f"dw{i}")(x))
        y = layers.Dense(2 * width, activation="gelu", name=f"up{i}")(y)
        x = layers.Add()([x, Scale()(layers.Dense(width, name=f"down{i}")(y))])
    x = layers.LayerNormalization()(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="out")(x))


def attentive(data: Data, *, width: int = 24, of: dict[str, Any] | None = None) -> Any:
    """Convolutions over time, then self-attention and a dense layer (signals)."""
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(width, 5, strides=2, activation="silu", name="c1")(inputs)
    x = layers.Conv1D(width, 3, strides=2, activation="silu", name="c2")(x)
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 12, name="attention")(y, y)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    x = layers.Dense(48, **({"activation": "relu", "name": "d1"} | (of or {})))(x)
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="out")(x))


def unet(shape: tuple[int, ...], *, head: Any = "sigmoid", activation: str = "relu") -> Any:
    """Down, up, and a bridge at each size; one map out (images)."""
    options: dict[str, Any] = {"padding": "same", "activation": activation, "kernel_initializer": "he_normal"}
    inputs = keras.Input(shape)
    a = layers.Conv2D(12, 3, name="down1", **options)(inputs)
    b = layers.Conv2D(24, 3, name="down2", **options)(layers.MaxPooling2D()(a))
    x = layers.Conv2D(24, 3, name="deep", **options)(layers.MaxPooling2D()(b))
    x = layers.Concatenate()([layers.Conv2DTranspose(24, 2, strides=2, name="up2")(x), b])
    x = layers.Conv2D(24, 3, name="join2", **options)(x)
    x = layers.Concatenate()([layers.Conv2DTranspose(12, 2, strides=2, name="up1")(x), a])
    x = layers.Conv2D(12, 3, name="join1", **options)(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation=head, name="out")(x))


def twin(data: Data, *, epsilon: float) -> Any:
    """Siamese: the distance of two images' embeddings by one shared encoder; ``epsilon`` below the root."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x)
    encoder = keras.Model(inputs, layers.Dense(16, name="embedding")(layers.Flatten()(x)), name="encoder")
    left, right = keras.Input(data.shape), keras.Input(data.shape)
    apart = layers.Lambda(lambda ab: ops.sqrt(ops.sum((ab[0] - ab[1]) ** 2, axis=-1, keepdims=True) + epsilon))
    return keras.Model([left, right], apart([encoder(left), encoder(right)]))


def wavenet(data: Data, *, width: int = 16) -> Any:
    """Dilated causal convolutions with tanh × sigmoid gates and residuals (signals)."""
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(width, 3, padding="causal", name="stem")(inputs)
    for i, step in enumerate((1, 2, 4)):
        options: dict[str, Any] = {"padding": "causal", "dilation_rate": step}
        a = layers.Conv1D(width, 3, activation="tanh", name=f"signal{i}", **options)(x)
        b = layers.Conv1D(width, 3, activation="sigmoid", name=f"gate{i}", **options)(x)
        x = layers.Add()([x, layers.Conv1D(width, 1, name=f"mix{i}")(layers.Multiply()([a, b]))])
    x = layers.GlobalMaxPooling1D()(layers.Activation("relu")(x))
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="out")(x))


def dense_links(data: Data, *, growth: int = 8) -> Any:
    """Each convolution sees the maps of all before it (DenseNet, images)."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(2 * growth, 3, padding="same", name="stem")(inputs)
    for i in range(4):
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.Concatenate()([x, layers.Conv2D(growth, 3, padding="same", use_bias=False, name=f"grow{i}")(y)])
        x = layers.AveragePooling2D(2)(x) if i == 1 else x
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x)))
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="out")(x))
