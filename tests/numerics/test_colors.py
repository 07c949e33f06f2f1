"""Images as colors: what common preprocessing did is undone, so that the picture is the one before it."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics.colors import colors, side_by_side
from tb_cnndiag.payloads import FloatArray

BLUE_GREEN_RED = np.array([103.939, 116.779, 123.68])  # keras.applications.imagenet_utils, mode "caffe"
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # mode "torch"


@pytest.fixture
def pictures(rng: np.random.Generator) -> FloatArray:
    """Pixels of 0 … 255 with black and white among them, ``(4, 6, 5, 3)``."""
    pixels = rng.integers(0, 256, size=(4, 6, 5, 3)).astype(np.float64)
    pixels[0, 0, 0], pixels[1, 2, 3] = 0, 255
    return pixels


@pytest.mark.parametrize(
    ("name", "scaling"),
    [
        ("255", "0 to 255"),
        ("1", "0 to 1"),
        ("symmetric", "−1 to 1"),
        ("caffe", "ImageNet means subtracted (blue, green, red)"),
        ("torch", "standardized by ImageNet's means and deviations"),
    ],
)
def test_what_preprocessing_did_is_undone(pictures: FloatArray, name: str, scaling: str) -> None:
    scaled = {
        "255": pictures,
        "1": pictures / 255,
        "symmetric": pictures / 127.5 - 1,
        "caffe": pictures[..., ::-1] - BLUE_GREEN_RED,
        "torch": (pictures / 255 - MEAN) / DEVIATION,
    }[name]
    found, words = colors(scaled)
    assert words == scaling
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, pictures)


def test_other_ranges_are_stretched_for_each_channel(pictures: FloatArray) -> None:
    found, words = colors(pictures * [1.0, 2.0, 4.0] - 7)
    assert words == "−7 to 1,013, each channel stretched"
    assert np.abs(found.astype(float) - pictures).max() <= 1
    flat, _ = colors(np.full((1, 2, 2, 3), 1e4))
    assert (flat == 0).all()


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 1, "0 to 1"),
        (0, 0.5, "0 to 0.5, each channel stretched"),
        (0, 1.01, "0 to 1.01, each channel stretched"),
        (0, 128, "0 to 128, each channel stretched"),
        (0, 129, "0 to 255"),
        (0, 256, "0 to 256, each channel stretched"),
        (-0.1, 200, "−0.1 to 200, each channel stretched"),
        (-1, 1, "−1 to 1"),
        (-1, 0.25, "−1 to 0.25, each channel stretched"),
        (-0.25, 1, "−0.25 to 1, each channel stretched"),
        (-1.01, 1, "−1.01 to 1, each channel stretched"),
    ],
)
def test_ranges_of_gray_images(low: float, high: float, words: str) -> None:
    found, scaling = colors(np.array([low, high]).reshape(1, 1, 2, 1))
    assert scaling == words
    assert found.shape == (1, 1, 2, 3)
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize(
    ("channels", "words"),
    [(1, "0 to 1"), (2, "0 to 1, mean of two channels"), (3, "0 to 1"), (5, "0 to 1, the first three of 5 channels")],
)
def test_any_number_of_channels(rng: np.random.Generator, channels: int, words: str) -> None:
    images = rng.random((3, 4, 4, channels))
    images[0, 0, 0] = 1.0
    found, scaling = colors(images)
    assert scaling == words
    expected = {1: images.repeat(3, -1), 2: images.mean(-1, keepdims=True).repeat(3, -1)}.get(channels, images[..., :3])
    np.testing.assert_array_equal(found, np.rint(255 * expected))


def test_values_that_are_not_finite_are_black() -> None:
    images = np.array([0.0, np.nan, np.inf, -np.inf, 1.0]).reshape(1, 1, 5, 1)
    assert colors(images)[0][0, 0, :, 0].tolist() == [0, 0, 0, 0, 255]


@pytest.mark.parametrize(("means", "near"), [(BLUE_GREEN_RED, True), (BLUE_GREEN_RED + 60, False)])
def test_subtracted_means_are_those_of_imagenet(pictures: FloatArray, means: FloatArray, near: bool) -> None:
    assert ("ImageNet" in colors(pictures[..., ::-1] - means)[1]) == near
    # Without dark pixels, or with values too small to be pixels, other means are as likely.
    assert "ImageNet" not in colors(pictures[..., ::-1] / 255 * 100 + 150 - means)[1]
    assert "ImageNet" not in colors((pictures[..., ::-1] - means) / 4)[1]


@pytest.mark.parametrize(
    ("samples", "height", "width", "columns"),
    [(1, 4, 4, 1), (4, 5, 5, 2), (5, 5, 5, 3), (7, 2, 8, 2), (7, 8, 2, 6), (3, 90, 1, 3), (3, 1, 90, 1)],
)
def test_images_side_by_side(rng: np.random.Generator, samples: int, height: int, width: int, columns: int) -> None:
    """Image i lies in row i // columns; the picture is about as wide as it is high, and black where images end."""
    pixels = rng.integers(1, 256, size=(samples, height, width, 3)).astype(np.uint8)
    picture, found = side_by_side(pixels)
    assert found == columns
    rows = -(-samples // columns)
    assert picture.shape == (rows * height, columns * width, 3)
    for i in range(rows * columns):
        row, column = divmod(i, columns)
        part = picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
        np.testing.assert_array_equal(part, pixels[i] if i < samples else np.zeros((height, width, 3)))


@pytest.mark.parametrize(
    ("brightest", "recognized"), [(180, True), (200, True), (255, True), (262, False), (300, False)]
)
def test_standardized_images_that_are_darker_or_brighter_than_any_pixel(
    pictures: FloatArray, brightest: float, recognized: bool
) -> None:
    """A fiftieth beyond white is rounding; the largest value of the darkest is 1.33 deviations."""
    images = pictures * brightest / 255
    found, words = colors((images / 255 - MEAN) / DEVIATION)
    assert (words == "standardized by ImageNet's means and deviations") == recognized
    if recognized:
        np.testing.assert_array_equal(found, np.rint(images))
