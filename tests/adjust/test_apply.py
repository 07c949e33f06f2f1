"""Adjustments carried out on a model, checked by the config and the outputs of the new model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag.adjust import apply
from tb_cnndiag.changes import Change, InsertLayer, ReplaceBatchNormalization, SetParameter, SetTraining
from tb_cnndiag.finding import Adjustment, Finding
from tb_cnndiag.summaries.codec_findings import decode_findings, encode_findings


def _finding(fault: str, *adjustments: Adjustment, layer: str | None = None, **options: Any) -> Finding:
    return Finding(".", fault, layer, "error", 0, 10, "", adjustments=adjustments, **options)


def _of(change: Change, current: str = "") -> Adjustment:
    return Adjustment.of(change, current, "because")


def _set(layer: str, parameter: str, value: Any) -> Adjustment:
    return _of(SetParameter(layer, parameter, value))


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
    return keras.ops.convert_to_numpy(model(x, training=False))


def _kernel(model: Any, layer: str) -> Any:
    return keras.ops.convert_to_numpy(model.get_layer(layer).kernel)


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
    finding = _finding("nan_or_inf", _of(SetTraining("learning_rate", 0.05)), _of(SetTraining("clipnorm", 1.0)))
    new, left = apply(_sequential(), [finding])
    settings = new.optimizer.get_config()
    assert (settings["learning_rate"], settings["clipnorm"], settings["momentum"]) == (pytest.approx(0.05), 1.0, 0.9)
    assert new.loss == "sparse_categorical_crossentropy"
    assert not left
    new.fit(np.zeros((4, 8, 8, 1)), np.zeros(4), verbose=0)


def test_layers_are_changed() -> None:
    finding = _finding(
        "vanishing_gradient",
        _set("conv2", "activation", "relu"),
        _of(InsertLayer("conv1", "normalization", "BatchNormalization", {"momentum": 0.9})),
        _of(InsertLayer("conv1", "input", "Rescaling", {"scale": 1 / 255})),
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
    assert new.layers[0].scale == pytest.approx(1 / 255)
    assert new.layers[2].momentum == 0.9
    np.testing.assert_array_equal(new.get_layer("conv1").kernel, model.get_layer("conv1").kernel)


def test_logits() -> None:
    new, _ = apply(_sequential(), [_finding("output_loss_mismatch", _of(SetTraining("from_logits", True)))])
    assert new.loss.get_config()["from_logits"] is True


def test_weights_are_drawn_anew_where_the_initializer_changes_and_everywhere_without_weights() -> None:
    model = _sequential()
    finding = _finding("bad_init", _set("conv2", "kernel_initializer", "he_normal"))
    kept, _ = apply(model, [finding])
    assert kept.get_layer("conv2").get_config()["kernel_initializer"]["class_name"] == "HeNormal"
    assert not np.array_equal(_kernel(kept, "conv2"), _kernel(model, "conv2"))
    np.testing.assert_array_equal(kept.get_layer("conv1").kernel, model.get_layer("conv1").kernel)
    drawn, _ = apply(model, [finding], weights=False)
    assert not np.array_equal(_kernel(drawn, "conv1"), _kernel(model, "conv1"))


def test_advice_and_layers_that_do_not_exist_are_left() -> None:
    advice = Adjustment(None, "data", "unknown", "finite", "because")
    _, left = apply(_sequential(), [_finding("nan_or_inf", advice, _set("conv9", "activation", "relu"))])
    assert len(left) == 2
    assert left[0].startswith("training: - data")


def test_findings_decoded_from_a_log_are_advice() -> None:
    change = Adjustment.of(SetParameter("conv1", "activation", "elu"), "relu", "because")
    (decoded,) = decode_findings(encode_findings((_finding("vanishing_gradient", change),)))
    assert decoded.adjustments == (change,)
    new, left = apply(_sequential(), [decoded])
    assert new.get_layer("conv1").activation is keras.activations.relu
    assert left == ('conv1: - activation: "relu" + activation: "elu" (because)',)


def test_training_that_the_loss_or_the_optimizer_does_not_take_is_left() -> None:
    model = _sequential()
    model.compile("sgd", "mse")
    _, left = apply(model, [_finding("output_loss_mismatch", _of(SetTraining("from_logits", True), "False"))])
    assert left == ('training: - from_logits: "False" + from_logits: "True" (because)',)


def test_what_follows_from_a_cause_is_left_alone() -> None:
    cause = _finding("bad_init", _set("conv1", "kernel_initializer", "he_normal"))
    effect = _finding("dead_units", _set("conv1", "activation", "leaky_relu"), caused_by=cause)
    new, _ = apply(_sequential(), [cause, effect])
    assert new.get_layer("conv1").activation is keras.activations.relu


def test_the_changes_of_a_subclassed_model_are_left() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv = layers.Conv2D(4, 3, name="conv")

        def call(self, inputs: Any) -> Any:
            return self.conv(inputs)

    model = Own()
    model(np.zeros((1, 8, 8, 1)))
    same, left = apply(model, [_finding("dead_units", _of(SetParameter("conv", "activation", "leaky_relu"), "relu"))])
    assert same is model
    assert 'conv: - activation: "relu" + activation: "leaky_relu"' in left[1]


def test_the_input_is_normalized() -> None:
    change = InsertLayer("conv1", "input", "Normalization", {"axis": None, "mean": 300.0, "variance": 4.0})
    new, left = apply(_sequential(), [_finding("unnormalised_input", _of(change))])
    assert not left
    np.testing.assert_allclose(keras.ops.convert_to_numpy(new.layers[0](np.full((1, 8, 8, 1), 304.0))), 2.0, rtol=1e-5)


def test_batch_normalization_becomes_group_normalization() -> None:
    change = _of(ReplaceBatchNormalization("conv1"))
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


def test_own_loss_and_metric_functions_are_handed_on() -> None:
    def own(true: Any, predicted: Any) -> Any:
        return keras.ops.mean(keras.ops.abs(true - predicted), axis=-1)

    model = _functional()
    model.compile("sgd", own)
    new, left = apply(model, [_finding("bad_init", _of(SetTraining("learning_rate", 0.5)))])
    assert not left
    assert new.loss is own


def test_the_activation_layer_behind_a_layer_is_what_changes() -> None:
    model = _functional()
    leaky, elu = (SetParameter(f"conv{i}", "activation", name) for i, name in ((1, "leaky_relu"), (2, "elu")))
    new, left = apply(model, [_finding("dead_units", _of(leaky, "relu"), _of(elu, "relu"))])
    assert not left
    assert new.get_layer("conv1").activation is keras.activations.linear
    assert [layer.activation for layer in new.layers if isinstance(layer, layers.Activation)] == [
        keras.activations.leaky_relu
    ]
    assert new.get_layer("conv2").activation is keras.activations.elu


def test_an_activation_that_is_not_found_is_left() -> None:
    inputs = keras.Input((4,))
    relu = layers.ReLU(name="shared")
    x = relu(layers.Dense(3, name="a")(inputs))
    model = keras.Model(inputs, layers.Add()([x, relu(layers.Dense(3, name="b")(inputs))]))
    model.compile("sgd", "mse")
    change = _of(SetParameter("a", "activation", "leaky_relu"), "relu")
    new, left = apply(model, [_finding("dead_units", change)])
    assert left == ('a: - activation: "relu" + activation: "leaky_relu" (because)',)
    np.testing.assert_array_equal(_outputs(new), _outputs(model))


@pytest.mark.parametrize("layer", [layers.ReLU, layers.ELU, layers.Softmax])
def test_layers_that_are_activations_are_replaced(layer: Any) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="fc"), layer(name="act")])
    model.compile("sgd", "mse")
    new, left = apply(model, [_finding("dead_units", _of(SetParameter("fc", "activation", "sigmoid"), "now"))])
    assert not left
    assert new.get_layer("act").activation is keras.activations.sigmoid


def test_a_missing_activation_is_set_in_the_layer_itself() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="fc"), layers.Dense(2)])
    model.compile("sgd", "mse")
    new, left = apply(model, [_finding("missing_activation", _of(SetParameter("fc", "activation", "relu"), "linear"))])
    assert not left
    assert new.get_layer("fc").activation is keras.activations.relu


def test_a_depthwise_kernel_is_initialized_by_its_own_parameter() -> None:
    model = keras.Sequential([keras.Input((8, 8, 2)), layers.DepthwiseConv2D(3, name="deep"), layers.Flatten()])
    model.compile("sgd", "mse")
    new, left = apply(model, [_finding("bad_init", _set("deep", "kernel_initializer", "he_normal"))])
    assert not left
    assert new.get_layer("deep").get_config()["depthwise_initializer"]["class_name"] == "HeNormal"
    assert not np.array_equal(_kernel(new, "deep"), _kernel(model, "deep"))


def test_changes_that_do_not_fit_the_graph_are_left() -> None:
    """Two branches are added up: one of them cannot be narrowed alone."""
    model = _functional()
    same, left = apply(model, [_finding("redundant_filters", _set("conv2", "filters", 3))], weights=False)
    assert same is model
    assert left[0].startswith("the changed layers do not fit together")


class TestNested:
    def test_inner_layers_of_the_same_name_keep_their_own_weights(self) -> None:
        def branch(name: str) -> Any:
            return keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 3, name="conv")], name=name)

        inputs = keras.Input((8, 8, 1))
        model = keras.Model(inputs, layers.Concatenate()([branch("left")(inputs), branch("right")(inputs)]))
        model.compile("sgd", "mse")
        change = _of(SetParameter("right/conv", "activation", "relu"), "linear")
        new, _ = apply(model, [_finding("missing_activation", change)])
        for name in ("left", "right"):
            kernels = [m.get_layer(name).get_layer("conv").kernel for m in (new, model)]
            np.testing.assert_array_equal(*kernels)
        activations = [new.get_layer(name).get_layer("conv").activation for name in ("left", "right")]
        assert activations == [keras.activations.linear, keras.activations.relu]
        left, right = np.split(_outputs(model), 2, axis=-1)
        np.testing.assert_allclose(_outputs(new), np.concatenate([left, np.maximum(right, 0)], axis=-1), atol=1e-6)

    def test_a_model_that_is_called_twice_is_rebuilt_once(self) -> None:
        first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
        inner_input = keras.Input((4,))
        inner = keras.Model(inner_input, layers.Dense(3, name="fc")(inner_input), name="inner")
        shared = layers.Dense(2, name="shared")
        outputs = layers.Add()([shared(inner(first)), shared(inner(second))])
        model = keras.Model({"first": first, "second": second}, outputs)
        model.compile("sgd", "mse")
        new, _ = apply(model, [])
        assert new.count_params() == model.count_params()
        assert [layer.name for layer in new.layers] == [layer.name for layer in model.layers]
        x = {name: np.random.default_rng(i).normal(size=(5, 4)) for i, name in enumerate(("first", "second"))}
        np.testing.assert_allclose(keras.ops.convert_to_numpy(new(x)), keras.ops.convert_to_numpy(model(x)), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "layer", "parameter", "proposed"),
    [
        (SetParameter("a/b", "units", 20), "a/b", "units", "20"),
        (SetParameter("a", "kernel_regularizer", None), "a", "kernel_regularizer", "None"),
        (SetParameter("a", "trainable", True), "a", "trainable", "True"),
        (SetParameter("a", "rate", 0.3), "a", "rate", "0.3"),
        (SetTraining("learning_rate", 1e-05), None, "learning_rate", "1e-05"),
        (InsertLayer("a", "normalization", "BatchNormalization"), "a", "normalization", "BatchNormalization"),
        (
            InsertLayer("a", "normalization", "BatchNormalization", {"momentum": 0.9}),
            "a",
            "normalization",
            "BatchNormalization(momentum=0.9)",
        ),
        (ReplaceBatchNormalization("a"), "a", "normalization", "GroupNormalization"),
    ],
)
def test_the_text_of_a_change(change: Change, layer: str | None, parameter: str, proposed: str) -> None:
    adjustment = Adjustment.of(change, "now", "why")
    assert (adjustment.layer, adjustment.parameter, adjustment.proposed) == (layer, parameter, proposed)
    assert adjustment == Adjustment(layer, parameter, "now", proposed, "why")
    assert hash(adjustment) == hash(Adjustment(layer, parameter, "now", proposed, "why"))
