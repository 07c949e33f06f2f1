"""What is certain about units without data, against what the model computes for random inputs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag.capture.model_inspector import ModelInspector


def _facts(model: Any) -> tuple[ModelInspector, dict[str, dict[str, np.ndarray]]]:
    inspector = ModelInspector({"": model})
    inspector.trace()
    return inspector, inspector.facts()


def _model(rescale: bool = True) -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = layers.Rescaling(1 / 255)(inputs) if rescale else inputs
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv_a")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(5, 3, use_bias=False, name="conv_b")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="bn_b")(x))
    y = layers.Conv2D(5, 1, activation="relu", name="conv_c")(x)
    x = layers.Concatenate()([layers.Add()([x, y]), y])
    x = layers.Dense(4, name="head", activation="softmax")(layers.Flatten()(x))
    return keras.Model(inputs, x)


@pytest.fixture
def damaged() -> keras.Model:
    model = _model()
    kernel, bias = model.get_layer("conv_a").get_weights()
    kernel[..., 0] = 0  # a zero filter
    bias[0] = -1
    kernel[..., 1] = -np.abs(kernel[..., 1])  # never above zero for pixels
    bias[1] = 0
    bias[2] = -1e4  # below its bounds
    kernel[..., 3] = 1e-33
    model.get_layer("conv_a").set_weights([kernel, bias])
    gamma, beta, mean, variance = model.get_layer("bn_b").get_weights()
    gamma[2], beta[2] = 0, -0.5
    model.get_layer("bn_b").set_weights([gamma, beta, mean, variance])
    kernel = model.get_layer("conv_b").get_weights()[0]
    kernel[:, :, 4] = 0  # the fifth unit of conv_a is not read
    model.get_layer("conv_b").set_weights([kernel])
    return model


def test_what_is_constant_is_constant_for_random_pixels(damaged, rng):
    _, facts = _facts(damaged)
    constant = {path: data["lowest"] == data["highest"] for path, data in facts.items()}
    np.testing.assert_array_equal(np.flatnonzero(constant["conv_a"]), [0, 1, 2, 3])
    np.testing.assert_array_equal(np.flatnonzero(constant["conv_b"]), [2])
    x = rng.integers(0, 256, (64, 8, 8, 3)).astype(np.float32)
    for path, end in (("conv_a", "conv_a"), ("conv_b", "re_lu"), ("conv_c", "conv_c")):
        layer = next(each for each in damaged.layers if each.name.startswith(end))
        seen = np.asarray(keras.Model(damaged.inputs, layer.output)(x))
        low, high = seen.min(axis=(0, 1, 2)), seen.max(axis=(0, 1, 2))
        assert (low >= facts[path]["lowest"] - 1e-4).all()
        assert (high <= facts[path]["highest"] + 1e-4).all()
        # The unit whose weights are lost in rounding varies by 1e-30.
        assert (high - low)[constant[path]].max(initial=0) < 1e-25


def test_units_that_are_read_with_zeros_do_not_change_the_answers(damaged, rng):
    _, facts = _facts(damaged)
    np.testing.assert_array_equal(np.flatnonzero(facts["conv_a"]["read"] == 0), [4])
    assert np.isinf(facts["conv_c"]["read"]).all()  # it is added to another
    assert facts["conv_a"]["read_parameters"][0] == 9 * 5
    x = rng.integers(0, 256, (8, 8, 8, 3)).astype(np.float32)
    before = np.asarray(damaged(x))
    kernel, bias = damaged.get_layer("conv_a").get_weights()
    kernel[..., 4] = 7
    damaged.get_layer("conv_a").set_weights([kernel, bias])
    np.testing.assert_array_equal(np.asarray(damaged(x)), before)


def test_without_a_rescaling_the_input_is_unbounded():
    model = _model(rescale=False)
    _, facts = _facts(model)
    assert np.isinf(facts["conv_a"]["highest"]).all()
    assert (facts["conv_a"]["lowest"] == 0).all()


def test_a_layer_that_is_not_called_is_noticed():
    class Forgetful(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.used = layers.Dense(3, name="used")
            self.unused = layers.Dense(3, name="unused")
            self.inputs_spec = None

        def call(self, x: Any) -> Any:
            return self.used(x)

    model = keras.Sequential([keras.Input((4,)), Forgetful()])
    model.layers[0].unused.build((None, 4))
    _, facts = _facts(model)
    called = {path.split("/")[-1]: float(data["called"]) for path, data in facts.items()}
    assert called == {"used": 1.0, "unused": 0.0}


def test_a_plain_function_reads_all_units():
    class Plain(layers.Layer):
        def call(self, x: Any) -> Any:
            return keras.ops.max(x, axis=-1, keepdims=True)

    inputs = keras.Input((4,))
    x = Plain()(layers.Dense(3, name="first")(inputs))
    model = keras.Model(inputs, layers.Dense(2, name="second")(x))
    _, facts = _facts(model)
    assert np.isinf(facts["first"]["read"]).all()
    assert np.isinf(facts["second"]["highest"]).all()
