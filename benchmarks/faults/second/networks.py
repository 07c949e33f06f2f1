"""Networks of the second round, named as their users would name them: by default, or as Keras' applications are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from benchmarks.faults.data import Data


def sized(data: Data, kind: str) -> Any:
    """The layer class of as many dimensions as the data: ``"Conv{}D"``."""
    return getattr(layers, kind.format(len(data.shape) - 1))


def tutorial(
    data: Data,
    *,
    filters: tuple[int, ...] = (16, 32),
    dense: tuple[int, ...] = (48,),
    activation: Any = "relu",
    init: Any = "glorot_uniform",
    size: int = 3,
    pooling: str = "Max",
    norm: bool = False,
    dropout: float = 0.0,
    penalty: Any = None,
    units: int | None = None,
    head: Any = "softmax",
    before: tuple[Any, ...] = (),
    act: Callable[[], Any] | None = None,
    of: dict[str, dict[str, Any]] | None = None,
) -> Any:
    """Sequential under Keras' default names: ``conv2d``, ``conv2d_1`` …, ``dense``, ``dense_1`` …

    ``of`` overrides arguments of a layer by its default name; ``act`` makes a layer to stand for ``activation``.
    """
    seen: Counter[str] = Counter()
    apart = norm or act is not None

    def options(kind: str) -> dict[str, Any]:
        name = f"{kind}_{seen[kind]}" if seen[kind] else kind
        seen[kind] += 1
        usual = {"activation": None if apart else activation, "kernel_initializer": init, "kernel_regularizer": penalty}
        return usual | (of or {}).get(name, {})

    def between() -> list[Any]:
        normed = [layers.BatchNormalization(momentum=0.9)] if norm else []
        return [*normed, act() if act else layers.Activation(activation)] if apart else []

    stack: list[Any] = [keras.Input(data.shape), *before]
    kind = f"conv{len(data.shape) - 1}d"
    for i, width in enumerate(filters):
        stack += [sized(data, "Conv{}D")(width, size, padding="same", **options(kind)), *between()]
        stack += [sized(data, pooling + "Pooling{}D")(2)] if i < 2 else []
    stack.append(layers.Flatten())
    for width in dense:
        stack += [layers.Dense(width, **options("dense")), *between()]
        stack += [layers.Dropout(dropout)] if dropout else []
    out = {"activation": head} | (of or {}).get(f"dense_{len(dense)}" if dense else "dense", {})
    return keras.Sequential([*stack, layers.Dense(units or data.classes, **out)])


def vgg(
    data: Data,
    *,
    widths: tuple[int, ...] = (12, 24),
    each: int = 2,
    act: Callable[..., Any] | None = None,
    activation: Any = "relu",
    init: Any = "he_normal",
    norm: Any = None,
    fc: int = 48,
    dropout: float = 0.0,
    units: int | None = None,
    head: Any = "softmax",
    of: dict[str, dict[str, Any]] | None = None,
) -> Any:
    """Blocks of convolutions ``block1_conv1`` …, then ``fc1`` and ``predictions``; ``act`` makes activation layers."""
    over = of or {}
    inputs = x = keras.Input(data.shape)
    for b, width in enumerate(widths, 1):
        for i in range(1, each + 1):
            name = f"block{b}_conv{i}"
            options: dict[str, Any] = {"activation": None if act or norm else activation, "kernel_initializer": init}
            x = sized(data, "Conv{}D")(width, 3, padding="same", name=name, **(options | over.get(name, {})))(x)
            x = norm(name=f"{name}_norm")(x) if norm else x
            if act or norm:
                x = act(name=f"{name}_act")(x) if act else layers.Activation(activation, name=f"{name}_act")(x)
        x = sized(data, "MaxPooling{}D")(2, name=f"block{b}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(fc, **({"activation": activation, "kernel_initializer": init} | over.get("fc1", {})), name="fc1")(
        x
    )
    x = layers.Dropout(dropout)(x) if dropout else x
    out = {"activation": head} | over.get("predictions", {})
    return keras.Model(inputs, layers.Dense(units or data.classes, name="predictions", **out)(x))


def resnet(
    data: Data, *, widths: tuple[int, ...] = (12, 24), blocks: int = 1, zero_gamma: bool = False, norm: bool = True,
    init: Any = "he_normal", doubled: bool = False, units: int | None = None, head: Any = "softmax",
) -> Any:  # fmt: skip
    """Residual blocks with a projection where the width changes: ``conv2_block1_1_conv``, ``…_1_bn``, ``…_0_conv``.

    ``doubled`` adds each shortcut twice.
    """
    conv = sized(data, "Conv{}D")

    def normed(x: Any, name: str, **options: Any) -> Any:
        return layers.BatchNormalization(momentum=0.9, name=f"{name}_bn", **options)(x) if norm else x

    inputs = keras.Input(data.shape)
    x = conv(widths[0], 3, padding="same", kernel_initializer=init, name="conv1_conv")(inputs)
    x = layers.ReLU(name="conv1_relu")(normed(x, "conv1"))
    for stage, width in enumerate(widths, 2):
        for block in range(1, blocks + 1):
            name, strides = f"conv{stage}_block{block}", 2 if block == 1 else 1
            options: dict[str, Any] = {"padding": "same", "kernel_initializer": init}
            short = x if strides == 1 else normed(
                conv(width, 1, strides=2, kernel_initializer=init, name=f"{name}_0_conv")(x), f"{name}_0"
            )  # fmt: skip
            y = normed(conv(width, 3, strides=strides, name=f"{name}_1_conv", **options)(x), f"{name}_1")
            y = conv(width, 3, name=f"{name}_2_conv", **options)(layers.ReLU(name=f"{name}_1_relu")(y))
            y = normed(y, f"{name}_2", **({"gamma_initializer": "zeros"} if zero_gamma and norm else {}))
            x = layers.Add(name=f"{name}_add")([short, short, y] if doubled else [short, y])
            x = layers.ReLU(name=f"{name}_out")(x)
    x = sized(data, "GlobalAveragePooling{}D")(name="avg_pool")(x)
    return keras.Model(inputs, layers.Dense(units or data.classes, activation=head, name="predictions")(x))


def mobilenet(data: Data, *, widths: tuple[int, ...] = (24, 32)) -> Any:
    """Depthwise and pointwise convolutions with ReLU6, as in the first MobileNet (images)."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv1")(inputs)
    x = layers.ReLU(6, name="conv1_relu")(layers.BatchNormalization(momentum=0.9, name="conv1_bn")(x))
    for i, width in enumerate(widths, 1):
        for kind in ("dw", "pw"):
            name = f"conv_{kind}_{i}"
            x = (
                layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=name)(x)
                if kind == "dw"
                else layers.Conv2D(width, 1, use_bias=False, name=name)(x)
            )
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
            x = layers.ReLU(6, name=f"{name}_relu")(x)
    x = layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x))
    return keras.Model(inputs, layers.Dense(data.classes, activation="softmax", name="predictions")(x))


def branches(
    data: Data, *, width: int = 12, activation: Any = "relu", norm: bool = False, head: Any = "softmax"
) -> Any:
    """Convolutions over 3, 5 and 9 points side by side, and their maxima over time (sequences)."""
    inputs = keras.Input(data.shape)
    parts = []
    for size in (3, 5, 9):
        x = layers.Conv1D(width, size, padding="same", name=f"conv_k{size}")(inputs)
        x = layers.BatchNormalization(momentum=0.9, name=f"bn_k{size}")(x) if norm else x
        x = layers.Conv1D(width, size, strides=2, activation=activation, name=f"deep_k{size}")(
            layers.Activation(activation, name=f"act_k{size}")(x)
        )
        parts.append(layers.Flatten()(layers.MaxPooling1D(8)(x)))
    x = layers.Dense(32, activation=activation, name="hidden")(layers.Concatenate()(parts))
    return keras.Model(inputs, layers.Dense(data.classes, activation=head, name="output")(x))


def segmenter(shape: tuple[int, ...], *, classes: int = 1, head: Any = "sigmoid", norm: bool = False) -> Any:
    """A U-Net that goes up by repeating pixels: ``enc1``, ``enc2``, ``bottleneck``, ``dec2``, ``dec1``, ``mask``."""

    def conv(width: int, name: str, x: Any) -> Any:
        x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name=name)(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x) if norm else x
        return layers.ReLU(name=f"{name}_relu")(x)

    inputs = keras.Input(shape)
    one = conv(12, "enc1", inputs)
    two = conv(20, "enc2", layers.MaxPooling2D()(one))
    x = conv(24, "bottleneck", layers.MaxPooling2D()(two))
    x = conv(20, "dec2", layers.Concatenate()([layers.UpSampling2D()(x), two]))
    x = conv(12, "dec1", layers.Concatenate()([layers.UpSampling2D()(x), one]))
    return keras.Model(inputs, layers.Conv2D(classes, 1, activation=head, name="mask")(x))


class Net(keras.Model):
    """As PyTorch users write it: layers made in ``__init__``, functions between them in ``call``."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(16, 3, padding="same", name="conv1")
        self.bn1 = layers.BatchNormalization(momentum=0.9, name="bn1")
        self.conv2 = layers.Conv2D(32, 3, strides=2, padding="same", name="conv2")
        self.bn2 = layers.BatchNormalization(momentum=0.9, name="bn2")
        self.fc = layers.Dense(classes, name="fc")

    def call(self, x: Any, training: bool = False) -> Any:
        """Logits."""
        x = ops.relu(self.bn1(self.conv1(x), training=training))
        x = ops.relu(self.bn2(self.conv2(ops.max_pool(x, 2)), training=training))
        return self.fc(ops.mean(x, axis=(1, 2)))


def written_as_class(data: Data) -> Any:
    """A built ``Net``."""
    model = Net(data.classes)
    model(data.x[:2])
    return model


def encoder(shape: tuple[int, ...], width: int = 16) -> Any:
    """Images to vectors, a model of its own for others to share."""
    return keras.Sequential([keras.Input(shape), *encoding(width)], name="encoder")


def encoding(width: int = 16) -> list[Any]:
    """The layers of ``encoder``."""
    return [
        layers.Conv2D(16, 3, strides=2, activation="relu", name="conv1"),
        layers.Conv2D(24, 3, strides=2, activation="relu", name="conv2"),
        layers.Flatten(name="flatten"),
        layers.Dense(width, name="embedding"),
    ]
