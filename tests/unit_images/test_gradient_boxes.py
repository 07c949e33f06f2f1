"""Boxes of gradients against finite differences, and in logs of trainings, audits and ``visualize``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from tb_cnndiag import CNNDiagnostics, audit, visualize
from tb_cnndiag.history import History
from tb_cnndiag.payloads import FieldAxis, FloatArray, LayerInfo, Patches, ReceptiveField
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.unit_images.gradient_boxes import SHARE, GradientBoxes, sees_all
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tests.unit_images.helpers import labeled, network

SIDE = 10


def _excited(seed: int = 3) -> Any:
    """A convolution, then squeeze-and-excite, then a second convolution and a softmax: all but the first see all."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((SIDE, SIDE, 2))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="tanh", name="first")(image)
    gate = keras.layers.GlobalAveragePooling2D()(x)
    gate = keras.layers.Dense(4, activation="sigmoid", name="gate")(gate)
    x = keras.layers.Multiply()([x, keras.layers.Reshape((1, 1, 4))(gate)])
    x = keras.layers.Conv2D(3, 3, activation="tanh", name="behind")(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(image, keras.layers.Dense(3, activation="softmax", name="head")(x))


def _value(model: Any, layer: str, image: FloatArray, unit: int, position: int) -> FloatArray:
    """Response of a unit to images, of the head before its softmax; in numpy, in double precision."""
    k1, b1 = (np.asarray(w, np.float64) for w in model.get_layer("first").get_weights())
    kg, bg = (np.asarray(w, np.float64) for w in model.get_layer("gate").get_weights())
    k2, b2 = (np.asarray(w, np.float64) for w in model.get_layer("behind").get_weights())
    kh, bh = (np.asarray(w, np.float64) for w in model.get_layer("head").get_weights())

    def convolved(x: FloatArray, kernel: FloatArray, bias: FloatArray) -> FloatArray:
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        return np.tanh(np.einsum("nyxchw,hwco->nyxo", windows, kernel) + bias)

    x = convolved(np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0))), k1, b1)
    gate = 1 / (1 + np.exp(-(x.mean(axis=(1, 2)) @ kg + bg)))
    if layer == "gate":
        return gate[:, unit]
    x = convolved(x * gate[:, None, None], k2, b2)
    if layer == "behind":
        return x.reshape(len(x), -1, 3)[:, position, unit]
    return (x.reshape(len(x), -1) @ kh + bh)[:, unit]


def _magnitudes(model: Any, layer: str, image: FloatArray, unit: int, position: int) -> FloatArray:
    """|∂unit/∂pixel| by finite differences, summed over channels."""
    steps = 1e-5 * np.eye(image.size).reshape(-1, *image.shape)
    ahead, behind = (_value(model, layer, image + sign * steps, unit, position) for sign in (1, -1))
    return np.abs((ahead - behind) / 2e-5).reshape(image.shape).sum(axis=-1)


def _info(path: str, output: tuple[int, ...]) -> LayerInfo:
    axis = FieldAxis(SIDE, float(SIDE), 0.0, 0.0)
    return LayerInfo(path, output_shape=output, receptive_field=ReceptiveField("first", (axis, axis), whole=True))


def test_boxes_hold_95_percent_of_finite_differences_and_no_smaller_ones_do(rng: np.random.Generator) -> None:
    model = _excited()
    images = rng.normal(size=(6, SIDE, SIDE, 2)).astype(np.float32)
    images[:, 2:5, 3:8] *= 3
    passes = Passes(model, Inputs.of(images))
    layers = [layer for layer in passes.layers if layer.path != "first"]
    boxes = GradientBoxes(passes, layers)
    for layer, units, shape in zip(layers, (4, 3, 3), ((4,), (8, 8, 3), (3,)), strict=True):
        chosen = rng.integers(0, 6, (units, 3))
        positions = rng.integers(0, 64, (units, 3)) if layer.path == "behind" else np.zeros((units, 3), np.int64)
        chosen[1, 2] = -1
        patches = Patches(chosen, positions, np.ones((units, 3), np.float32), 6)
        made = boxes.of(layer, _info(layer.path, shape), patches, [0, 1])
        assert made.listed is not None
        assert made.listed.tolist() == [0, 1]
        assert made.boxes is not None
        assert not made.boxes[2:].any()
        assert not made.boxes[1, 2].any()
        for unit, rank in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1)):
            at = int(chosen[unit, rank]), unit, int(positions[unit, rank])
            amounts = _magnitudes(model, layer.path, images[at[0]].astype(np.float64), *at[1:])
            top, left, height, width = made.boxes[unit, rank]
            inside = amounts[top : top + height, left : left + width].sum() / amounts.sum()
            assert inside >= SHARE - 1e-4
            smaller = [
                amounts[t : t + h, x : x + w].sum() / amounts.sum()
                for h in range(1, SIDE + 1)
                for w in range(1, SIDE + 1)
                for t in range(SIDE - h + 1)
                for x in range(SIDE - w + 1)
                if h * w < height * width
            ]
            assert max(smaller, default=0.0) < SHARE + 1e-4


def test_which_layers_see_all() -> None:
    def info(size: float, stride: float, padding: float, *, whole: bool = False) -> LayerInfo:
        axis = FieldAxis(8, size, stride, padding)
        return LayerInfo("x", output_shape=(4, 4, 1), receptive_field=ReceptiveField("x", (axis, axis), whole=whole))

    assert sees_all(info(8, 0, 0, whole=True))
    assert sees_all(info(31, 2, 14))  # a field that exceeds the image at the middle
    assert not sees_all(info(5, 2, 2))
    assert not sees_all(LayerInfo("x"))


def _history(log_dir: Path) -> History:
    return History.of(read_run(log_dir / "cnndiag"))


def _boxes(log_dir: Path, path: str = "head") -> Patches:
    history = _history(log_dir)
    boxes, patches = (history.at_last_step(name, path) for name in ("gradient_boxes", "top_patches"))
    assert isinstance(boxes, Patches)
    assert isinstance(patches, Patches)
    assert boxes.listed is not None
    assert boxes.boxes is not None
    assert (boxes.images[boxes.listed] == patches.images[boxes.listed]).all()
    height, width = boxes.boxes[..., 2], boxes.boxes[..., 3]
    assert ((height > 0) == (boxes.images >= 0)).mean() > 0.9
    assert (boxes.boxes[..., 0] + height <= 12).all()
    assert (boxes.boxes[..., 1] + width <= 12).all()
    return boxes


def _trained(log_dir: Path, **options: Any) -> Any:
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")
    own = [CNNDiagnostics(log_dir, probe=(x, y), verbose=0, **options)] if options else []
    model.fit(x, y, batch_size=12, epochs=2, verbose=0, callbacks=own)
    return model


def test_trainings_audits_and_visualize_make_the_same_boxes(tmp_path: Path) -> None:
    model = _trained(tmp_path / "fit", budget=None, diagnostics=["top_patches", "gradient_boxes"])
    boxes = _boxes(tmp_path / "fit")
    assert boxes.listed is not None
    assert boxes.listed.tolist() == [0, 1, 2]
    assert _history(tmp_path / "fit").latest("gradient_boxes", "first") is None
    assert not _history(tmp_path / "fit").info.notes  # type: ignore[union-attr]
    audit(model, labeled(), tmp_path / "audit")
    np.testing.assert_array_equal(_boxes(tmp_path / "audit").boxes, boxes.boxes)
    for unit in (2, 0):
        visualize(model, labeled()[0], layers="head", units=[unit], log_dir=tmp_path / "visualize")
    some = _boxes(tmp_path / "visualize")
    assert some.listed is not None
    assert some.listed.tolist() == [0, 2]
    assert some.boxes is not None
    assert boxes.boxes is not None
    np.testing.assert_array_equal(some.boxes[[0, 2]], boxes.boxes[[0, 2]])


def test_the_training_is_as_without_it(tmp_path: Path) -> None:
    alone, observed = _trained(tmp_path), _trained(tmp_path, budget=None, diagnostics=["top_patches", "gradient_boxes"])
    assert isinstance(_boxes(tmp_path), Patches)
    for a, b in zip(alone.get_weights(), observed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_of_several_pictures_has_none_and_says_why(tmp_path: Path, rng: np.random.Generator) -> None:
    pictures = [keras.Input((12, 12, 1)) for _ in range(2)]
    x = keras.layers.Concatenate()([keras.layers.Conv2D(2, 3, name=f"conv{i}")(p) for i, p in enumerate(pictures)])
    model = keras.Model(pictures, keras.layers.Dense(2, name="head")(keras.layers.Flatten()(x)))
    probe = [rng.uniform(size=(4, 12, 12, 1)).astype(np.float32) for _ in pictures]
    audit(model, (probe, np.zeros(4)), tmp_path)
    history = _history(tmp_path)
    assert history.latest("gradient_boxes", "head") is None
    assert any("No boxes of gradients: the model takes several pictures." in note for note in history.info.notes)  # type: ignore[union-attr]
