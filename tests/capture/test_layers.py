"""Layer tables, and kernels as ``(units, fan_in)``."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tb_cnndiag.capture.kernel_graph import observed_table
from tb_cnndiag.capture.layers import find_kernel_layers
from tb_cnndiag.capture.probe import Observer
from tests.models import Subclassed, images, normalized


def _only_kernel_layer(layer: Any, shape: tuple[int, ...]) -> Any:
    model = keras.Sequential([keras.Input(shape), layer])
    (kernel_layer,) = find_kernel_layers(model)
    return kernel_layer


@pytest.mark.parametrize(
    ("layer", "shape", "role", "units", "fan_in"),
    [
        (layers.Conv1D(5, 3), (9, 2), "conv", 5, 6),
        (layers.Conv2D(5, 3), (9, 9, 2), "conv", 5, 18),
        (layers.Conv3D(5, 2), (4, 4, 4, 2), "conv", 5, 16),
        (layers.Conv2D(6, 3, groups=2), (9, 9, 4), "conv", 6, 18),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (9, 9, 4), "depthwise_conv", 8, 9),
        (layers.SeparableConv2D(5, 3), (9, 9, 4), "conv", 5, 4),
        (layers.Conv2DTranspose(5, 3), (9, 9, 2), "transposed_conv", 5, 18),
        (layers.Dense(7), (4,), "dense", 7, 4),
        (layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), (5, 4), "dense", 6, 4),
    ],
    ids=lambda value: getattr(value, "name", None) and type(value).__name__,
)
def test_kernels_have_a_row_per_unit(
    layer: Any, shape: tuple[int, ...], role: str, units: int, fan_in: int, rng: np.random.Generator
) -> None:
    """A unit's row holds exactly the weights that its output depends on, so they affect no other unit."""
    kernel_layer = _only_kernel_layer(layer, shape)
    assert (kernel_layer.role, kernel_layer.units) == (role, units)
    kernel = kernel_layer.kernel()
    assert kernel.shape == (units, fan_in)
    x = tf.constant(rng.normal(size=(1, *shape)).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        y = layer(x)
        outputs = [tf.reduce_sum(part) for part in tf.split(tf.reshape(y, (-1, units)), units, axis=1)]
    for unit, output in enumerate(outputs):
        gradient = tape.gradient(output, kernel_layer.variable.value)
        rows = KernelView(kernel_layer, tf.convert_to_tensor(gradient)).rows()
        used = np.flatnonzero(np.abs(rows).sum(axis=1))
        assert used.tolist() == [unit]


class KernelView:
    """The rows of any tensor of the kernel's shape, computed by the same code as for the kernel itself."""

    def __init__(self, kernel_layer: Any, value: Any) -> None:
        self._layer, self._value = kernel_layer, value

    def rows(self) -> Any:
        return type(self._layer)(self._layer.layer, "", "", keras.Variable(self._value), self._layer.unit_axes).kernel()


def _table(model: Any, x: Any) -> dict[str, Any]:
    kernel_layers = find_kernel_layers(model)
    observer = Observer(model, kernel_layers)
    observer.observe(x, ["sample_max"])
    return {row.path: row for row in observed_table(kernel_layers, observer.recording, observer.observed)}


def test_a_layer_is_observed_after_its_normalization_and_activation(rng: np.random.Generator) -> None:
    row = _table(normalized(), images(rng)[0])["conv_a"]
    assert (row.activation, row.normalization, row.seen_at) == ("relu", "bn_a", "relu_a")
    assert row.output_shape == (10, 10, 6)


def test_a_normalization_after_activation_and_pooling_is_found() -> None:
    stack = [keras.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    model = keras.Sequential([*stack, layers.BatchNormalization(name="norm"), layers.Dense(2)])
    conv, dense = _table(model, np.zeros((4, 8, 8, 1), np.float32)).values()
    assert (conv.normalization, conv.normalization_class) == ("norm", "BatchNormalization")
    assert not conv.normalization_frozen
    model.get_layer("norm").trainable = False
    assert next(iter(_table(model, np.zeros((4, 8, 8, 1), np.float32)).values())).normalization_frozen
    assert (dense.normalization, dense.normalization_class) == ("", "")


def test_a_function_in_a_subclassed_model_is_found_in_the_graph(rng: np.random.Generator) -> None:
    model = Subclassed()
    model(images(rng)[0][:1])
    table = _table(model, images(rng)[0])
    assert table["conv"].activation == "relu"
    assert table["conv"].normalization == "norm"
    assert table["head"].inputs == (0,)
    assert table["head"].output


def test_paths_of_nested_shared_and_equally_named_layers() -> None:
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, name="conv")], name="inner")
    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    joined = layers.Concatenate()([inner(a), inner(b)])
    model = keras.Model([a, b], layers.Conv2D(3, 3, name="last")(joined))
    table = _table(model, [np.ones((4, 8, 8, 1), np.float32)] * 2)
    assert list(table) == ["inner/conv", "last"]
    assert table["last"].inputs == (0,)

    class Twins(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = layers.Dense(2, name="fc"), layers.Dense(2, name="fc")

        def call(self, x: Any) -> Any:
            return self.second(self.first(x))

    twins = Twins()
    twins(np.ones((1, 3), np.float32))
    assert [layer.path for layer in find_kernel_layers(twins)] == ["fc", "fc#2"]


def test_a_wrapper_that_exposes_its_inner_kernel_is_not_counted_twice() -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.SpectralNormalization(keras.layers.Conv2D(4, 3, name="inner"), name="outer"),
        ]
    )
    assert [layer.path for layer in find_kernel_layers(model)] == ["outer/inner"]


class Rounded(layers.Layer):
    """A nonlinear layer that is not part of Keras."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.round(inputs)


class Squared(keras.Model):
    """Applies a function between two layers."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.a, self.b, self.function = layers.Conv2D(4, 3, name="a"), layers.Conv2D(4, 3, name="b"), function

    def call(self, inputs: Any) -> Any:
        return self.b(self.function(self.a(inputs)))


@pytest.mark.parametrize(
    ("between", "nonlinear"),
    [
        ([], False),
        ([layers.BatchNormalization(), layers.Dropout(0.5), layers.AveragePooling2D(2)], False),
        ([layers.Activation("linear"), layers.ZeroPadding2D()], False),
        ([layers.LeakyReLU(negative_slope=1.0)], False),
        ([layers.ReLU()], True),
        ([layers.MaxPooling2D(2)], True),
        ([layers.LayerNormalization()], True),
        ([Rounded()], True),
        ([layers.Lambda(lambda x: x)], True),
    ],
)
def test_layers_between_two_kernels_are_linear_or_not(between: list[Any], nonlinear: bool) -> None:
    stack = [keras.Input((12, 12, 1)), layers.Conv2D(4, 3, name="a"), *between, layers.Conv2D(4, 3, name="b")]
    first, *_ = _table(keras.Sequential(stack), np.zeros((4, 12, 12, 1), np.float32)).values()
    assert first.linear_behind != nonlinear


@pytest.mark.parametrize(("function", "nonlinear"), [(lambda x: x, False), (lambda x: x * x, True)])
def test_a_function_between_two_kernels_is_linear_or_not(function: Any, nonlinear: bool) -> None:
    model = Squared(function)
    model(x := np.zeros((4, 12, 12, 1), np.float32))
    assert _table(model, x)["a"].linear_behind != nonlinear


def test_inputs_in_a_residual_graph_and_activations_as_operations() -> None:
    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    y = keras.ops.relu(x)
    z = layers.Conv2D(4, 3, padding="same", name="second")(y)
    out = layers.Dense(2, name="head")(layers.Flatten()(layers.Add()([y, z])))
    table = _table(keras.Model(inputs, out), np.ones((4, 8, 8, 4), np.float32))
    assert table["first"].activation == "relu"
    assert table["second"].activation == "linear"
    assert table["head"].inputs == (0, 1)


def test_layers_inside_time_steps_do_not_break_the_table() -> None:
    model = keras.Sequential(
        [
            keras.Input((3, 8, 8, 1)),
            layers.TimeDistributed(layers.Conv2D(2, 3, name="conv"), name="wrapped"),
            layers.ConvLSTM2D(2, 3, name="lstm"),
            layers.Flatten(),
            layers.Dense(2, name="head"),
        ]
    )
    table = _table(model, np.ones((4, 3, 8, 8, 1), np.float32))
    assert list(table) == ["wrapped/conv", "head"]
    assert table["head"].seen_at == "head"


def test_channels_first_moves_the_unit_axis() -> None:
    kernel_layer = _only_kernel_layer(layers.Conv2D(5, 3, data_format="channels_last"), (9, 9, 2))
    assert kernel_layer.info().unit_axis == -1
    model = keras.Sequential([keras.Input((2, 9, 9)), layers.Conv2D(5, 3, data_format="channels_first", name="c")])
    assert find_kernel_layers(model)[0].info().unit_axis == 1
