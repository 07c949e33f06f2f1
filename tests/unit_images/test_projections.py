"""Projections against passes backward that are written by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.unit_images.passes import Inputs, NoPictureError, Passes
from tb_cnndiag.unit_images.projections import project
from tests.unit_images.helpers import network, passes_of


def _forward(image: FloatArray, kernel: FloatArray, bias: FloatArray) -> FloatArray:
    side, size = image.shape[0], kernel.shape[0]
    out = np.zeros((side - size + 1, side - size + 1, kernel.shape[3]))
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = np.tensordot(image[y : y + size, x : x + size], kernel, axes=3) + bias
    return out


def _transposed(signal: FloatArray, kernel: FloatArray, side: int) -> FloatArray:
    back = np.zeros((side, side, kernel.shape[2]))
    size = kernel.shape[0]
    for y in range(signal.shape[0]):
        for x in range(signal.shape[1]):
            back[y : y + size, x : x + size] += kernel @ signal[y, x]
    return back


def _by_hand(model: Any, image: FloatArray, unit: int, position: int, *, deconvnet: bool) -> FloatArray:
    """The signal of one unit of the layer ``second``, passed backward step by step."""
    (k1, b1), (k2, b2) = (model.get_layer(name).get_weights() for name in ("first", "second"))
    before1 = _forward(image, k1, b1)
    after1 = np.maximum(before1, 0)
    blocks = after1.reshape(5, 2, 5, 2, -1)
    pooled = blocks.max(axis=(1, 3))
    before2 = _forward(pooled, k2, b2)
    signal = np.zeros_like(before2)
    signal.reshape(-1, signal.shape[-1])[position, unit] = 1
    signal = signal if deconvnet else signal * (before2 > 0)
    signal = _transposed(signal, k2, 5)
    unpooled = np.zeros_like(blocks)
    for y, x, c in np.ndindex(pooled.shape):
        v, h = np.unravel_index(blocks[y, :, x, :, c].argmax(), (2, 2))
        unpooled[y, v, x, h, c] = signal[y, x, c]
    signal = unpooled.reshape(after1.shape)
    signal = np.maximum(signal, 0) if deconvnet else signal * (before1 > 0)
    return _transposed(signal, k1, 12)


@pytest.mark.parametrize("backward", ["plain", "deconvnet"])
def test_projection_equals_a_backward_pass_by_hand(rng: np.random.Generator, backward: Any) -> None:
    model = network()
    passes = passes_of(model, rng)
    layer = next(each for each in passes.layers if each.path == "second")
    units, images, positions = np.array([0, 3, 5]), np.array([2, 2, 7]), np.array([4, 0, 8])
    found = project(passes, layer, units, images, positions, backward)
    for each, unit, image, position in zip(found, units, images, positions, strict=True):
        picture = passes.inputs.pictures[image].astype(np.float64)
        by_hand = _by_hand(model, picture, unit, position, deconvnet=backward == "deconvnet")
        np.testing.assert_allclose(each, by_hand, atol=1e-5)


def test_model_is_as_before(rng: np.random.Generator) -> None:
    model = network()
    layers = [(type(layer), dict(layer.__dict__)) for layer in model.layers]
    passes = passes_of(model, rng)
    before = model.get_weights()
    project(passes, passes.layers[1], np.array([1]), np.array([0]), np.array([0]), "deconvnet")
    assert [(type(layer), dict(layer.__dict__)) for layer in model.layers] == layers
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_nested_model_and_second_input(rng: np.random.Generator) -> None:
    inner = network(head="relu", classes=5)
    picture, number = keras.Input((12, 12, 1)), keras.Input((2,))
    joined = keras.layers.Concatenate()([inner(picture), number])
    model = keras.Model([number, picture], keras.layers.Dense(2, activation="softmax")(joined))
    x = [rng.normal(size=(4, 2)).astype(np.float32), rng.uniform(size=(4, 12, 12, 1)).astype(np.float32)]
    passes = Passes(model, Inputs.of(x))
    layer = next(each for each in passes.layers if each.path.endswith("second"))
    found = project(passes, layer, np.array([1]), np.array([2]), np.array([0]), "deconvnet")
    by_hand = _by_hand(inner, x[1][2].astype(np.float64), 1, 0, deconvnet=True)
    np.testing.assert_allclose(found[0], by_hand, atol=1e-5)


def test_model_without_pictures_is_refused() -> None:
    with pytest.raises(NoPictureError, match="No input of the model is a picture"):
        Inputs.of(np.zeros((3, 7)))
