"""Numbers of more than one byte, stored as all low bytes, then all high bytes, and compressed."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.summaries.codec_arrays import MAX_CELLS, inflated


def rounded(values: FloatArray) -> FloatArray:
    """Half floats with 6 bits behind the leading one, an error of at most 0.8 %: they compress by a third more."""
    bits = np.asarray(values, "<f2").view("<u2")
    return np.asarray(((bits + np.uint16(8)) & np.uint16(0xFFF0)).view("<f2"))


def deflated(values: NDArray[Any], dtype: str) -> bytes:
    """All low bytes, then all high bytes, compressed: most high bytes are alike."""
    raw = np.ascontiguousarray(values, dtype)
    planes = np.frombuffer(raw.tobytes(), np.uint8).reshape(-1, raw.itemsize)
    return zlib.compress(planes.T.tobytes(), 6)


def unpacked(data: bytes, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Undo :func:`deflated`.

    Raises:
        ValueError: If the size does not fit.
    """
    count, size = math.prod(shape), np.dtype(dtype).itemsize
    if count > MAX_CELLS:
        raise ValueError(f"{' × '.join(map(str, shape))} values are more than a page can show")
    planes = np.frombuffer(inflated(data, count * size), np.uint8).reshape(size, count)
    return np.frombuffer(planes.T.tobytes(), dtype).reshape(shape)
