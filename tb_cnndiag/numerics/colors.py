"""Images of any range and number of channels, as colors: the scaling of common preprocessing is undone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.wording import number

# What keras.applications subtract and divide by: means of ImageNet in blue, green, red ("caffe"), and means and
# deviations of red, green, blue between 0 and 1 ("torch").
CAFFE = np.array([103.939, 116.779, 123.68])
TORCH_MEAN, TORCH_DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
_TOLERANCE = 0.02


def colors(images: FloatArray) -> tuple[NDArray[np.uint8], str]:
    """Pixels ``(samples, height, width, 3)`` uint8 of images ``(samples, height, width, channels)``, and how they came.

    Three channels are red, green and blue; of more, the first three are; of two, the mean is drawn in gray. Values that
    are not finite count as zero.
    """
    values = np.nan_to_num(np.asarray(images, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    channels = values.shape[-1]
    words = ""
    if channels == 2:
        values, words = values.mean(axis=-1, keepdims=True), ", mean of two channels"
    elif channels > 3:
        values, words = values[..., :3], f", the first three of {channels} channels"
    levels, scaling = _unscaled(values)
    pixels = np.rint(255 * np.clip(levels, 0, 1)).astype(np.uint8)
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels, scaling + words


def _unscaled(values: FloatArray) -> tuple[FloatArray, str]:
    """Levels 0..1, and the range that was found, in words."""
    low, high = values.min(axis=(0, 1, 2)), values.max(axis=(0, 1, 2))
    least, most = float(low.min()), float(high.max())
    if least >= 0 and 0.5 < most <= 1:
        return values, "0 to 1"
    if least >= 0 and 128 < most <= 255:
        return values / 255, "0 to 255"
    if -1 <= least < -0.25 and 0.25 < most <= 1:
        return (values + 1) / 2, "−1 to 1"
    if values.shape[-1] == 3:
        if _within(low, high, -CAFFE, 255 - CAFFE) and most > 64:
            return ((values + CAFFE) / 255)[..., ::-1], "ImageNet means subtracted (blue, green, red)"
        if (
            _within(low, high, -TORCH_MEAN / TORCH_DEVIATION, (1 - TORCH_MEAN) / TORCH_DEVIATION)
            and least < -1 < 1 < most
        ):
            return values * TORCH_DEVIATION + TORCH_MEAN, "standardized by ImageNet's means and deviations"
    spread = np.where(high > low, high - low, 1.0)
    return (values - low) / spread, f"{number(least)} to {number(most)}, each channel stretched"


def _within(low: FloatArray, high: FloatArray, least: FloatArray, most: FloatArray) -> bool:
    """Whether each channel is inside its bounds and comes near the lower one, as dark pixels do."""
    slack = _TOLERANCE * (most - least)
    inside = (low >= least - slack).all() and (high <= most + slack).all()
    return bool(inside and (low <= least + 0.25 * (most - least)).all())


def side_by_side(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Images ``(samples, height, width, 3)`` in one nearly square picture ``(…, …, 3)``, and the images in each row."""
    samples, height, width, _ = pixels.shape
    columns = max(min(int(np.ceil(np.sqrt(samples * height / width))), samples), 1)
    rows = -(-samples // columns)
    filled = np.zeros((rows * columns, height, width, 3), np.uint8)
    filled[:samples] = pixels
    picture = filled.reshape(rows, columns, height, width, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(picture.reshape(rows * height, columns * width, 3)), columns
