"""Units removed by surgery, checked by the outputs of the network before and after."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.lib.stride_tricks import sliding_window_view

from tb_cnndiag.adjust import apply
from tb_cnndiag.adjust.chain import SurgeryError, chain_of
from tb_cnndiag.adjust.surgery import cut
from tb_cnndiag.changes import SetParameter, SetTraining
from tb_cnndiag.finding import Adjustment, Finding

WIDTH = 6


def _finding(fault: str, layer: str, units: Any, *adjustments: Adjustment) -> Finding:
    return Finding(".", fault, layer, "error", 0, 10, "", adjustments=adjustments, units=units)


def _twins(layer: str, *groups: tuple[int, ...], width: int | None = None) -> Finding:
    change = SetParameter(layer, "filters", width or 1)
    return _finding("redundant_filters", layer, groups, Adjustment.of(change, "", "because"))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _images(rng: np.random.Generator, channels: int = 2) -> Any:
    return rng.normal(1, 2, (12, 8, 8, channels)).astype("float32")


def _network(activation: str = "relu", *, norm: bool = True, add: bool = False) -> Any:
    """Convolution, perhaps batch normalization, activation, pooling, convolution, dense."""
    stack = [
        keras.Input((8, 8, 2)),
        layers.Conv2D(WIDTH, 3, name="conv", bias_initializer="normal"),
        *([layers.BatchNormalization(name="norm")] if norm else []),
        layers.Activation(activation),
        layers.MaxPooling2D(),
        layers.Conv2D(5, 2, activation="relu", name="reader"),
        layers.Flatten(),
        layers.Dense(3, name="head"),
    ]
    if add:
        model = keras.Sequential()
        for layer in stack:
            model.add(layer)
    else:
        model = keras.Sequential(stack)
    model.compile("sgd", "mse")
    return model


def _conv(x: Any, kernel: Any, bias: Any) -> Any:
    """A valid convolution, one product at a time."""
    windows = sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nhwcij,ijco->nhwo", windows, kernel) + bias


def _by_hand(model: Any, x: Any, activation: Any) -> Any:
    """The outputs of ``_network`` from its weights alone, in float64."""
    weights = {layer.name: [np.asarray(w, np.float64) for w in layer.get_weights()] for layer in model.layers}
    z = _conv(x.astype(np.float64), *weights["conv"])
    if "norm" in weights:
        gamma, beta, mean, variance = weights["norm"]
        z = gamma * (z - mean) / np.sqrt(variance + model.get_layer("norm").epsilon) + beta
    y = activation(z)
    n, h, w, c = y.shape
    y = y.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4))
    y = np.maximum(_conv(y, *weights["reader"]), 0)
    kernel, bias = weights["head"]
    return y.reshape(n, -1) @ kernel + bias


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def _set(model: Any, name: str, **values: Any) -> None:
    """Set entries of a layer's weights: ``gamma={3: -1.0}``, ``kernel={3: ...}``."""
    layer = model.get_layer(name)
    for variable, entries in values.items():
        array = np.array(keras.ops.convert_to_numpy(getattr(layer, variable)))
        for unit, value in entries.items():
            array[..., unit] = value
        getattr(layer, variable).assign(array)


def _settled(model: Any, x: Any, rng: np.random.Generator) -> None:
    """The batch normalization as after training: averages of the data, γ of both signs, β of any size."""
    z = keras.ops.convert_to_numpy(model.get_layer("conv")(x))
    gamma = rng.uniform(0.5, 2, WIDTH) * np.array([1, 1, -1, 1, 1, -1])
    model.get_layer("norm").set_weights([gamma, rng.normal(0, 1, WIDTH), z.mean((0, 1, 2)), z.var((0, 1, 2))])


def _same_kernel(model: Any, first: int, second: int, scale: float) -> None:
    conv = model.get_layer("conv")
    kernel, bias = conv.get_weights()
    _set(model, "conv", kernel={second: scale * kernel[..., first]}, bias={second: scale * bias[first]})


def _answers_alike(model: Any, new: Any, x: Any, activation: Any = _relu, atol: float = 2e-4) -> None:
    """Before and after surgery, by Keras and by hand."""
    expected = _by_hand(model, x, activation)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(x, training=False)), expected, atol=1e-3)
    np.testing.assert_allclose(_by_hand(new, x, activation), expected, atol=atol)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(new(x, training=False)), expected, atol=1e-3)


class TestWithoutNormalization:
    @pytest.mark.parametrize("add", [False, True])
    def test_a_twin_of_another_size_is_read_through_the_first(self, rng: np.random.Generator, add: bool) -> None:
        model, x = _network(norm=False, add=add), _images(rng)
        _same_kernel(model, 0, 3, 1.7)
        new, left = apply(model, [_twins("conv", (0, 3))])
        assert not left
        assert new.get_layer("conv").filters == WIDTH - 1
        _answers_alike(model, new, x)

    def test_a_bounded_activation_takes_twins_of_the_same_size(self, rng: np.random.Generator) -> None:
        model, x = _network("tanh", norm=False), _images(rng)
        _same_kernel(model, 0, 3, 1.7)
        _same_kernel(model, 1, 4, 1.0)
        new, left = apply(model, [_twins("conv", (0, 3), (1, 4))])
        assert not left
        assert new.get_layer("conv").filters == WIDTH - 1
        _answers_alike(model, new, x, np.tanh)


class TestBatchNormalization:
    def test_twins(self, rng: np.random.Generator) -> None:
        """The same pattern with another scale, γ and β: each response is a multiple of the first."""
        model, x = _network(), _images(rng)
        _same_kernel(model, 0, 3, 1.7)
        _settled(model, x, rng)
        gamma, beta, *_ = model.get_layer("norm").get_weights()
        _set(model, "norm", gamma={3: 2 * gamma[0]}, beta={3: 2 * beta[0]})
        model.get_layer("norm").epsilon = 0.0
        new, left = apply(model, [_twins("conv", (0, 3))])
        assert not left
        assert new.get_layer("norm").gamma.shape == (WIDTH - 1,)
        _answers_alike(model, new, x)

    @pytest.mark.parametrize("shift", [(0.7, -0.7), (0.0, 1.0)])
    def test_units_with_another_beta_are_not_twins(self, rng: np.random.Generator, shift: tuple[float, float]) -> None:
        model, x = _network(), _images(rng) / 100  # small inputs: cosines of kernels and shifts hide β
        _same_kernel(model, 0, 3, 1.0)
        _settled(model, x, rng)
        _set(model, "norm", gamma={0: 1.0, 3: 1.0}, beta={0: shift[0], 3: shift[1]})
        new, left = apply(model, [_twins("conv", (0, 3))])
        assert left == ("conv: filters are not merged: none is close enough to another",)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(new(x)), keras.ops.convert_to_numpy(model(x)))

    def test_units_with_gamma_of_opposite_sign_are_not_twins(self, rng: np.random.Generator) -> None:
        model, x = _network(), _images(rng)
        _same_kernel(model, 0, 3, 1.0)
        _settled(model, x, rng)
        _set(model, "norm", gamma={0: 1.0, 3: -1.0}, beta={0: 0.1, 3: 0.1})
        new, left = apply(model, [_twins("conv", (0, 3))])
        assert left == ("conv: filters are not merged: none is close enough to another",)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(new(x)), keras.ops.convert_to_numpy(model(x)))

    def test_mirrored_kernels_with_gamma_of_opposite_sign_are_twins(self, rng: np.random.Generator) -> None:
        model, x = _network(), _images(rng)
        _same_kernel(model, 0, 3, -1.5)
        _settled(model, x, rng)
        _set(model, "norm", gamma={0: 1.0, 3: -1.0}, beta={0: 0.1, 3: 0.1})
        model.get_layer("norm").epsilon = 0.0
        new, left = apply(model, [_twins("conv", (0, 3))])
        assert not left
        assert new.get_layer("conv").filters == WIDTH - 1
        _answers_alike(model, new, x)

    def test_units_whose_moving_means_differ_are_not_twins(self, rng: np.random.Generator) -> None:
        model, x = _network(), _images(rng)
        _same_kernel(model, 0, 3, 1.0)
        _settled(model, x, rng)
        norm = model.get_layer("norm")
        mean, deviation = float(norm.moving_mean[0]), float(np.sqrt(norm.moving_variance[0]))
        _set(model, "norm", gamma={0: 1.0, 3: 1.0}, beta={0: 0.3, 3: 0.3}, moving_mean={3: mean + deviation})
        new, left = apply(model, [_twins("conv", (0, 3))])
        assert len(left) == 1
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(new(x)), keras.ops.convert_to_numpy(model(x)))

    @pytest.mark.parametrize("seed", range(4))
    def test_what_is_merged_changes_next_to_nothing(self, seed: int) -> None:
        """Kernels nearly the same, any γ and β: either refused, or the outputs stay within a few percent."""
        rng = np.random.default_rng(seed)
        model, x = _network(), _images(rng)
        _same_kernel(model, 0, 3, 1.3)
        kernel = model.get_layer("conv").get_weights()[0]
        noise = rng.normal(0, 0.05 * kernel.std(), kernel.shape[:-1])
        _set(model, "conv", kernel={3: kernel[..., 3] + noise})
        _settled(model, x, rng)
        gamma, beta, *_ = model.get_layer("norm").get_weights()
        if seed % 2:
            _set(model, "norm", gamma={3: gamma[0] * 1.1}, beta={3: beta[0] * 1.1})
        new, left = apply(model, [_twins("conv", (0, 3))])
        assert bool(left) == (not seed % 2)
        before = _by_hand(model, x, _relu)
        change = _by_hand(new, x, _relu) - before
        assert np.linalg.norm(change) < 0.05 * np.linalg.norm(before - before.mean(axis=0))

    @pytest.mark.parametrize("dead", [True, False])
    def test_behind_the_activation_it_is_refused(self, rng: np.random.Generator, dead: bool) -> None:
        """A dead unit is not 0 there: the normalization turns it into a constant that is read."""
        model = keras.Sequential(
            [
                keras.Input((8, 8, 2)),
                layers.Conv2D(WIDTH, 3, activation="relu", name="conv"),
                layers.BatchNormalization(name="norm", beta_initializer="normal"),
                layers.Conv2D(3, 1, name="reader"),
            ]
        )
        model.compile("sgd", "mse")
        _set(model, "conv", bias={2: -100.0})
        finding = _finding("dead_units", "conv", (2,)) if dead else _twins("conv", (0, 3))
        new, left = apply(model, [finding])
        assert left == ("conv: units are not removed: norm normalizes the output of the activation of conv",)
        x = _images(rng)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(new(x)), keras.ops.convert_to_numpy(model(x)))

    def test_behind_a_pooling_it_is_refused(self) -> None:
        stack = [
            layers.Conv2D(4, 3, name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.BatchNormalization(name="n"),
        ]
        model = keras.Sequential([keras.Input((8, 8, 2)), *stack, layers.Conv2D(3, 1)])
        with pytest.raises(SurgeryError, match="n normalizes the output of pool"):
            chain_of(model, model.get_layer("conv"))

    def test_dead_units(self, rng: np.random.Generator) -> None:
        model, x = _network(), _images(rng)
        _settled(model, x, rng)
        # Unit 1 never fires, 4 is constant 2, and 5 is constant 0.
        _set(model, "norm", gamma={1: 1.0, 4: 0.0, 5: 0.0}, beta={1: -100.0, 4: 2.0, 5: -1.0})
        changes = [SetParameter("conv", "activation", "leaky_relu"), SetTraining("learning_rate", 0.5)]
        new, left = apply(
            model, [_finding("dead_units", "conv", (1, 4, 5), *(Adjustment.of(c, "", "because") for c in changes))]
        )
        assert not left
        assert new.get_layer("conv").filters == WIDTH - 2
        assert new.optimizer.get_config()["learning_rate"] == 0.5
        _answers_alike(model, new, x)


class TestDeadUnits:
    def test_they_leave_nothing(self) -> None:
        model = _network(norm=False)
        _set(model, "conv", bias={2: -100.0, 5: -100.0})
        conv, reader = model.get_layer("conv"), model.get_layer("reader")
        done = cut(chain_of(model, conv), dead=(2, 5))
        assert done is not None
        assert done.units == WIDTH - 2
        assert done.weights[id(conv)][0].shape == (3, 3, 2, WIDTH - 2)
        assert done.weights[id(reader)][0].shape == (2, 2, WIDTH - 2, 5)

    def test_a_layer_that_is_dead_as_a_whole_is_fixed_instead(self) -> None:
        change = Adjustment.of(SetParameter("conv", "bias_initializer", "zeros"), "", "because")
        new, left = apply(_network(), [_finding("dead_units", "conv", tuple(range(WIDTH)), change)])
        assert not left
        assert new.get_layer("conv").filters == WIDTH


def test_twins_in_two_layers_in_a_row(rng: np.random.Generator) -> None:
    model, x = _network(norm=False), _images(rng)
    _same_kernel(model, 0, 3, 1.7)
    kernel, bias = model.get_layer("reader").get_weights()
    _set(model, "reader", kernel={4: kernel[..., 1]}, bias={4: bias[1]})
    new, left = apply(model, [_twins("conv", (0, 3)), _twins("reader", (1, 4))])
    assert not left
    assert (new.get_layer("conv").filters, new.get_layer("reader").filters) == (WIDTH - 1, 4)
    _answers_alike(model, new, x)
    new, left = apply(model, [_twins("reader", (1, 4)), _twins("conv", (0, 3))], samples=x)
    assert not left
    np.testing.assert_allclose(keras.ops.convert_to_numpy(new(x)), keras.ops.convert_to_numpy(model(x)), atol=2e-3)


class TestRefused:
    def _branched(self) -> Any:
        inputs = keras.Input((8, 8, 2))
        x = layers.Conv2D(4, 1, activation="relu", name="conv")(inputs)
        y = layers.Add(name="sum")([x, layers.Conv2D(4, 1, name="shortcut")(inputs)])
        return keras.Model(inputs, layers.Conv2D(2, 1, name="reader")(y))

    def test_units_that_are_added_to_others(self) -> None:
        model = self._branched()
        model.compile("sgd", "mse")
        with pytest.raises(SurgeryError, match="sum joins conv"):
            chain_of(model, model.get_layer("conv"))
        new, left = apply(model, [_twins("conv", (0, 1), width=3)])
        assert left == ("conv: units are not removed: sum joins conv with others",)
        np.testing.assert_array_equal(new.get_layer("conv").kernel, model.get_layer("conv").kernel)

    def test_units_that_the_model_returns(self) -> None:
        inputs = keras.Input((8, 8, 2))
        features = layers.Conv2D(4, 1, name="conv")(inputs)
        model = keras.Model(inputs, [features, layers.Conv2D(2, 1)(features)])
        with pytest.raises(SurgeryError, match="conv is an output"):
            chain_of(model, model.get_layer("conv"))

    def test_units_whose_reader_reads_others_too(self) -> None:
        inputs = keras.Input((8, 8, 4))
        reader = layers.Conv2D(2, 1, name="reader")
        x = layers.Conv2D(4, 1, name="conv")(inputs)
        model = keras.Model(inputs, layers.Add()([reader(x), reader(inputs)]))
        with pytest.raises(SurgeryError, match="reader is called 2 times"):
            chain_of(model, model.get_layer("conv"))

    def test_two_activations_in_a_row(self) -> None:
        stack = [layers.Conv2D(4, 1, activation="relu", name="conv"), layers.Activation("sigmoid", name="squash")]
        model = keras.Sequential([keras.Input((8, 8, 2)), *stack, layers.Conv2D(2, 1)])
        with pytest.raises(SurgeryError, match="conv and squash are two activations"):
            chain_of(model, model.get_layer("conv"))

    def test_softmax_over_the_units(self) -> None:
        model = keras.Sequential(
            [keras.Input((4,)), layers.Dense(4, activation="softmax", name="gate"), layers.Dense(2)]
        )
        with pytest.raises(SurgeryError, match="softmax"):
            chain_of(model, model.get_layer("gate"))
