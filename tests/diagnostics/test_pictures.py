"""Pictures of filters, feature maps and probe images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tb_cnndiag.diagnostics import LayerSnapshot
from tb_cnndiag.diagnostics.feature_maps import FeatureMaps
from tb_cnndiag.diagnostics.filter_images import MAX_FILTERS, FilterImages
from tb_cnndiag.diagnostics.probe_images import ProbeImages
from tb_cnndiag.payloads import LayerInfo
from tests.diagnostics.helpers import layer_snapshot


def snapshot_at(kernel: np.ndarray, **more) -> LayerSnapshot:
    """A Conv2D layer with the kernel in the layout of Keras, ``(height, width, channels, units)``."""
    rows = kernel.transpose(3, 0, 1, 2).reshape(kernel.shape[3], -1)
    snapshot = layer_snapshot(kernel_shape=kernel.shape, kernel=rows.astype(np.float32))
    return replace(snapshot, layer=replace(snapshot.layer, **more))


def drawn(snapshot: LayerSnapshot, **options) -> list[np.ndarray]:
    """The pictures, converted back to numbers."""
    payload = FilterImages(**options).measure(snapshot).payload
    return [(image.pixels.astype(float) - 128) / 127 * image.scale for image in payload.images]


def test_filters_of_a_first_layer_with_three_channels_are_in_color(rng):
    kernel = rng.normal(size=(5, 4, 3, 6))
    for unit, picture in enumerate(drawn(snapshot_at(kernel))):
        np.testing.assert_allclose(picture, kernel[..., unit], atol=np.abs(kernel).max() / 250)


def test_deeper_filters_show_the_norm_over_channels_or_one_channel(rng):
    kernel = rng.normal(size=(3, 3, 8, 4))
    for unit, picture in enumerate(drawn(snapshot_at(kernel, inputs=(0,)))):
        expected = np.sqrt(np.sum(kernel[..., unit] ** 2, axis=2))
        np.testing.assert_allclose(picture[..., 0], expected, atol=expected.max() / 250)
    for unit, picture in enumerate(drawn(snapshot_at(kernel, inputs=(0,)), channel=5)):
        np.testing.assert_allclose(picture[..., 0], kernel[:, :, 5, unit], atol=np.abs(kernel).max() / 250)
    assert FilterImages(channel=8).measure(snapshot_at(kernel)).payload is None


def test_deeper_filters_with_three_channels_are_not_in_color(rng):
    assert all(picture.shape == (3, 3, 1) for picture in drawn(snapshot_at(rng.normal(size=(3, 3, 3, 4)), inputs=(0,))))


def test_filters_of_one_channel_keep_their_sign(rng):
    kernel = rng.normal(size=(3, 3, 1, 4))
    np.testing.assert_allclose(
        drawn(snapshot_at(kernel))[2][..., 0], kernel[:, :, 0, 2], atol=np.abs(kernel).max() / 250
    )


def test_drawn_filters_are_evenly_spaced_over_the_layer(rng):
    images = FilterImages().measure(snapshot_at(rng.normal(size=(3, 3, 2, 1000)))).payload.images
    assert len(images) <= MAX_FILTERS
    assert images[-1].unit > 900
    assert sum(image.pixels.size for image in images) <= 64 * 9


@pytest.mark.parametrize(
    "info",
    [
        LayerInfo("a", role="dense", kernel_shape=(9, 4)),
        LayerInfo("a", role="conv", kernel_shape=(3, 3, 4)),
        LayerInfo("a", role="conv", kernel_shape=(1, 1, 9, 4)),
        LayerInfo("a", role="conv", kernel_shape=(3, 3, 3, 1, 4)),
        LayerInfo("a", role="conv", kernel_shape=(224, 224, 3, 4)),
    ],
)
def test_kernels_without_two_spatial_axes_have_no_picture(info):
    assert FilterImages().measure(LayerSnapshot(info, {"kernel": np.ones((4, 9), np.float32)})).payload is None


def test_feature_maps_name_their_unit_and_sample(rng):
    maps = rng.normal(size=(2, 4, 5, 3)).astype(np.float32)
    snapshot = layer_snapshot(feature_map=maps, pictured_units=np.array([0, 7, 14]))
    images = FeatureMaps().measure(snapshot).payload.images
    assert [(image.sample, image.unit) for image in images] == [(0, 0), (0, 7), (0, 14), (1, 0), (1, 7), (1, 14)]
    shown = (images[4].pixels[..., 0].astype(float) - 128) / 127 * images[4].scale
    np.testing.assert_allclose(shown, maps[1, :, :, 1], atol=images[4].scale / 250)


def test_probe_images_are_in_color(rng):
    images = ProbeImages().measure(layer_snapshot(input_picture=rng.uniform(size=(2, 6, 6, 3)))).payload.images
    assert [image.sample for image in images] == [0, 1]
    assert all(image.pixels.shape == (6, 6, 3) for image in images)
