"""What is carried out on a model, checked by what the model computes before and after."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag.adjust import apply
from tb_cnndiag.adjust.surgery import SurgeryError, chain_of, cut
from tb_cnndiag.finding import Adjustment, Evidence, Finding


def _finding(fault: str, *adjustments: Adjustment, layer: str | None = None, **options: Any) -> Finding:
    return Finding(".", fault, layer, "error", 0, 10, "", adjustments=adjustments, **options)


def _change(layer: str | None, parameter: str, proposed: str, current: str = "") -> Adjustment:
    return Adjustment(layer, parameter, current, proposed, "because")


def _sequential() -> Any:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(6, 2, activation="tanh", name="conv2"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _functional() -> Any:
    """With a batch normalization between the layers, and a branch."""
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv1")(inputs)
    x = layers.Activation("relu")(layers.BatchNormalization(name="bn1")(x))
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv2")(x)
    y = layers.Add(name="sum")([y, layers.Conv2D(4, 1, name="shortcut")(inputs)])
    outputs = layers.Dense(3, activation="softmax", name="head")(layers.GlobalAveragePooling2D()(y))
    model = keras.Model(inputs, outputs)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy())
    return model


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(0)


def _outputs(model: Any, rng_seed: int = 1) -> Any:
    x = np.random.default_rng(rng_seed).normal(size=(16, *model.input_shape[1:])).astype("float32")
    return np.asarray(model(x, training=False))


@pytest.mark.parametrize("build", [_sequential, _functional])
def test_nothing_to_do_gives_the_same_model_anew(build: Any) -> None:
    model = build()
    new, left = apply(model, [])
    assert new is not model
    assert not left
    assert [layer.name for layer in new.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(_outputs(new), _outputs(model))
    assert new.optimizer.get_config() == model.optimizer.get_config()


def test_training_is_changed_and_the_rest_kept() -> None:
    finding = _finding("nan_or_inf", _change(None, "learning_rate", "0.05"), _change(None, "clipnorm", "1.0"))
    new, left = apply(_sequential(), [finding])
    settings = new.optimizer.get_config()
    assert (settings["learning_rate"], settings["clipnorm"], settings["momentum"]) == (pytest.approx(0.05), 1.0, 0.9)
    assert new.loss == "sparse_categorical_crossentropy"
    assert not left
    new.fit(np.zeros((4, 8, 8, 1)), np.zeros(4), verbose=0)


def test_layers_are_changed() -> None:
    finding = _finding(
        "vanishing_gradient",
        _change("conv2", "activation", "relu"),
        _change("conv1", "normalization", "BatchNormalization", "none"),
        _change("conv1", "input", "Rescaling(1/255)"),
    )
    model = _sequential()
    new, left = apply(model, [finding])
    assert not left
    assert new.get_layer("conv2").activation is keras.activations.relu
    assert [type(layer).__name__ for layer in new.layers[:4]] == [
        "Rescaling",
        "Conv2D",
        "BatchNormalization",
        "Activation",
    ]
    np.testing.assert_array_equal(new.get_layer("conv1").kernel, model.get_layer("conv1").kernel)


def test_logits() -> None:
    new, _ = apply(_sequential(), [_finding("output_loss_mismatch", _change(None, "from_logits", "True"))])
    assert new.loss.get_config()["from_logits"] is True


def test_weights_are_drawn_anew_where_the_initializer_changes_and_everywhere_without_weights() -> None:
    model = _sequential()
    finding = _finding("bad_init", _change("conv2", "kernel_initializer", "he_normal"))
    kept, _ = apply(model, [finding])
    assert kept.get_layer("conv2").get_config()["kernel_initializer"]["class_name"] == "HeNormal"
    assert not np.array_equal(kept.get_layer("conv2").kernel, model.get_layer("conv2").kernel)
    np.testing.assert_array_equal(kept.get_layer("conv1").kernel, model.get_layer("conv1").kernel)
    drawn, _ = apply(model, [finding], weights=False)
    assert not np.array_equal(drawn.get_layer("conv1").kernel, model.get_layer("conv1").kernel)


def test_what_cannot_be_done_is_told() -> None:
    finding = _finding("nan_or_inf", _change(None, "data", "finite"), _change("conv9", "activation", "relu"))
    _, left = apply(_sequential(), [finding])
    assert len(left) == 2
    assert left[0].startswith("training: - data")


def test_what_follows_from_a_cause_is_left_alone() -> None:
    cause = _finding("bad_init", _change("conv1", "kernel_initializer", "he_normal"))
    effect = _finding("dead_units", _change("conv1", "activation", "leaky_relu"), caused_by=cause)
    new, _ = apply(_sequential(), [cause, effect])
    assert new.get_layer("conv1").activation is keras.activations.relu


def test_a_model_written_as_a_class_is_told_the_change() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv = layers.Conv2D(4, 3, name="conv")

        def call(self, inputs: Any) -> Any:
            return self.conv(inputs)

    model = Own()
    model(np.zeros((1, 8, 8, 1)))
    same, left = apply(model, [_finding("dead_units", _change("conv", "activation", "leaky_relu", "relu"))])
    assert same is model
    assert 'conv: - activation: "relu" + activation: "leaky_relu"' in left[1]


def _twins(model: Any, name: str, pairs: list[tuple[int, int]], rng: np.random.Generator) -> None:
    """Make the second of each pair a multiple of the first."""
    layer = model.get_layer(name)
    weights = layer.get_weights()
    for first, second in pairs:
        scale = rng.uniform(0.5, 2)
        for values in weights:
            values[..., second] = scale * values[..., first]
    layer.set_weights(weights)


class TestSurgery:
    @pytest.mark.parametrize("name", ["conv1", "conv2"])
    def test_exact_twins_leave_no_trace(self, name: str, rng: np.random.Generator) -> None:
        model = _sequential()
        layer = model.get_layer(name)
        pairs = [(0, 3), (1, 4)]
        _twins(model, name, pairs, rng)
        if name == "conv2":  # tanh: only equal twins can be merged
            kernel, bias = layer.get_weights()
            kernel[..., [3, 4]], bias[[3, 4]] = kernel[..., [0, 1]], bias[[0, 1]]
            layer.set_weights([kernel, bias])
        finding = _finding("redundant_filters", _change(name, "filters", "6"), layer=name, units=((0, 3), (1, 4)))
        new, left = apply(model, [finding])
        assert not left
        assert new.get_layer(name).filters == layer.filters - 2
        assert new.count_params() < model.count_params()
        np.testing.assert_allclose(_outputs(new), _outputs(model), atol=1e-5)

    def test_batch_normalization_between(self, rng: np.random.Generator) -> None:
        model = _functional()
        _twins(model, "conv1", [(0, 1), (0, 2)], rng)
        norm = model.get_layer("bn1")
        x = rng.normal(size=(64, 8, 8, 2)).astype("float32")
        made = np.asarray(model.get_layer("conv1")(x))
        gamma, beta = rng.uniform(0.5, 2, 8), rng.normal(size=8)
        beta[[1, 2]] = beta[0] * gamma[[1, 2]] / gamma[0]
        norm.set_weights([gamma, beta, made.mean(axis=(0, 1, 2)), made.var(axis=(0, 1, 2))])
        norm.epsilon = 0.0
        finding = _finding("redundant_filters", layer="conv1", units=((0, 1, 2),))
        new, _ = apply(model, [finding])
        new.get_layer("bn1").epsilon = 0.0
        assert new.get_layer("bn1").gamma.shape == (6,)
        np.testing.assert_allclose(_outputs(new), _outputs(model), atol=1e-4)

    def test_dead_filters_leave_nothing(self) -> None:
        model = _sequential()
        kernel, bias = model.get_layer("conv1").get_weights()
        bias[[2, 5]] = -100
        model.get_layer("conv1").set_weights([kernel, bias])
        done = cut(model.get_layer("conv1"), dead=(2, 5))
        assert done.configs == {"conv1": {"filters": 6}}
        assert done.weights["conv1"][0].shape == (3, 3, 1, 6)
        assert done.weights["conv2"][0].shape == (2, 2, 6, 6)

    def test_the_network_answers_the_same_without_its_dead_filters(self, rng: np.random.Generator) -> None:
        model = _functional()
        norm = model.get_layer("bn1")
        gamma, beta = rng.uniform(0.5, 2, 8), rng.normal(size=8)
        beta[[1, 6]] = -100
        gamma[4], beta[4] = 0, 2  # held at 2, which is read
        norm.set_weights([gamma, beta, np.zeros(8), np.ones(8)])
        changes = _change("conv1", "activation", "leaky_relu"), _change(None, "learning_rate", "0.5")
        new, left = apply(model, [_finding("dead_units", *changes, layer="conv1", units=(1, 4, 6))])
        assert not left
        assert new.get_layer("conv1").filters == 6
        assert float(new.optimizer.learning_rate) == 0.5
        np.testing.assert_allclose(_outputs(new), _outputs(model), atol=1e-6)

    def test_a_layer_that_is_dead_as_a_whole_is_mended_instead(self) -> None:
        changes = (_change("conv1", "bias_initializer", "zeros"),)
        new, left = apply(_sequential(), [_finding("dead_units", *changes, layer="conv1", units=tuple(range(8)))])
        assert not left
        assert new.get_layer("conv1").filters == 8

    def test_what_is_added_to_others_is_left(self) -> None:
        with pytest.raises(SurgeryError, match="sum joins conv2"):
            chain_of(_functional().get_layer("conv2"))
        finding = _finding("redundant_filters", layer="conv2", units=((0, 1),))
        _, left = apply(_functional(), [finding])
        assert "sum joins conv2" in left[0]


def test_normalization_of_the_input_takes_its_numbers_from_the_evidence() -> None:
    evidence = {"mean": Evidence(300.0, 10, "input"), "std": Evidence(2.0, 10, "input")}
    finding = _finding("unnormalised_input", _change("conv1", "input", "Normalization"), evidence=evidence)
    new, left = apply(_sequential(), [finding])
    assert not left
    np.testing.assert_allclose(np.asarray(new.layers[0](np.full((1, 8, 8, 1), 304.0))), 2.0, rtol=1e-5)


def test_batch_normalization_becomes_group_normalization() -> None:
    change = _change("conv1", "normalization", "GroupNormalization", "BatchNormalization")
    new, left = apply(_functional(), [_finding("batch_too_small_for_bn", change)], weights=False)
    assert not left
    assert type(new.get_layer("bn1")).__name__ == "GroupNormalization"


def test_functions_of_the_users_own_are_handed_on() -> None:
    def own(shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 0.5, "float32")

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, kernel_initializer=own, name="fc")])
    model.compile("sgd", "mse")
    new, _ = apply(model, [], weights=False)
    np.testing.assert_array_equal(new.get_layer("fc").kernel, np.full((4, 3), 0.5))
