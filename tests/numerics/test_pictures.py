"""Arrays as 8-bit pictures."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics.pictures import color_picture, evenly_spaced, interpolation, signed_picture


def test_the_values_of_a_signed_picture_are_exact_to_half_a_level(rng):
    values = rng.normal(size=(5, 7, 3)) * 40
    pixels, scale = signed_picture(values)
    assert pixels.dtype == np.uint8
    np.testing.assert_allclose((pixels.astype(float) - 128) / 127 * scale, values, atol=scale / 127 / 2 * 1.0001)


def test_zero_is_the_middle_level_and_non_finite_values_count_as_zero():
    pixels, scale = signed_picture(np.array([[[0.0], [np.nan], [np.inf], [-2.0], [2.0]]]))
    assert pixels.ravel().tolist() == [128, 128, 128, 1, 255]
    assert scale == 2.0
    blank, scale = signed_picture(np.zeros((2, 2, 1)))
    assert (blank == 128).all()
    assert scale == 0.0


def test_an_image_is_scaled_from_black_to_white(rng):
    image = rng.uniform(-3, 9, size=(6, 4, 3))
    pixels = color_picture(image)
    assert pixels.shape == (6, 4, 3)
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert np.argmax(pixels) == np.argmax(image)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_numbers_of_channels_are_gray(channels, rng):
    pixels = color_picture(rng.uniform(size=(3, 3, channels)))
    assert pixels.shape == (3, 3, 3)
    assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize(("count", "limit"), [(1, 8), (8, 8), (9, 8), (64, 8), (100, 64), (2048, 8)])
def test_indices_are_evenly_spaced_and_within_the_limit(count, limit):
    chosen = evenly_spaced(count, limit)
    assert 0 < len(chosen) <= limit
    assert len(chosen) > limit / 2 or len(chosen) == count
    assert chosen[0] == 0
    assert len(set(np.diff(chosen))) <= 1
    assert chosen[-1] < count


def test_values_between_cells_lie_on_straight_lines(rng):
    values, places = rng.normal(size=6), np.concatenate([[-3.0, -0.1, 0.0, 5.0, 5.1, 9.0], rng.uniform(0, 5, 20)])
    np.testing.assert_allclose(interpolation(places, 6) @ values, np.interp(places, np.arange(6), values))


def test_a_flat_image_is_gray_and_unknown_values_are_zero():
    assert (color_picture(np.full((2, 2, 3), 7.0)) == 128).all()
    assert color_picture(np.array([[[-1.0], [np.nan], [3.0]]]))[0, :, 0].tolist() == [0, 64, 255]


def test_levels_of_an_image_are_those_of_its_range(rng):
    image = rng.uniform(-3, 9, size=(4, 5, 3))
    levels = (image - image.min()) / (image.max() - image.min())
    np.testing.assert_array_equal(color_picture(image), np.rint(255 * levels))
    image = rng.uniform(-3, 9, size=(4, 5, 2))
    levels = ((image - image.min()) / (image.max() - image.min())).mean(axis=2)
    np.testing.assert_array_equal(color_picture(image), np.rint(255 * levels)[..., None].repeat(3, axis=2))
    unknown = color_picture(np.array([[[np.inf], [-np.inf], [np.nan], [-1.0], [1.0]]]))
    assert unknown[0, :, 0].tolist() == [128, 128, 128, 0, 255]


def test_indices_of_nothing_and_of_little():
    assert evenly_spaced(0, 8).tolist() == []
    assert evenly_spaced(3, 1).tolist() == [0]
    assert evenly_spaced(10, 4).tolist() == [0, 3, 6, 9]
    assert evenly_spaced(8, 8).tolist() == list(range(8))
