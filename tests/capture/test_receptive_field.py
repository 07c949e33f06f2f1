"""Receptive fields, compared with what changes in a layer's output when a row or column of the image is changed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.payloads import ReceptiveField

SIDES = (17, 14)


def fields(model: Any, x: Any) -> dict[str, ReceptiveField | None]:
    inspector = ModelInspector({"": model})
    inspector.set_probe("", Samples(x, None, "given"))
    inspector.activations(["sample_max"])
    return {row.path: row.receptive_field for row in inspector.table()}


def changed(model: Any, x: np.ndarray, axis: int, layer: str) -> np.ndarray:
    """``(positions along the axis, pixels along the axis)``: whether a change of the pixels changes the position."""
    inner = keras.Model(model.input, model.get_layer(layer).output)
    before = np.asarray(inner(x))
    found = []
    for pixel in range(x.shape[axis]):
        other = x.copy()
        other[(slice(None),) * axis + (pixel,)] += 100.0
        differs = ~np.isclose(np.asarray(inner(other)), before, rtol=1e-6, atol=0)
        found.append(differs.any(axis=tuple(a for a in range(before.ndim) if a != axis)))
    return np.array(found).T


def assert_exact(model: Any, x: np.ndarray, layer: str) -> None:
    for weight in model.weights:  # positive weights: no changes cancel
        if "kernel" in weight.name or "gamma" in weight.name:
            weight.assign(np.random.default_rng(0).uniform(0.5, 1.0, weight.shape))
    field = fields(model, x)[layer]
    assert field is not None
    for at, axis in enumerate((1, 2)):
        seen = changed(model, x, axis, layer)
        for position, pixels in enumerate(seen):
            low, high = field.axes[at].box(position if field.axes[at].stride or field.axes[at].low else 0)
            (where,) = np.nonzero(pixels)
            expected = (where[0], where[-1]) if len(where) else None
            assert expected == ((low, high) if high >= low else None), (axis, position)


def image(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(0, 1, (1, *SIDES, 2)).astype(np.float32)


KINDS: dict[str, Any] = {
    "valid": lambda x: layers.Conv2D(2, 3)(x),
    "same": lambda x: layers.Conv2D(2, (3, 4), padding="same")(x),
    "strided": lambda x: layers.Conv2D(2, (4, 3), strides=(2, 3), padding="same")(x),
    "strided_valid": lambda x: layers.Conv2D(2, 2, strides=2)(x),
    "sparse": lambda x: layers.Conv2D(2, 1, strides=2)(x),
    "dilated": lambda x: layers.Conv2D(2, 3, dilation_rate=2, padding="same")(x),
    "depthwise": lambda x: layers.DepthwiseConv2D(3, padding="same")(x),
    "separable": lambda x: layers.SeparableConv2D(2, 3, padding="same")(x),
    "max": lambda x: layers.MaxPooling2D(2, padding="same")(x),
    "average": lambda x: layers.AveragePooling2D((3, 2), strides=1, padding="same")(x),
    "transposed": lambda x: layers.Conv2DTranspose(2, 3, strides=2, padding="same")(x),
    "transposed_valid": lambda x: layers.Conv2DTranspose(2, (2, 4), strides=(2, 1))(x),
    "transposed_sparse": lambda x: layers.Conv2DTranspose(2, 2, strides=3, padding="same")(x),
    "up": lambda x: layers.UpSampling2D(2)(x),
    "linear": lambda x: layers.UpSampling2D(2, interpolation="bilinear")(x),
    "pad": lambda x: layers.ZeroPadding2D(((1, 2), (0, 3)))(x),
    "crop": lambda x: layers.Cropping2D(((1, 1), (2, 0)))(x),
    "normalized": lambda x: layers.BatchNormalization()(layers.ReLU()(x)),
    "layer_norm": lambda x: layers.LayerNormalization(epsilon=10.0)(x),
    "residual": lambda x: layers.Add()([layers.Conv2D(2, 3, padding="same")(x), layers.Conv2D(2, 1)(x)]),
    "dense": lambda x: layers.Dense(2)(x),
    "operation": lambda x: keras.ops.relu(x) + x * 0.5,
    "inception": lambda x: layers.Concatenate()(
        [layers.Conv2D(1, 5, padding="same")(x), layers.MaxPooling2D(3, 1, "same")(x)]
    ),
    "nested": lambda x: _nested(x.shape[1:])(x),
}


def _nested(shape: Any) -> Any:
    inner = keras.Input(shape)
    return keras.Model(inner, layers.Conv2D(2, 3, strides=2, padding="same")(layers.ReLU()(inner)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_layer_alone(kind: str, rng: np.random.Generator) -> None:
    entrance = keras.Input((*SIDES, 2))
    x = layers.Conv2D(2, 3, padding="same")(entrance)
    out = layers.Conv2D(2, 2, padding="same", name="end")(KINDS[kind](x))
    assert_exact(keras.Model(entrance, out), image(rng), "end")


@pytest.mark.parametrize("seed", range(12))
def test_random_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    entrance = x = keras.Input((*SIDES, 2))
    for kind in rng.choice([*KINDS], size=4):
        if min(x.shape[1:3]) >= 5 and max(x.shape[1:3]) < 80 and x.shape[-1] < 8:
            x = KINDS[kind](x)
    out = layers.Conv2D(2, 2, padding="same", name="end")(x)
    assert_exact(keras.Model(entrance, out), image(rng), "end")


def test_a_crop_and_padding_hide_pixels(rng: np.random.Generator) -> None:
    entrance = keras.Input((*SIDES, 2))
    x = layers.ZeroPadding2D(3)(layers.Cropping2D(3)(entrance))
    out = layers.Conv2D(2, 3, padding="same", name="end")(x)
    model = keras.Model(entrance, out)
    assert_exact(model, image(rng), "end")
    assert fields(model, image(rng))["end"].axes[0].box(0) == (1, 0)


def test_formula_of_the_affine_case(rng: np.random.Generator) -> None:
    """r ← s·r + k − s, S ← s·S, P ← s·P + p, from the last layer to the first (Araujo, Norris & Sim 2019)."""
    chain = [(3, 1, 1), (2, 2, 0), (3, 1, 1), (3, 2, 1), (5, 1, 2)]  # size, stride, padding
    entrance = x = keras.Input((33, 33, 1))
    for size, stride, padding in chain:
        x = layers.Conv2D(1, size, strides=stride)(layers.ZeroPadding2D(padding)(x))
    model = keras.Model(entrance, x)
    field = fields(model, rng.normal(size=(1, 33, 33, 1)).astype(np.float32))[model.layers[-1].name]
    r, jump, pad = 1, 1, 0
    for size, stride, padding in reversed(chain):
        r, jump, pad = stride * r + size - stride, stride * jump, stride * pad + padding
    assert (field.axes[0].size, field.axes[0].stride, field.axes[0].padding) == (r, jump, pad)
    assert field.axes[0].center(2) == -pad + 2 * jump + (r - 1) / 2


@pytest.mark.parametrize("head", ["flat", "pooled", "squeezed", "attention"])
def test_units_that_see_everything(head: str, rng: np.random.Generator) -> None:
    entrance = keras.Input((*SIDES, 2))
    x = layers.Conv2D(2, 3)(entrance)
    if head == "squeezed":
        gate = layers.Dense(2, "sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
        out = layers.Conv2D(2, 3, name="end")(layers.Multiply()([x, gate]))
    elif head == "attention":
        x = layers.Reshape((-1, 2))(x)
        out = layers.Dense(2, name="end")(layers.MultiHeadAttention(1, 2)(x, x))
    else:
        flat = layers.Flatten()(x) if head == "flat" else layers.GlobalMaxPooling2D()(x)
        out = layers.Dense(2, name="end")(flat)
    field = fields(keras.Model(entrance, out), image(rng))["end"]
    assert field.whole
    assert [axis.box(0) for axis in field.axes] == [(0, SIDES[0] - 1), (0, SIDES[1] - 1)]


def test_flat_input_becomes_an_image_where_it_gets_its_shape(rng: np.random.Generator) -> None:
    model = keras.Sequential(
        [keras.Input((48,)), layers.Reshape((8, 6, 1)), layers.Conv2D(2, 3, name="a"), layers.Conv2D(2, 3, name="b")]
    )
    field = fields(model, rng.normal(size=(2, 48)).astype(np.float32))["b"]
    assert field.image == "a"
    assert [(axis.extent, axis.size) for axis in field.axes] == [(8, 5), (6, 5)]


def test_of_several_inputs_the_image_that_reaches_the_unit(rng: np.random.Generator) -> None:
    left, right, numbers = keras.Input((8, 8, 1)), keras.Input((10, 10, 3)), keras.Input((4,))
    a = layers.Conv2D(2, 3, name="a")(left)
    b = layers.Conv2D(2, 5, name="b")(right)
    side = layers.Dense(2, name="side")(numbers)
    out = layers.Dense(1, name="end")(
        layers.Concatenate()([layers.GlobalMaxPooling2D()(a), layers.GlobalMaxPooling2D()(b), side])
    )
    x = [rng.normal(size=(2, *shape)).astype(np.float32) for shape in ((8, 8, 1), (10, 10, 3), (4,))]
    found = fields(keras.Model([left, right, numbers], out), x)
    assert (found["a"].image, found["b"].image, found["side"]) == ("a", "b", None)
    assert found["b"].axes[0].extent == 10
    assert found["end"].whole


class Plain(keras.Model):
    """Applies functions between its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = layers.Conv2D(2, 3, padding="same", name="a"), layers.Conv2D(2, 3, name="b")

    def call(self, x: Any) -> Any:
        x = x / 255.0
        y = keras.ops.relu(self.a(x))
        return self.b(keras.ops.concatenate([y, x], axis=-1))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="functions are read from TensorFlow's graph")
def test_functions_of_a_subclassed_model(rng: np.random.Generator) -> None:
    model = Plain()
    x = rng.normal(size=(2, 9, 9, 2)).astype(np.float32)
    model(x)
    field = fields(model, x)["b"]
    assert (field.image, field.axes[0].size, field.whole) == ("a", 5, False)
