"""Encodes an atlas of images, and makes it smaller."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL import WebPImagePlugin as WebPImagePlugin  # else Pillow imports all its plugins to find this one

from tb_cnndiag.payloads import Atlas

# Most bytes without loss, which small images need. Larger pictures are not tried: it would take seconds.
MAX_LOSSLESS = 1_000_000
LOSSLESS_PIXELS = 1 << 19
QUALITIES = (90, 80, 65, 50, 30)


def encoded(
    picture: NDArray[np.uint8], columns: int, tile: tuple[int, int], most: int
) -> tuple[bytes, tuple[int, int]]:
    """A picture ``(height, width, 3)`` of images as WebP of at most ``most`` bytes, as good as they allow.

    Args:
        picture: The images side by side.
        columns: Images in each row.
        tile: Height and width of an image in the picture.
        most: Largest size. Images of a single pixel are kept even if they take more.

    Returns:
        The bytes, and height and width of an image in what they hold: halved until it fits.
    """
    return _encoded(Image.fromarray(picture), columns, tile, most)


def shrunk(atlas: Atlas, most: int) -> Atlas:
    """The atlas in at most ``most`` bytes."""
    if len(atlas.webp) <= most:
        return atlas
    data, tile = _encoded(Image.open(io.BytesIO(atlas.webp)).convert("RGB"), atlas.columns, atlas.tile, most)
    return replace(atlas, webp=data, tile=tile)


def _encoded(image: Image.Image, columns: int, tile: tuple[int, int], most: int) -> tuple[bytes, tuple[int, int]]:
    if image.width * image.height <= LOSSLESS_PIXELS:
        data = _saved(image, lossless=True)
        if len(data) <= min(MAX_LOSSLESS, most):
            return data, tile
    for quality in QUALITIES:
        data = _saved(image, quality=quality)
        if len(data) <= most:
            return data, tile
    if max(tile) == 1:
        return data, tile
    rows = image.height // tile[0]
    half = max(tile[0] // 2, 1), max(tile[1] // 2, 1)
    return _encoded(image.resize((columns * half[1], rows * half[0])), columns, half, most)


def _saved(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "WEBP", method=2, **options)
    return stream.getvalue()
