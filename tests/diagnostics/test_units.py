"""Top patches over snapshots, class selectivity, and the colors of the probe's images."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tb_cnndiag.diagnostics.class_selectivity import ClassSelectivity
from tb_cnndiag.diagnostics.probe_atlas import ProbeAtlas
from tb_cnndiag.diagnostics.top_patches import TopPatches
from tb_cnndiag.numerics.colors import CAFFE, TORCH_DEVIATION, TORCH_MEAN, colors, side_by_side
from tb_cnndiag.payloads import Atlas
from tb_cnndiag.webp import encoded, shrunk
from tests.diagnostics.helpers import layer_snapshot


def peaks_of(images: list[list[int]], value: float = 1.0) -> np.ndarray:
    found = np.asarray(images, float)
    return np.stack([np.full_like(found, value), found, np.zeros_like(found)], axis=-1)


def test_kept_images_are_counted_against_the_last_snapshot():
    diagnostic = TopPatches()
    first = diagnostic.measure(layer_snapshot(peaks=peaks_of([[0, 1, 2, 3], [4, 5, 6, 7]]), searched=20))
    assert first.values == {}
    again = diagnostic.measure(layer_snapshot(peaks=peaks_of([[3, 2, 1, 9], [4, 5, 10, 11]]), searched=20))
    assert again.values["kept_ratio"] == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert again.values["jaccard"] == pytest.approx((3 / 5 + 2 / 6) / 2)


def test_a_rectified_unit_that_is_silent_has_no_patches():
    silent = layer_snapshot("relu", peaks=peaks_of([[0, 1]], 0.0), searched=5)
    assert (TopPatches().measure(silent).payload.images == -1).all()
    linear = layer_snapshot("linear", peaks=peaks_of([[0, 1]], -2.0), searched=5)
    assert TopPatches().measure(linear).payload.images.tolist() == [[0, 1]]


def test_selectivity_is_the_textbook_ratio_of_sums_of_squares(rng):
    labels = rng.integers(0, 5, 60)
    responses = rng.normal(size=(60, 8)) + np.eye(5)[labels] @ rng.normal(size=(5, 8))
    found = ClassSelectivity().measure(layer_snapshot(sample_max=responses, labels=labels))
    for unit in range(8):
        values = responses[:, unit]
        groups = [values[labels == label] for label in range(5)]
        between = sum(len(g) * (g.mean() - values.mean()) ** 2 for g in groups)
        assert found.payload.explained[unit] == pytest.approx(between / ((values - values.mean()) ** 2).sum(), rel=1e-5)
        order = np.argsort([-g.mean() for g in groups])
        assert found.payload.classes[unit].tolist() == order.tolist()
        np.testing.assert_allclose(found.payload.means[unit], [groups[i].mean() for i in order], rtol=1e-5)
    assert np.isnan(found.payload.rest).all()


def test_of_many_classes_only_the_strongest_are_listed(rng):
    labels = np.arange(200) % 100
    found = ClassSelectivity().measure(layer_snapshot(sample_max=rng.normal(size=(200, 3)), labels=labels)).payload
    assert found.classes.shape == (3, 20)
    assert found.number == 100
    assert (found.rest < found.means.min(axis=1)).all()


def test_a_constant_unit_and_a_single_class_say_nothing(rng):
    responses = np.concatenate([np.ones((10, 1)), rng.normal(size=(10, 1))], axis=1)
    found = ClassSelectivity().measure(layer_snapshot(sample_max=responses, labels=np.arange(10) % 2)).payload
    assert np.isnan(found.explained).tolist() == [True, False]
    assert ClassSelectivity().measure(layer_snapshot(sample_max=responses, labels=np.zeros(10))).payload is None


@pytest.mark.parametrize(
    "scaled",
    [
        lambda x: x * 255,
        lambda x: x,
        lambda x: 2 * x - 1,
        lambda x: 255 * x[..., ::-1] - CAFFE,
        lambda x: (x - TORCH_MEAN) / TORCH_DEVIATION,
    ],
)
def test_usual_scalings_are_undone(scaled, rng):
    x = rng.uniform(size=(6, 9, 7, 3)) ** 2
    x[0, 0, 0], x[0, 0, 1] = 0, 1
    pixels, _ = colors(scaled(x))
    assert np.abs(pixels / 255 - x).max() < 0.004


def test_any_other_range_is_stretched_and_any_number_of_channels_is_shown(rng):
    pixels, words = colors(rng.normal(5, 30, (4, 6, 6, 1)))
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert "stretched" in words
    for channels in (1, 2, 4, 13):
        assert colors(rng.normal(size=(2, 5, 4, channels)))[0].shape == (2, 5, 4, 3)
    colors(np.full((1, 2, 2, 3), np.nan))


def test_an_atlas_holds_each_image_and_is_stored_once(rng):
    images = rng.integers(0, 256, (10, 8, 6, 3)).astype(np.float32)
    diagnostic = ProbeAtlas()
    snapshot = layer_snapshot(image=images, labels=np.arange(10))
    atlas = diagnostic.measure(snapshot).payload
    whole = np.asarray(Image.open(io.BytesIO(atlas.webp)).convert("RGB"))
    for index, image in enumerate(images):
        row, column = divmod(index, atlas.columns)
        np.testing.assert_array_equal(whole[8 * row : 8 * row + 8, 6 * column : 6 * column + 6], image)
    assert atlas.labels.tolist() == list(range(10))
    assert diagnostic.measure(snapshot).payload is None


def test_an_atlas_has_a_largest_size(rng):
    """If no quality suffices, its images are stored smaller, and it says so."""
    images = np.repeat(np.repeat(rng.integers(0, 256, (30, 16, 16, 3)), 8, axis=1), 8, axis=2).astype(np.uint8)
    picture, columns = side_by_side(images)
    data, tile = encoded(picture, columns, (128, 128), 200_000)
    assert len(data) <= 200_000
    assert tile == (128, 128)
    small = shrunk(Atlas(data, 30, columns, tile, (128, 128)), 20_000)
    assert len(small.webp) <= 20_000
    assert small.tile[0] < 128
    whole = np.asarray(Image.open(io.BytesIO(small.webp)).convert("RGB"), np.float64)
    assert whole.shape[:2] == (-(-30 // columns) * small.tile[0], columns * small.tile[1])
    assert shrunk(small, 20_000) is small
