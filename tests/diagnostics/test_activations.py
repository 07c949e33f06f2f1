"""Diagnostics of activations: density, saturation, functional and layer similarity, dimension, input and output."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.diagnostics.activation_density import ActivationDensity
from tb_cnndiag.diagnostics.feature_dimension import FeatureDimension
from tb_cnndiag.diagnostics.functional_similarity import FunctionalSimilarity
from tb_cnndiag.diagnostics.layer_similarity import LayerSimilarity
from tb_cnndiag.diagnostics.model_input import ModelInput
from tb_cnndiag.diagnostics.model_output import ModelOutput
from tb_cnndiag.diagnostics.saturation import Saturation
from tests.diagnostics.helpers import layer_snapshot, model_snapshot

pytestmark = pytest.mark.filterwarnings("error")


def test_a_rectified_layer_has_an_atom_at_zero(rng):
    sample = np.maximum(rng.normal(size=20_000), 0).astype(np.float32)
    result = ActivationDensity().measure(layer_snapshot("relu", activation_sample=sample))
    assert result.values["zero_share"] == pytest.approx(0.5, abs=0.02)
    assert result.values["rms"] == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert result.values["mean"] == pytest.approx(0.4, rel=0.02)
    assert [atom.value for atom in result.payload.atoms] == [0]
    assert len(result.payload.values) <= 256


def test_the_density_ends_at_the_bounds_of_the_activation(rng):
    sample = rng.uniform(size=5000).astype(np.float32)
    payload = ActivationDensity().measure(layer_snapshot("sigmoid", activation_sample=sample)).payload
    assert (payload.start, payload.stop) == (0, 1)
    np.testing.assert_allclose(payload.values, 1, atol=0.15)


def test_non_finite_activations_are_counted_separately():
    result = ActivationDensity().measure(layer_snapshot(activation_sample=[1.0, 2.0, np.nan, np.inf]))
    assert result.values["non_finite_share"] == 0.5
    assert result.values["mean"] == 1.5
    all_nan = ActivationDensity().measure(layer_snapshot(activation_sample=[np.nan] * 5)).values
    assert all_nan == {"zero_share": 0, "non_finite_share": 1}
    assert ActivationDensity().measure(layer_snapshot(activation_sample=[])).payload is None


def test_saturated_units_are_counted():
    result = Saturation().measure(layer_snapshot("sigmoid", unit_saturated=[0, 0.5, 0.9, 1]))
    assert result.values == {"pinned_ratio": 0.5, "saturated_share": pytest.approx(0.6)}
    np.testing.assert_array_equal(result.payload.columns["saturated_share"], [0, 0.5, 0.9, 1])


def test_units_that_respond_alike_are_counted_and_constant_units_are_blank(rng):
    responses = rng.normal(size=(200, 8)).astype(np.float32)
    responses[:, 5] = 2 * responses[:, 1] + 3
    responses[:, 7] = 4
    result = FunctionalSimilarity().measure(layer_snapshot(sample_mean=responses))
    assert result.values["alike_ratio"] == 2 / 8
    assert result.payload.unit == "correlation"
    assert result.payload.order[-1] == 7
    assert np.isnan(result.payload.values[-1]).all()
    assert FunctionalSimilarity().measure(layer_snapshot(sample_mean=responses[:1])).payload is None


def test_few_samples_cannot_show_which_units_respond_alike(rng):
    result = FunctionalSimilarity().measure(layer_snapshot(sample_mean=rng.normal(size=(3, 30))))
    assert "alike_ratio" not in result.values


def test_layers_are_compared_in_the_order_of_the_model(rng):
    base = rng.normal(size=(100, 10))
    layers = [
        layer_snapshot(sample_mean=base),
        layer_snapshot(kernel=np.ones((2, 2))),
        layer_snapshot(sample_mean=base * 5 + 1),
        layer_snapshot(sample_mean=rng.normal(size=(100, 4))),
    ]
    matrix = LayerSimilarity().measure(model_snapshot(*layers))
    np.testing.assert_array_equal(matrix.order, [0, 2, 3])
    assert matrix.values[0, 1] == pytest.approx(1)
    assert 0 <= matrix.values[0, 2] < 0.1
    assert LayerSimilarity().measure(model_snapshot(*layers[:2])) is None
    assert LayerSimilarity().measure(model_snapshot()) is None


def test_a_layer_with_three_directions_uses_little_of_its_width(rng):
    flat = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 20))
    assert FeatureDimension().measure(layer_snapshot(sample_mean=flat)).values["dimension"] <= 3
    full = FeatureDimension().measure(layer_snapshot(sample_mean=rng.normal(size=(500, 20)))).values
    assert full["dimension_share"] > 0.9
    assert not FeatureDimension().measure(layer_snapshot(sample_mean=flat[:1])).values


def test_the_most_extreme_channel_is_reported():
    snapshot = layer_snapshot(
        input_mean=[1.0, -120.0, 3.0],
        input_std=[1.0, 2.0, 60.0],
        input_min=[0.0, -255.0, 0.0],
        input_max=[1.0, 0.0, 200.0],
        input_constant=[0.0, 1.0, 0.0, 0.0],
        input_diversity=0.5,
    )
    assert ModelInput().measure(snapshot).values == {
        "mean": -120,
        "std": 60,
        "minimum": -255,
        "maximum": 200,
        "constant_share": 0.25,
        "diversity": 0.5,
    }


def test_a_collapsed_output_has_one_predicted_class():
    values = (
        ModelOutput()
        .measure(
            layer_snapshot("softmax", is_output=True, output_diversity=0.5, output=np.tile([0.8, 0.1, 0.1], (30, 1)))
        )
        .values
    )
    assert values["top_class_share"] == 1
    assert values["spread"] == pytest.approx(0)
    assert values["row_sum_error"] == pytest.approx(0)
    assert 0 < values["entropy"] < 1
    assert "accuracy" not in values


def test_the_confusion_shows_each_true_class_in_a_row():
    outputs = np.eye(3)[[0, 0, 1, 1, 2, 0]]
    result = ModelOutput().measure(
        layer_snapshot(is_output=True, output_diversity=0.5, output=outputs, labels=[0, 0, 1, 2, 2, 2])
    )
    np.testing.assert_allclose(result.payload.values, [[1, 0, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]])
    assert not result.payload.symmetric
    assert result.values["accuracy"] == pytest.approx((1 + 1 + 1 / 3) / 3)


@pytest.mark.parametrize("labels", [[0, 0.5, 1], [0, 1, 7], [0, 1]])
def test_labels_that_do_not_match_the_samples_or_classes_are_not_used(labels):
    result = ModelOutput().measure(
        layer_snapshot(is_output=True, output_diversity=0.5, output=np.eye(3), labels=labels)
    )
    assert result.payload is None
    assert "accuracy" not in result.values


def test_outputs_that_are_not_distributions_have_no_entropy(rng):
    values = (
        ModelOutput()
        .measure(layer_snapshot(is_output=True, output_diversity=0.5, output=rng.normal(size=(20, 3))))
        .values
    )
    assert "entropy" not in values
    assert values["row_sum_error"] > 0.1


def test_hidden_layers_and_non_finite_outputs_have_no_result():
    assert not ModelOutput().measure(layer_snapshot(output_diversity=0.5, output=np.eye(3))).values
    assert (
        not ModelOutput()
        .measure(layer_snapshot(is_output=True, output_diversity=0.5, output=np.full((4, 2), np.nan)))
        .values
    )
