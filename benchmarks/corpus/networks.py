"""Networks that are more than a stack: residual, separable, branched, attending, up and down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from benchmarks.corpus.data import Data, load
from benchmarks.corpus.gradients import loss_gradients
from benchmarks.corpus.lazy import layer, lazily, made, network
from benchmarks.corpus.stacks import Style, family, normalization


def sized(data: Data, kind: str) -> Any:
    """The layer class of as many dimensions as the data: ``"Conv{}D"``."""
    return getattr(layers, kind.format(len(data.shape) - 1))


def batch_norm(name: str | None = None, **options: Any) -> Any:
    """A batch normalization that forgets in tens of steps, not in hundreds."""
    return layers.BatchNormalization(momentum=0.9, name=name, **options)


def normed(norm: Any, x: Any, name: str | None = None, activation: Any = None) -> Any:
    """Maps normalized where there is a ``norm``, then activated where there is an ``activation``."""
    x = normalization(norm, name)(x) if norm else x
    return layers.Activation(activation)(x) if activation else x


def classifier(inputs: Any, x: Any, units: int, name: str | None = "out", activation: Any = "softmax") -> Any:
    """A model whose head stands on these features."""
    return keras.Model(inputs, layers.Dense(units, activation=activation, name=name)(x))


@network
def functional(data: Data, body: Callable[[Any], Any], name: str | None = "output", *, head_first: bool = False) -> Any:
    """A classifier whose features are a function of the inputs; seeds are drawn for the head last, or first."""
    inputs = keras.Input(data.shape)
    features = None if head_first else body(inputs)
    head = layers.Dense(data.classes, activation="softmax", name=name)
    return keras.Model(inputs, head(body(inputs) if head_first else features))


@network
def sequential(data: Data, *stack: Any, head: str | None = "softmax", name: str | None = None) -> Any:
    """A Sequential of these layers, with a dense head where ``head`` is its activation."""
    built = [*stack, layers.Dense(data.classes, activation=head, name=name)] if head else stack
    return keras.Sequential([keras.Input(data.shape), *built])


# Stacks

plain = family(
    Style("conv{i}", "{name}_bn", "{name}_act", hidden="fc{i}", head="head", pools=2, norm_hidden=True, momentum=0.99)
)
chain = family(
    Style("c{i}", "{name}_norm", "{name}_act", hidden="d{i}", head="out", pools=2, functional=True),
    widths=(16, 24), hidden=(), flat=False,
)  # fmt: skip
tutorial = family(Style(pools=2, norm_hidden=True), init="glorot_uniform")
blocks = family(
    Style(
        "block{b}_conv{j}", "{name}_norm", "{name}_act", "block{b}_pool", "fc{i}", "predictions", "flatten", True
    ),
    widths=(12, 24), each=2,
)  # fmt: skip
convnet = family(
    Style("conv{i}", "norm{i}", "act{i}", hidden="fc{i}", head="output", apart=True),
    hidden=(64,), init="glorot_uniform",
)  # fmt: skip
mlp = family(
    Style(norm="bn{i}", hidden="hidden{i}", head="output", flatten="flatten", norm_hidden=True, one_unit=True),
    widths=(), hidden=(64, 32), init="glorot_uniform",
)  # fmt: skip
_VGG = Style("block{b}_conv{j}", "{name}_bn", "{name}_act", "block{b}_pool", "fc{i}", "predictions")
vgg = family(_VGG, each=2, hidden=(64,), init="he_uniform")
# As Keras' first example for MNIST.
simple = family(_VGG, hidden=(64,), init="glorot_uniform", padding="valid")

# Residual


@network
def residual(data: Data, *, blocks: int = 3, width: int = 16, zero_gamma: bool = False, norm: bool = True) -> Any:
    """Pooled, then residual blocks; the last normalization of a block may begin at γ = 0."""

    def normed(x: Any, **options: Any) -> Any:
        return batch_norm(**options)(x) if norm else x

    options: dict[str, Any] = {"padding": "same", "kernel_initializer": "he_normal"}
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(width, 3, name="stem", **options)(inputs)
    x = layers.MaxPooling2D()(layers.ReLU()(normed(x)))
    for i in range(blocks):
        y = layers.ReLU()(normed(layers.Conv2D(width, 3, name=f"block{i}_conv1", **options)(x)))
        y = layers.Conv2D(width, 3, name=f"block{i}_conv2", **options)(y)
        y = normed(y, gamma_initializer="zeros" if zero_gamma else "ones")
        x = layers.ReLU()(layers.Add()([x, y]))
    return classifier(inputs, layers.GlobalAveragePooling2D()(x), data.classes, "head")


@network
def shortcut(
    data: Data, *, blocks: int = 2, width: int = 16, norm: Any = "batch", init: Any = "he_normal",
    zero_scale: bool = False, head: Any = "softmax",
) -> Any:  # fmt: skip
    """Pre-activation residual blocks over data of any dimension."""
    conv = sized(data, "Conv{}D")
    inputs = keras.Input(data.shape)
    x = conv(width, 3, padding="same", kernel_initializer="he_normal", name="stem")(inputs)
    x = sized(data, "MaxPooling{}D")(2)(x)
    for i in range(blocks):
        y = x
        for side in "ab":
            y = normed(norm, y, f"r{i}{side}_norm", "relu")
            y = conv(width, 3, padding="same", kernel_initializer=init, name=f"r{i}{side}")(y)
        y = batch_norm(f"r{i}c_norm", gamma_initializer="zeros")(y) if zero_scale else y
        x = layers.Add()([x, y])
    x = sized(data, "GlobalAveragePooling{}D")()(normed(norm, x, "end_norm", "relu"))
    return classifier(inputs, x, data.classes, activation=head)


@network
def resnet(
    data: Data, *, widths: tuple[int, ...] = (12, 24), blocks: int = 1, zero_gamma: bool = False, norm: bool = True,
    init: Any = "he_normal", doubled: bool = False,
) -> Any:  # fmt: skip
    """Residual blocks with a projection where the width changes: ``conv2_block1_1_conv``, ``…_1_bn``, ``…_0_conv``.

    ``doubled`` adds each shortcut twice.
    """
    conv = sized(data, "Conv{}D")

    def normed(x: Any, name: str, **options: Any) -> Any:
        return batch_norm(f"{name}_bn", **options)(x) if norm else x

    inputs = keras.Input(data.shape)
    x = conv(widths[0], 3, padding="same", kernel_initializer=init, name="conv1_conv")(inputs)
    x = layers.ReLU(name="conv1_relu")(normed(x, "conv1"))
    for stage, width in enumerate(widths, 2):
        for block in range(1, blocks + 1):
            name, strides = f"conv{stage}_block{block}", 2 if block == 1 else 1
            options: dict[str, Any] = {"padding": "same", "kernel_initializer": init}
            short = x
            if strides == 2:
                short = conv(width, 1, strides=2, kernel_initializer=init, name=f"{name}_0_conv")(x)
                short = normed(short, f"{name}_0")
            y = normed(conv(width, 3, strides=strides, name=f"{name}_1_conv", **options)(x), f"{name}_1")
            y = conv(width, 3, name=f"{name}_2_conv", **options)(layers.ReLU(name=f"{name}_1_relu")(y))
            y = normed(y, f"{name}_2", **({"gamma_initializer": "zeros"} if zero_gamma and norm else {}))
            x = layers.Add(name=f"{name}_add")([short, short, y] if doubled else [short, y])
            x = layers.ReLU(name=f"{name}_out")(x)
    x = sized(data, "GlobalAveragePooling{}D")(name="avg_pool")(x)
    return classifier(inputs, x, data.classes, "predictions")


# Separable


@network
def separable(data: Data) -> Any:
    """Depthwise and pointwise convolutions and a linear bottleneck, as in MobileNetV2."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU()(batch_norm()(x))
    for i in range(2):
        y = layers.Conv2D(48, 1, use_bias=False, name=f"expand{i}")(x)
        y = layers.ReLU(6)(batch_norm()(y))
        y = layers.DepthwiseConv2D(3, strides=2 - i, padding="same", use_bias=False, name=f"depthwise{i}")(y)
        y = layers.ReLU(6)(batch_norm()(y))
        x = batch_norm()(layers.Conv2D(16, 1, use_bias=False, name=f"project{i}")(y))
    x = layers.Conv2D(48, 1, activation="relu", name="top")(x)
    return classifier(inputs, layers.GlobalAveragePooling2D()(x), data.classes, "head")


@network
def mobile(data: Data, *, activation: str = "hard_swish", norm: Any = "batch", pointwise: Any = "he_normal") -> Any:
    """Depthwise, then pointwise convolutions, twice."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation=activation, name="stem")(inputs)
    for i in (1, 2):
        x = layers.DepthwiseConv2D(3, padding="same", use_bias=norm is None, name=f"dw{i}")(x)
        x = normed(norm, x, f"dw{i}_norm", activation)
        x = layers.Conv2D(24, 1, kernel_initializer=pointwise if i == 2 else "he_normal", name=f"pw{i}")(x)
        x = normed(norm, x, f"pw{i}_norm", activation)
    return classifier(inputs, layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x)), data.classes)


@network
def mobilenet(data: Data) -> Any:
    """Depthwise and pointwise convolutions with ReLU6, as in the first MobileNet."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv1")(inputs)
    x = layers.ReLU(6, name="conv1_relu")(batch_norm("conv1_bn")(x))
    for i, width in enumerate((24, 32), 1):
        for part in (
            layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"conv_dw_{i}"),
            layers.Conv2D(width, 1, use_bias=False, name=f"conv_pw_{i}"),
        ):
            x = batch_norm(f"{part.name}_bn")(part(x))
            x = layers.ReLU(6, name=f"{part.name}_relu")(x)
    return classifier(inputs, layers.GlobalAveragePooling2D()(layers.MaxPooling2D()(x)), data.classes, "predictions")


@network
def xception(data: Data) -> Any:
    """Separable convolutions with shortcuts, as in Keras' example from scratch: ``stem``, ``sep1`` …."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.Activation("relu")(batch_norm("stem_bn")(x))
    for i, width in enumerate((24, 32), 1):
        y = layers.SeparableConv2D(width, 3, padding="same", use_bias=False, name=f"sep{i}")(x)
        y = layers.Activation("relu")(batch_norm(f"sep{i}_bn")(y))
        y = layers.MaxPooling2D(3, strides=2, padding="same")(y)
        short = layers.Conv2D(width, 1, strides=2, padding="same", name=f"short{i}")(x)
        x = layers.Add(name=f"add{i}")([y, short])
    return classifier(inputs, layers.GlobalAveragePooling2D()(x), data.classes, "predictions")


# Branched


@network
def inception(data: Data, *, norm: Any = None) -> Any:
    """Branches of 1 × 1, 3 × 3, 5 × 5 and pooling side by side, joined along channels."""
    inputs = x = keras.Input(data.shape)
    for i in range(2):
        parts = []
        for size, width in ((1, 6), (3, 10), (5, 6)):
            part = layers.Conv2D(width, size, padding="same", kernel_initializer="he_normal", name=f"b{i}_k{size}")(x)
            parts.append(normed(norm, part, f"b{i}_k{size}_norm", "relu"))
        pooled = layers.MaxPooling2D(3, 1, padding="same")(x)
        last = layers.Conv2D(6, 1, activation="relu", kernel_initializer="he_normal", name=f"b{i}_pool")
        x = layers.MaxPooling2D()(layers.Concatenate()([*parts, last(pooled)]))
    return classifier(inputs, layers.Flatten()(x), data.classes)


@network
def squeezed(data: Data, *, units: int | None = None, head: Any = "softmax") -> Any:
    """Squeeze and excitation by dense layers behind each convolution, over data of any dimension."""
    inputs = x = keras.Input(data.shape)
    conv, mean = sized(data, "Conv{}D"), sized(data, "GlobalAveragePooling{}D")
    for i, width in enumerate((16, 24), 1):
        x = conv(width, 3, padding="same", activation="relu", name=f"c{i}", kernel_initializer="he_normal")(x)
        y = layers.Dense(width, activation="sigmoid", name=f"gate{i}")(
            layers.Dense(6, activation="relu", name=f"sq{i}")(mean()(x))
        )
        y = layers.Reshape((*(1 for _ in data.shape[:-1]), width))(y)
        x = sized(data, "MaxPooling{}D")(2)(layers.Multiply()([x, y]))
    return classifier(inputs, layers.Flatten()(x), units or data.classes, activation=head)


@network
def dense_links(data: Data, *, growth: int = 8) -> Any:
    """Each convolution sees the maps of all before it, as in DenseNet."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(2 * growth, 3, padding="same", name="stem")(inputs)
    for i in range(4):
        y = layers.ReLU()(batch_norm()(x))
        x = layers.Concatenate()([x, layers.Conv2D(growth, 3, padding="same", use_bias=False, name=f"grow{i}")(y)])
        x = layers.AveragePooling2D(2)(x) if i == 1 else x
    return classifier(inputs, layers.GlobalAveragePooling2D()(layers.ReLU()(batch_norm()(x))), data.classes)


@network
def branches(data: Data) -> Any:
    """Convolutions over 3, 5 and 9 points side by side, and their maxima over time (sequences)."""
    inputs = keras.Input(data.shape)
    parts = []
    for size in (3, 5, 9):
        x = layers.Conv1D(12, size, padding="same", name=f"conv_k{size}")(inputs)
        x = layers.Activation("relu", name=f"act_k{size}")(x)
        x = layers.Conv1D(12, size, strides=2, activation="relu", name=f"deep_k{size}")(x)
        parts.append(layers.Flatten()(layers.MaxPooling1D(8)(x)))
    x = layers.Dense(32, activation="relu", name="hidden")(layers.Concatenate()(parts))
    return classifier(inputs, x, data.classes, "output")


@network
def wavenet(data: Data, *, width: int = 16) -> Any:
    """Dilated causal convolutions with tanh × sigmoid gates and shortcuts (sequences)."""
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(width, 3, padding="causal", name="stem")(inputs)
    for i, step in enumerate((1, 2, 4)):
        options: dict[str, Any] = {"padding": "causal", "dilation_rate": step}
        a = layers.Conv1D(width, 3, activation="tanh", name=f"signal{i}", **options)(x)
        b = layers.Conv1D(width, 3, activation="sigmoid", name=f"gate{i}", **options)(x)
        x = layers.Add()([x, layers.Conv1D(width, 1, name=f"mix{i}")(layers.Multiply()([a, b]))])
    return classifier(inputs, layers.GlobalMaxPooling1D()(layers.Activation("relu")(x)), data.classes)


# Attending


class Scale(layers.Layer):
    """A factor per channel, which begins near zero (ConvNeXt's layer scale)."""

    def build(self, shape: Any) -> None:
        """One factor a channel."""
        self.factor = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(1e-2), name="factor")

    def call(self, inputs: Any) -> Any:
        """The scaled inputs."""
        return inputs * self.factor


@network
def convnext(data: Data, *, width: int = 24, blocks: int = 2) -> Any:
    """Patches, depthwise 5 × 5, layer normalization, an inverted bottleneck with GELU, layer scale."""
    inputs = keras.Input(data.shape)
    x = layers.LayerNormalization()(layers.Conv2D(width, 2, strides=2, name="stem")(inputs))
    for i in range(blocks):
        y = layers.LayerNormalization()(layers.DepthwiseConv2D(5, padding="same", name=f"dw{i}")(x))
        y = layers.Dense(2 * width, activation="gelu", name=f"up{i}")(y)
        x = layers.Add()([x, Scale()(layers.Dense(width, name=f"down{i}")(y))])
    return classifier(inputs, layers.LayerNormalization()(layers.GlobalAveragePooling2D()(x)), data.classes)


@network
def attentive(data: Data, /, *, width: int = 24, **d1: Any) -> Any:
    """Convolutions over time, then self-attention and a dense layer ``d1`` (sequences)."""
    inputs = keras.Input(data.shape)
    x = layers.Conv1D(width, 5, strides=2, activation="silu", name="c1")(inputs)
    x = layers.Conv1D(width, 3, strides=2, activation="silu", name="c2")(x)
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(2, 12, name="attention")(y, y)])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return classifier(inputs, layers.Dense(48, activation="relu", name="d1", **d1)(x), data.classes)


@network
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
    return classifier(inputs, x, data.classes, "head")


# Images to images


@network
def unet(data: Data, *, head: Any = "sigmoid") -> Any:
    """Down, up, and a bridge at each size; one map out."""
    options: dict[str, Any] = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    inputs = keras.Input(data.shape)
    a = layers.Conv2D(12, 3, name="down1", **options)(inputs)
    b = layers.Conv2D(24, 3, name="down2", **options)(layers.MaxPooling2D()(a))
    x = layers.Conv2D(24, 3, name="deep", **options)(layers.MaxPooling2D()(b))
    x = layers.Concatenate()([layers.Conv2DTranspose(24, 2, strides=2, name="up2")(x), b])
    x = layers.Conv2D(24, 3, name="join2", **options)(x)
    x = layers.Concatenate()([layers.Conv2DTranspose(12, 2, strides=2, name="up1")(x), a])
    x = layers.Conv2D(12, 3, name="join1", **options)(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation=head, name="out")(x))


@network
def segmenter(data: Data, *, classes: int = 1, head: Any = "sigmoid", norm: bool = False) -> Any:
    """A U-Net that goes up by repeating pixels: ``enc1``, ``enc2``, ``bottleneck``, ``dec2``, ``dec1``, ``mask``."""

    def conv(width: int, name: str, x: Any) -> Any:
        x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name=name)(x)
        x = batch_norm(f"{name}_bn")(x) if norm else x
        return layers.ReLU(name=f"{name}_relu")(x)

    inputs = keras.Input(data.shape)
    one = conv(12, "enc1", inputs)
    two = conv(20, "enc2", layers.MaxPooling2D()(one))
    x = conv(24, "bottleneck", layers.MaxPooling2D()(two))
    x = conv(20, "dec2", layers.Concatenate()([layers.UpSampling2D()(x), two]))
    x = conv(12, "dec1", layers.Concatenate()([layers.UpSampling2D()(x), one]))
    return keras.Model(inputs, layers.Conv2D(classes, 1, activation=head, name="mask")(x))


@network
def autoencoder(data: Data) -> Any:
    """Strided convolutions down, transposed ones up, images out."""
    options: dict[str, Any] = {"padding": "same", "activation": "relu", "strides": 2}
    return keras.Sequential(
        [
            keras.Input(data.shape),
            layers.Conv2D(16, 3, name="down1", **options),
            layers.Conv2D(8, 3, name="down2", **options),
            layers.Conv2DTranspose(8, 3, name="up1", **options),
            layers.Conv2DTranspose(16, 3, name="up2", **options),
            layers.Conv2D(data.shape[-1], 3, padding="same", activation="sigmoid", name="image"),
        ]
    )


@network
def dense_autoencoder(
    data: Data, /, *, widths: tuple[int, ...] = (64, 16, 64), activation: Any = "relu", head: Any = "sigmoid",
    init: Any = "glorot_uniform", **of: Any,
) -> Any:  # fmt: skip
    """Flattened images through dense layers ``layer1`` … back to images; ``pixels`` is the last of them."""
    shape = data.shape
    stack: list[Any] = [keras.Input(shape), layers.Flatten()]
    for i, width in enumerate(widths, 1):
        usual = {"activation": activation, "kernel_initializer": init} | of.get(f"layer{i}", {})
        stack.append(layers.Dense(width, name=f"layer{i}", **usual))
    size = shape[0] * shape[1] * shape[2]
    return keras.Sequential([*stack, layers.Dense(size, activation=head, name="pixels"), layers.Reshape(shape)])


@network
def conv_autoencoder(data: Data, *, head: Any = "sigmoid", between: tuple[Any, ...] = ()) -> Any:
    """Pooled convolutions down, upsampled ones up, as in Keras' blog; ``between`` follow the code."""
    options: dict[str, Any] = {"padding": "same", "activation": "relu"}
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


# Others


@network
def lenet(data: Data, /, *, activation: Any = "relu", norm: bool = False, head: Any = "softmax", **rest: Any) -> Any:
    """Functional, in the names of the paper: ``C1``, ``S2``, ``C3``, ``S4``, ``F5``, ``F6``, ``output``."""

    def active(x: Any, name: str) -> Any:
        x = batch_norm(f"{name}_bn")(x) if norm else x
        return layers.Activation(activation, name=f"{name}_act")(x)

    inputs = keras.Input(data.shape)
    x = active(layers.Conv2D(6, 5, padding="same", name="C1", **rest)(inputs), "C1")
    x = layers.AveragePooling2D(2, name="S2")(x)
    x = active(layers.Conv2D(16, 5, padding="same", name="C3", **rest)(x), "C3")
    x = layers.Flatten()(layers.AveragePooling2D(2, name="S4")(x))
    x = active(layers.Dense(60, name="F5", **rest)(x), "F5")
    x = active(layers.Dense(42, name="F6", **rest)(x), "F6")
    return classifier(inputs, x, data.classes, "output", head)


@network
def all_convolutional(data: Data) -> Any:
    """Strided convolutions only, a map for each class, and means of these (Springenberg et al. 2015)."""
    inputs = x = keras.Input(data.shape)
    for i, (width, strides) in enumerate(((16, 1), (16, 2), (32, 1), (32, 2)), 1):
        x = layers.Conv2D(width, 3, strides, "same", activation="relu", name=f"conv{i}")(x)
    x = layers.Conv2D(data.classes, 1, name="class_maps")(x)
    return keras.Model(inputs, layers.Softmax(name="shares")(layers.GlobalAveragePooling2D()(x)))


def distance(data: Data, epsilon: float) -> Any:
    """Siamese: the distance of two images' embeddings by one shared encoder; ``epsilon`` below the root."""
    inputs = keras.Input(data.shape)
    x = layers.Conv2D(16, 3, strides=2, activation="relu", name="c1")(inputs)
    x = layers.Conv2D(24, 3, strides=2, activation="relu", name="c2")(x)
    shared = keras.Model(inputs, layers.Dense(16, name="embedding")(layers.Flatten()(x)), name="encoder")
    left, right = keras.Input(data.shape), keras.Input(data.shape)
    apart = layers.Lambda(lambda ab: ops.sqrt(ops.sum((ab[0] - ab[1]) ** 2, axis=-1, keepdims=True) + epsilon))
    return keras.Model([left, right], apart([shared(left), shared(right)]))


def encoding(width: int = 16) -> list[Any]:
    """Layers from images to vectors."""
    return [
        layer.Conv2D(16, 3, strides=2, activation="relu", name="conv1"),
        layer.Conv2D(24, 3, strides=2, activation="relu", name="conv2"),
        layer.Flatten(name="flatten"),
        layer.Dense(width, name="embedding"),
    ]


def encoder(shape: tuple[int, ...], width: int = 16) -> Any:
    """These layers as a model for others to share."""
    return keras.Sequential([keras.Input(shape), *made(encoding(width))], name="encoder")


class Net(keras.Model):
    """As PyTorch users write it: layers made in ``__init__``, functions between them in ``call``."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(16, 3, padding="same", name="conv1")
        self.bn1 = batch_norm("bn1")
        self.conv2 = layers.Conv2D(32, 3, strides=2, padding="same", name="conv2")
        self.bn2 = batch_norm("bn2")
        self.fc = layers.Dense(classes, name="fc")

    def call(self, x: Any, training: bool = False) -> Any:
        """Logits."""
        x = ops.relu(self.bn1(self.conv1(x), training=training))
        x = ops.relu(self.bn2(self.conv2(ops.max_pool(x, 2)), training=training))
        return self.fc(ops.mean(x, axis=(1, 2)))


class Subclassed(keras.Model):
    """The same without normalization, by maxima over places."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(16, 3, name="conv1")
        self.conv2 = layers.Conv2D(32, 3, name="conv2")
        self.pool = layers.GlobalMaxPooling2D()
        self.head = layers.Dense(classes, name="head")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Logits."""
        x = ops.relu(self.conv1(inputs))
        return self.head(self.pool(ops.relu(self.conv2(x))))


@network
def written_as_class(data: Data, kind: Callable[[int], Any] = Net) -> Any:
    """A built model of a class."""
    model = kind(data.classes)
    model(data.x[:2])
    return model


def _adapted(data: str, /, factor: float = 1.0, **options: Any) -> Any:
    scaling = layers.Normalization(**options)
    scaling.adapt(factor * load(data).x)
    return scaling


# A ``Normalization`` that has seen the data of this name, each value times the factor.
adapted = lazily(_adapted)

# Training steps of one's own


def apply_gradients(model: Any, y: Any, weights: Any, loss: Any, answers: Any, gradients: Any) -> Any:
    """Step, and the metrics of it."""
    model.optimizer.apply_gradients(zip(gradients, weights, strict=True))
    for metric in model.metrics:
        metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, answers)
    return {m.name: m.result() for m in model.metrics}


def step_on(model: Any, data: Any, weights: Any) -> Any:
    """A training step of these weights alone."""
    return apply_gradients(model, data[1], weights, *loss_gradients(model, *data, weights, training=True))
