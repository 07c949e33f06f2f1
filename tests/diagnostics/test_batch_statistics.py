"""Moving statistics against those of the probe, computed another way."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.model_part import parts_of
from tb_cnndiag.capture.probe_samples import given_samples
from tb_cnndiag.diagnostics.batch_statistics import BatchStatistics
from tests.diagnostics.helpers import layer_snapshot


def test_the_median_channel_counts():
    snapshot = layer_snapshot(batch_mean_shift=[0.1, 3.0, 0.2], batch_variance_ratio=[1.0, 9.0, 2.0])
    assert BatchStatistics().measure(snapshot).values == {
        "mean_shift": pytest.approx(0.2),
        "variance_ratio": pytest.approx(2.0),
    }


def test_channels_that_are_not_finite_are_left_out():
    assert not BatchStatistics().measure(layer_snapshot(batch_mean_shift=[np.nan], batch_variance_ratio=[1.0])).values


def test_statistics_are_those_of_what_the_normalization_receives(rng):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            keras.layers.Conv2D(3, 3, name="conv"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="head"),
        ]
    )
    x = rng.normal(size=(40, 6, 6, 2)).astype(np.float32)
    inspector = ModelInspector(parts_of(model))
    inspector.set_probe("", given_samples(x))
    found = inspector.activations(["batch_mean_shift", "batch_variance_ratio"])
    received = keras.Model(model.inputs, model.get_layer("conv").output).predict(x, verbose=0).reshape(-1, 3)
    deviation = np.sqrt(received.var(axis=0) + 1e-3)
    np.testing.assert_allclose(found["conv"]["batch_mean_shift"], np.abs(received.mean(axis=0)) / deviation, rtol=1e-3)
    np.testing.assert_allclose(found["conv"]["batch_variance_ratio"], (1 + 1e-3) / deviation**2, rtol=1e-3)
    assert "batch_mean_shift" not in found["head"]
