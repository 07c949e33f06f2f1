"""Twins merged by a fit to the inputs of the next layer, checked by the outputs of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag.adjust import apply
from tb_cnndiag.adjust.fit import fitted
from tb_cnndiag.finding import Finding


def _model() -> Any:
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(8, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(12, activation="relu", name="hidden"),
            layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def _finding(layer: str, *groups: tuple[int, ...]) -> Finding:
    return Finding(".", "redundant_filters", layer, "warning", 0, 10, "", units=groups)


@pytest.fixture
def samples() -> Any:
    """Images whose second channel is always 0."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(200, 6, 6, 2)).astype("float32")
    x[..., 1] = 0
    return x


def _alike_on_the_first_channel(model: Any, factor: float) -> None:
    """Filter 3 is ``factor`` × filter 0, except for weights on the channel that is always 0."""
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[:, :, 0, 3], bias[3] = factor * kernel[:, :, 0, 0], factor * bias[0]
    model.get_layer("conv").set_weights([kernel, bias])


def test_filters_that_are_alike_on_the_data_are_merged(samples: Any) -> None:
    model = _model()
    _alike_on_the_first_channel(model, 0.5)
    finding = _finding("conv", (0, 3))
    _, left = apply(model, [finding])
    assert left == ("conv: filters are not merged: none is close enough to another",)
    new, left = apply(model, [finding], samples=samples)
    assert left == ()
    assert new.get_layer("conv").filters == 7
    np.testing.assert_allclose(new.predict(samples, verbose=0), model.predict(samples, verbose=0), atol=2e-3)


def test_filters_that_differ_on_the_data_stay(samples: Any) -> None:
    model = _model()
    new, left = apply(model, [_finding("conv", (0, 3))], samples=samples)
    assert len(left) == 1
    assert new.get_layer("conv").filters == 8


def _lost(seen: Any, weight: Any) -> Callable[[Any], float]:
    """The change of a reader that adds up its inputs, each unit with its weight."""
    before = seen @ weight
    return lambda reads: float(np.sum((seen @ reads @ weight - before) ** 2) / np.sum((before - before.mean()) ** 2))


def test_a_unit_is_read_through_several_others() -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(500, 4))
    seen[:, 3] = 0.3 * seen[:, 0] - 0.2 * seen[:, 1]  # like no other unit by itself
    stays, reads = fitted(seen, np.ones(4), [(2, 3)], np.ones(4, bool), _lost(seen, np.ones(4)))
    np.testing.assert_array_equal(stays, [True, True, True, False])
    np.testing.assert_allclose(reads[:3, 3], [0.3, -0.2, 0.0], atol=1e-3)


def test_removing_stops_at_the_allowed_loss() -> None:
    """Of two units with a twin, only the one that is nearly the same is removed; the other would cost too much."""
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(2000, 4))
    seen[:, 1] = 0.9 * seen[:, 0] + 0.01 * rng.normal(size=2000)
    seen[:, 3] = 0.9 * seen[:, 2] + 0.3 * rng.normal(size=2000)
    stays, _ = fitted(seen, np.ones(4), [(0, 1), (2, 3)], np.ones(4, bool), _lost(seen, np.ones(4)))
    np.testing.assert_array_equal(stays, [True, False, True, True])


def test_a_unit_that_is_hardly_read_is_removed_first() -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(2000, 2))
    seen[:, 1] = seen[:, 0] + 0.3 * rng.normal(size=2000)
    for weight, stays in ((np.ones(2), [True, True]), (np.array([1, 0.01]), [True, False])):
        found, _ = fitted(seen, weight, [(0, 1)], np.ones(2, bool), _lost(seen, weight))
        np.testing.assert_array_equal(found, stays)


def test_a_layer_in_a_nested_model_is_cut_by_its_weights_alone(samples: Any) -> None:
    inner = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(8, 3, activation="relu", name="conv"),
                              layers.Conv2D(4, 1, name="reader")], name="inner")  # fmt: skip
    kernel, bias = inner.get_layer("conv").get_weights()
    kernel[..., 3] = kernel[..., 0]
    inner.get_layer("conv").set_weights([kernel, bias])
    model = keras.Sequential([keras.Input((6, 6, 2)), inner, layers.GlobalAveragePooling2D()])
    model.compile("adam", "mse")
    new, _ = apply(model, [_finding("inner/conv", (0, 3))], samples=samples)
    np.testing.assert_allclose(new.predict(samples, verbose=0), model.predict(samples, verbose=0), atol=1e-5)


def test_samples_that_do_not_fit_raise(samples: Any) -> None:
    model = _model()
    with pytest.raises(ValueError, match="shape"):
        apply(model, [_finding("conv", (0, 3))], samples=samples[:, :4])
