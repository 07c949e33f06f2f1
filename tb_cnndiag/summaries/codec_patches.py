"""Converts top patches, class responses and atlases to messages and back."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import Atlas, ClassResponses, FloatArray, Patches
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec_arrays import MAX_CELLS, inflated

# Stands for a patch that does not exist.
NONE = 0xFFFF


def encode_patches(payload: Patches) -> pb.Patches:
    images = np.where(payload.images < 0, NONE, payload.images)
    scale = _scale(payload.values)
    return pb.Patches(
        units=images.shape[0],
        count=images.shape[1],
        samples=payload.samples,
        images=_deflated(images, "<u2"),
        positions=_deflated(payload.positions, "<u4"),
        values=_deflated(_rounded(payload.values / scale), "<f2"),
        scale=scale,
    )


def decode_patches(message: pb.Patches) -> Patches:
    shape = message.units, message.count
    images = _array(message.images, "<u2", shape).astype(np.int64)
    images[images == NONE] = -1
    return Patches(
        images=images,
        positions=_array(message.positions, "<u4", shape).astype(np.int64),
        values=_scaled(_array(message.values, "<f2", shape), message.scale),
        samples=message.samples,
    )


def encode_class_responses(payload: ClassResponses) -> pb.ClassResponses:
    scale = _scale(payload.means)
    return pb.ClassResponses(
        units=payload.classes.shape[0],
        classes=payload.number,
        listed=payload.classes.shape[1],
        ids=_deflated(payload.classes, "<u2"),
        means=_deflated(_rounded(payload.means / scale), "<f2"),
        scale=scale,
        rest=np.asarray(payload.rest / scale, "<f2").tobytes(),
        explained=np.asarray(payload.explained, "<f2").tobytes(),
    )


def decode_class_responses(message: pb.ClassResponses) -> ClassResponses:
    shape = message.units, message.listed
    rest, explained = (np.frombuffer(data, "<f2").astype(np.float32) for data in (message.rest, message.explained))
    if not len(rest) == len(explained) == message.units:
        raise ValueError(f"{len(rest)} and {len(explained)} numbers for {message.units} units")
    return ClassResponses(
        classes=_array(message.ids, "<u2", shape).astype(np.int64),
        means=_scaled(_array(message.means, "<f2", shape), message.scale),
        rest=_scaled(rest, message.scale),
        explained=explained,
        number=message.classes,
    )


def encode_atlas(payload: Atlas) -> pb.Atlas:
    return pb.Atlas(
        picture=payload.webp,
        samples=payload.samples,
        columns=payload.columns,
        tile_height=payload.tile[0],
        tile_width=payload.tile[1],
        height=payload.extent[0],
        width=payload.extent[1],
        scaling=payload.scaling,
        labels=np.asarray(payload.labels).tolist(),
    )


def decode_atlas(message: pb.Atlas) -> Atlas:
    if message.samples and not (message.columns and message.tile_height and message.tile_width):
        raise ValueError(f"an atlas of {message.samples} images without a size")
    return Atlas(
        webp=message.picture,
        samples=message.samples,
        columns=message.columns,
        tile=(message.tile_height, message.tile_width),
        extent=(message.height, message.width),
        scaling=message.scaling,
        labels=np.asarray(message.labels, np.int64),
    )


def _scale(values: FloatArray) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0)) or 1.0


def _scaled(values: FloatArray, scale: float) -> FloatArray:
    return np.asarray(values.astype(np.float32) * np.float32(scale))


def _rounded(values: FloatArray) -> FloatArray:
    """Half floats with 6 bits behind the leading one, an error of at most 0.8 %: they compress by a third more."""
    bits = np.asarray(values, "<f2").view("<u2")
    return np.asarray(((bits + np.uint16(8)) & np.uint16(0xFFF0)).view("<f2"))


def _deflated(values: NDArray[Any], dtype: str) -> bytes:
    """All low bytes, then all high bytes, compressed: most high bytes are alike."""
    raw = np.ascontiguousarray(values, dtype)
    planes = np.frombuffer(raw.tobytes(), np.uint8).reshape(-1, raw.itemsize)
    return zlib.compress(planes.T.tobytes(), 6)


def _array(data: bytes, dtype: str, shape: tuple[int, int]) -> NDArray[Any]:
    count, size = shape[0] * shape[1], np.dtype(dtype).itemsize
    if count > MAX_CELLS:
        raise ValueError(f"{shape[0]} × {shape[1]} values are more than a page can show")
    planes = np.frombuffer(inflated(data, count * size), np.uint8).reshape(size, count)
    return np.frombuffer(planes.T.tobytes(), dtype).reshape(shape)
