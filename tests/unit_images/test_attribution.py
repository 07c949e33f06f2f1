"""Maps of classes against slow code."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.unit_images.attribution import (
    METHODS,
    NoMapError,
    enlarged,
    grad_cam,
    gradient_times_input,
    integrated_gradients,
    occlusion,
    squares,
)
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tb_cnndiag.unit_images.randomization import randomized, similarity_to_random, words
from tests.unit_images.helpers import answers, network, passes_of

SAMPLES, CLASSES = np.array([0, 3]), np.array([2, 1])


def _raw(model: Any) -> Any:
    """The same model without its softmax."""
    raw = network(head=None, classes=model.output_shape[-1], channels=model.input_shape[-1])
    raw.set_weights(model.get_weights())
    return raw


def test_gradient_times_input_against_finite_differences(rng: np.random.Generator) -> None:
    model = network(channels=2)
    passes = passes_of(model, rng)
    found = gradient_times_input(passes, SAMPLES, CLASSES)
    raw, mean = _raw(model), passes.inputs.pictures.mean(axis=(0, 1, 2))
    for each, sample, kind in zip(found, SAMPLES, CLASSES, strict=True):
        picture = passes.inputs.pictures[sample]
        for y, x in ((0, 0), (5, 6), (8, 3)):
            slopes = []
            for channel in range(2):
                step = np.zeros_like(picture)
                step[y, x, channel] = 1e-3
                up, down = (answers(raw, np.stack([picture + sign * step]))[0, kind] for sign in (1, -1))
                slopes.append((up - down) / 2e-3)
            assert each[y, x] == pytest.approx(np.dot(slopes, picture[y, x] - mean), abs=2e-3)


def test_integrated_gradients_are_complete(rng: np.random.Generator) -> None:
    model = network()
    passes = passes_of(model, rng)
    found = integrated_gradients(passes, SAMPLES, CLASSES)
    raw, gray = _raw(model), np.full((1, 12, 12, 1), passes.inputs.pictures.mean(), np.float32)
    for each, sample, kind in zip(found, SAMPLES, CLASSES, strict=True):
        ends = [float(answers(raw, x)[0, kind]) for x in (passes.inputs.pictures[[sample]], gray)]
        assert each.sum() == pytest.approx(ends[0] - ends[1], rel=0.011)


def test_grad_cam_against_slow_code(rng: np.random.Generator) -> None:
    model = network()
    passes = passes_of(model, rng)
    found = grad_cam(passes, SAMPLES, CLASSES)
    raw = _raw(model)
    lower = keras.Model(raw.inputs, raw.layers[3].output)
    weights, _ = raw.layers[-1].get_weights()
    for each, sample, kind in zip(found, SAMPLES, CLASSES, strict=True):
        maps = answers(lower, passes.inputs.pictures[[sample]])[0]
        slopes = weights[:, kind].reshape(maps.shape)  # the head is linear in the maps
        cam = sum(slopes[..., c].mean() * maps[..., c] for c in range(maps.shape[-1]))
        np.testing.assert_allclose(each, enlarged(cam[None], 12, 12)[0], atol=1e-5)


def test_occlusion_against_slow_code(rng: np.random.Generator) -> None:
    model = network()
    passes = passes_of(model, rng)
    found = occlusion(passes, SAMPLES, CLASSES)
    raw, mean = _raw(model), passes.inputs.pictures.mean()
    for each, sample, kind in zip(found, SAMPLES, CLASSES, strict=True):
        picture = passes.inputs.pictures[sample]
        score = float(answers(raw, picture[None])[0, kind])
        falls: dict[tuple[int, int], list[float]] = {}
        for top in range(11):
            for left in range(11):
                covered = picture.copy()
                covered[top : top + 2, left : left + 2] = mean
                fall = score - float(answers(raw, covered[None])[0, kind])
                for y in range(top, top + 2):
                    for x in range(left, left + 2):
                        falls.setdefault((y, x), []).append(fall)
        slow = np.array([[np.mean(falls[y, x]) for x in range(12)] for y in range(12)])
        np.testing.assert_allclose(each, slow, atol=1e-4)


@pytest.mark.parametrize("shape", [(12, 12), (9, 31), (64, 48), (4, 4)])
def test_squares_cover_the_image(shape: tuple[int, int]) -> None:
    covered = np.zeros(shape, bool)
    for top, left, bottom, right in squares(*shape):
        assert 0 <= top < bottom <= shape[0]
        assert 0 <= left < right <= shape[1]
        covered[top:bottom, left:right] = True
    assert covered.all()


def test_enlarging_keeps_constants_and_places() -> None:
    np.testing.assert_allclose(enlarged(np.full((1, 3, 5), 2.0), 12, 20), 2)
    spot = np.zeros((1, 4, 4))
    spot[0, 1, 2] = 1
    assert np.unravel_index(enlarged(spot, 16, 16)[0].argmax(), (16, 16)) in [(5, 9), (5, 10), (6, 9), (6, 10)]


def test_head_of_one_unit_explains_both_classes(rng: np.random.Generator) -> None:
    model = network(head="sigmoid", classes=1)
    passes = passes_of(model, rng)
    for method in METHODS.values():
        yes, no = (method(passes, np.array([0]), np.array([kind])) for kind in (1, 0))
        np.testing.assert_allclose(yes, -no, atol=1e-5)


def test_segmentation_sums_over_positions(rng: np.random.Generator) -> None:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.layers.Input((12, 12, 1)),
            keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(3, 1, activation="softmax"),
        ]
    )
    for method in METHODS.values():
        assert np.isfinite(method(passes_of(model, rng), SAMPLES, CLASSES)).all()


def test_model_without_maps_has_no_grad_cam(rng: np.random.Generator) -> None:
    model = keras.Sequential([keras.layers.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(NoMapError, match="no layer of this model makes maps"):
        grad_cam(passes_of(model, rng), np.array([0]), np.array([0]))


def _trained(rng: np.random.Generator) -> tuple[Any, FloatArray, FloatArray]:
    """A model that has learned where a bright square is; its Grad-CAM hardly depends on the head."""
    keras.utils.set_random_seed(5)
    images, labels = rng.uniform(0, 0.3, (300, 12, 12, 1)).astype(np.float32), rng.integers(0, 2, 300)
    for image, label in zip(images, labels, strict=True):
        top = rng.integers(0, 8)
        image[top : top + 4, 1 + 6 * label : 5 + 6 * label] += 0.6
    model = keras.Sequential(
        [
            keras.layers.Input((12, 12, 1)),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=8, verbose=0)
    return model, images, labels


def test_maps_mark_the_evidence_and_depend_on_what_was_learned(rng: np.random.Generator) -> None:
    model, images, labels = _trained(rng)
    passes = Passes(model, Inputs.of(images[:40]))
    samples, classes = np.arange(8), labels[:8]
    unlearned = Passes(model, passes.inputs, replaced=randomized(passes.layers))
    trained = model.get_weights()
    for name, method in METHODS.items():
        maps = method(passes, samples, classes)
        square = images[:8, :, :, 0] > 0.45
        assert maps[square].mean() > 3 * abs(maps[~square].mean()) or name == "grad_cam", name
        similar = similarity_to_random(method, passes, unlearned, samples, classes, maps)
        assert abs(np.mean(similar)) < 0.5 or name == "grad_cam", name
    for a, b in zip(trained, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_same_model_is_entirely_similar(rng: np.random.Generator) -> None:
    passes = passes_of(network(), rng)
    maps = occlusion(passes, SAMPLES, CLASSES)
    np.testing.assert_allclose(similarity_to_random(occlusion, passes, passes, SAMPLES, CLASSES, maps), 1)


def test_words_say_whether_to_rely_on_a_map() -> None:
    assert "do not rely on it" in words(0.8)
    assert "do not rely on it" in words(float("nan"))
    assert words(0.1) == "Depends on the trained layers (0.10)."
    assert words(-0.123) == "Depends on the trained layers (−0.12)."
    assert words(-0.004) == "Depends on the trained layers (0.00)."
    assert words(-0.7) == "Hardly depends on the trained layers (−0.70): do not rely on it."
