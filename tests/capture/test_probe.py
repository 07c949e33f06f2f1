"""Reduced activations on the probe, checked in the obvious way: with a model of all outputs and NumPy."""

from __future__ import annotations

import threading
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from tb_cnndiag.capture import probe
from tb_cnndiag.capture.backends.tensorflow.passes import _not_optimized
from tb_cnndiag.capture.kernel_graph import observed_table
from tb_cnndiag.capture.layers import find_kernel_layers
from tb_cnndiag.capture.probe import Observer
from tb_cnndiag.capture.reductions import REDUCTIONS
from tests.models import images, normalized, plain


def _observed(model: Any, x: Any) -> Any:
    return Observer(model, find_kernel_layers(model)).observe(x, sorted(REDUCTIONS))


@pytest.mark.parametrize("samples", [5, 128, 128 + 7])
@pytest.mark.parametrize(("make", "seen"), [(plain, "conv_a"), (normalized, "relu_a")])
def test_reductions_agree_with_numpy(
    make: Any, seen: str, samples: int, rng: np.random.Generator, monkeypatch: Any
) -> None:
    monkeypatch.setattr(probe, "CHUNK_SAMPLES", 128)
    model = make("tanh") if make is plain else make()
    x = images(rng, samples)[0]
    y = np.asarray(keras.Model(model.inputs, model.get_layer(seen).output).predict(x, verbose=0))
    data = _observed(model, x)["conv_a"]
    np.testing.assert_allclose(data["sample_max"], y.max(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(data["sample_mean"], y.mean(axis=(1, 2)), rtol=1e-4, atol=1e-6)
    chunks = [y[start : start + 128] for start in range(0, samples, 128)]
    spacing = max(min(len(chunks[0]) // 8, 8), 1)
    slices = [chunk[::spacing] for chunk in chunks]

    def average(per_slice: list[Any]) -> Any:
        return np.average(per_slice, axis=0, weights=[len(chunk) for chunk in chunks])

    np.testing.assert_allclose(data["unit_mean"], average([c.mean(axis=(0, 1, 2)) for c in slices]), rtol=1e-4)
    magnitude = average([np.abs(c).mean(axis=(0, 1, 2)) for c in slices])
    np.testing.assert_allclose(data["unit_mean_abs"], magnitude, rtol=1e-4)
    assert data["samples"] == samples
    assert data["positions"] == y.shape[1] * y.shape[2]
    assert np.isin(data["activation_sample"].round(4), y.round(4)).mean() > 0.99
    if make is plain:
        pinned = [(np.abs(c) >= 0.98).mean(axis=(0, 1, 2)) for c in slices]
        np.testing.assert_allclose(data["unit_saturated"], average(pinned), atol=1e-6)


def test_large_inputs_use_small_chunks_and_the_subsample_stays_small(
    rng: np.random.Generator, monkeypatch: Any
) -> None:
    model = plain()
    x = images(rng, 40)[0]
    whole = _observed(model, x)
    monkeypatch.setattr(probe, "CHUNK_BYTES", 13 * x[0].nbytes)  # chunks of 13, 13, 13 and 1
    observed = _observed(model, x)
    np.testing.assert_allclose(observed["conv_a"]["sample_max"], whole["conv_a"]["sample_max"], rtol=1e-5)
    np.testing.assert_allclose(observed["conv_a"]["input_mean"], [x.mean()], rtol=1e-4)
    assert observed["conv_a"]["activation_sample"].size < 2 * 512 * (8 + 8 + 8 + 1)


def test_inputs_come_from_the_first_kernel_and_outputs_from_the_last(rng: np.random.Generator) -> None:
    model = plain()
    x = images(rng)[0]
    x[3] = 2.0
    observed = _observed(model, x)
    np.testing.assert_allclose(observed["conv_a"]["input_mean"], [x.mean()], rtol=1e-4)
    np.testing.assert_allclose(observed["conv_a"]["input_max"], [x.max()], rtol=1e-6)
    assert observed["conv_a"]["input_constant"].tolist() == [float(i == 3) for i in range(len(x))]
    assert "input_mean" not in observed["conv_b"]
    np.testing.assert_allclose(observed["head"]["output"], model.predict(x, verbose=0), rtol=1e-4)
    assert "output" not in observed["conv_b"]


def test_the_output_is_what_the_model_returns(rng: np.random.Generator) -> None:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3, activation="relu", name="a"),
            keras.layers.Dropout(0.25, name="drop"),
            keras.layers.Conv2D(3, 1, name="b"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Softmax(),
        ]
    )
    x = images(rng, 20)[0][:, :8, :8, :1]
    observer = Observer(model, layers := find_kernel_layers(model))
    observed = observer.observe(x, ["output"])
    np.testing.assert_allclose(observed["b"]["output"], model.predict(x, verbose=0), rtol=1e-5)
    assert "output" not in observed["a"]
    first, last = observed_table(layers, observer.recording, observer.observed)
    assert (last.activation, last.output, last.seen_at) == ("softmax", True, "b")
    assert (first.dropout, first.dropout_at) == (0.25, "drop")


def test_one_pass_serves_snapshots_with_and_without_a_search(rng: np.random.Generator) -> None:
    model = plain()
    traced = []
    call = model.call
    model.call = lambda *args, **options: traced.append(1) or call(*args, **options)
    observer = Observer(model, find_kernel_layers(model))
    x = images(rng, 200)[0]
    plainly = observer.observe(x, sorted(REDUCTIONS))
    assert "peaks" not in plainly["conv_a"]
    assert "peaks" in observer.observe(x, sorted(REDUCTIONS), costly=True)["conv_a"]
    observer.observe(images(rng, 500)[0], sorted(REDUCTIONS))  # more samples, as for units that seem dead
    assert len(traced) == 1


def test_a_pass_leaves_how_functions_are_run_as_it_was(rng: np.random.Generator) -> None:
    here = context.context()
    here.function_call_options = None  # as in a thread that has not called any function yet
    before = here.function_call_options
    seen = []
    double = tf.function(lambda x: 2 * x)
    with _not_optimized():
        assert _optimized(here.function_call_options) is False
        other = threading.Thread(target=lambda: seen.append(_optimized(context.context().function_call_options)))
        other.start()
        other.join()
        assert double(tf.constant(2.0)) == 4.0
    assert seen == [True]
    assert here.function_call_options is before
    with pytest.raises(ZeroDivisionError), _not_optimized():
        _ = 1 / 0
    assert here.function_call_options is before
    _observed(plain(), images(rng, 8)[0])
    assert here.function_call_options is before


def _optimized(options: Any) -> bool:
    config = tf.compat.v1.ConfigProto.FromString(options.config_proto_serialized)
    return not config.graph_options.rewrite_options.disable_meta_optimizer


def test_a_pass_over_the_probe_changes_nothing(rng: np.random.Generator) -> None:
    model = normalized()
    before = [np.array(w) for w in model.get_weights()]
    _observed(model, images(rng)[0])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not model.losses
    assert all("call" not in vars(layer) for layer in model.layers)


def test_a_shared_layer_fires_if_it_fires_in_any_call() -> None:
    shared = keras.layers.Dense(2, activation="relu", use_bias=False, kernel_initializer="ones", name="shared")
    a, b = keras.Input((1,)), keras.Input((1,))
    model = keras.Model([a, b], keras.layers.Add()([shared(a), shared(b)]))
    observed = _observed(model, [-np.ones((4, 1), np.float32), np.ones((4, 1), np.float32)])
    np.testing.assert_array_equal(observed["shared"]["sample_max"], np.ones((4, 2)))


@pytest.mark.parametrize("size", [12, 37])
def test_feature_maps_are_averages_of_what_the_next_layer_receives(size: int, rng: np.random.Generator) -> None:
    model = keras.Sequential(
        [
            keras.Input((size, size + 5, 3)),
            keras.layers.Conv2D(20, 3, padding="same", activation="relu", name="conv"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, name="head"),
        ]
    )
    x = rng.normal(size=(probe.CHUNK_SAMPLES + 9, size, size + 5, 3)).astype(np.float32)
    y = np.asarray(keras.Model(model.inputs, model.get_layer("conv").output).predict(x[:2], verbose=0))
    observed = _observed(model, x)
    data = observed["conv"]
    assert data["pictured_units"].tolist() == [0, 3, 6, 9, 12, 15, 18]
    maps = data["feature_map"]
    assert maps.shape[0] == 2
    assert max(maps.shape[1:3]) <= 16
    whole = -(-np.array(y.shape[1:3]) // 16)
    for row, column in np.ndindex(*maps.shape[1:3]):
        cell = y[:, row * whole[0] :, column * whole[1] :][:, : whole[0], : whole[1], ::3]
        inside = (row + 1) * whole[0] <= y.shape[1] and (column + 1) * whole[1] <= y.shape[2]
        if inside and size % whole[0] == 0:  # elsewhere padding shifts the cells
            np.testing.assert_allclose(maps[:, row, column], cell.mean(axis=(1, 2)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(maps.mean(), y[..., ::3].mean(), rtol=0.1)
    np.testing.assert_allclose(data["input_picture"], x[:2], rtol=1e-6)
    assert "feature_map" not in observed["head"]
    assert "input_picture" not in observed["head"]
