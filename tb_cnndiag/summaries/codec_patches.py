"""Converts top patches, class responses and atlases to messages and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import Atlas, ClassResponses, FloatArray, IntArray, Patches
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec_arrays import MAX_CELLS
from tb_cnndiag.summaries.codec_planes import deflated, rounded, unpacked

# Stands for a patch that does not exist.
NONE = 0xFFFF


def encode_patches(payload: Patches) -> pb.Patches:
    listed = payload.listed
    rows = slice(None) if listed is None else listed
    images, values = payload.images[rows], payload.values[rows]
    scale = _scale(values)
    return pb.Patches(
        units=payload.images.shape[0],
        count=payload.images.shape[1],
        samples=payload.samples,
        images=deflated(np.where(images < 0, NONE, images), "<u2"),
        positions=deflated(payload.positions[rows], "<u4"),
        values=deflated(rounded(values / scale), "<f2"),
        scale=scale,
        part=listed is not None,
        listed=[] if listed is None else listed.tolist(),
        boxes=b"" if payload.boxes is None else deflated(payload.boxes[rows], "<u2"),
    )


def decode_patches(message: pb.Patches) -> Patches:
    shape = len(message.listed) if message.part else message.units, message.count
    images = unpacked(message.images, "<u2", shape).astype(np.int64)
    images[images == NONE] = -1
    patches = Patches(
        images=images,
        positions=unpacked(message.positions, "<u4", shape).astype(np.int64),
        values=_scaled(unpacked(message.values, "<f2", shape), message.scale),
        samples=message.samples,
        boxes=unpacked(message.boxes, "<u2", (*shape, 4)).astype(np.int64) if message.boxes else None,
    )
    return _spread(patches, message.units, np.asarray(message.listed, np.int64)) if message.part else patches


def _spread(rows: Patches, units: int, listed: IntArray) -> Patches:
    """Patches of the listed units, as rows of all units of the layer.

    Raises:
        ValueError: If a unit does not exist, or the units are not ascending.
    """
    if units > MAX_CELLS or (len(listed) and (listed[-1] >= units or (np.diff(listed) <= 0).any())):
        raise ValueError(f"units {listed.tolist()[:5]} … of {units}")

    def spread(values: NDArray[Any], rest: float) -> NDArray[Any]:
        every = np.full((units, *values.shape[1:]), rest, values.dtype)
        every[listed] = values
        return every

    return replace(
        rows,
        images=spread(rows.images, -1),
        positions=spread(rows.positions, 0),
        values=spread(rows.values, np.nan),
        listed=listed,
        boxes=None if rows.boxes is None else spread(rows.boxes, 0),
    )


def encode_class_responses(payload: ClassResponses) -> pb.ClassResponses:
    scale = _scale(payload.means)
    return pb.ClassResponses(
        units=payload.classes.shape[0],
        classes=payload.number,
        listed=payload.classes.shape[1],
        ids=deflated(payload.classes, "<u2"),
        means=deflated(rounded(payload.means / scale), "<f2"),
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
        classes=unpacked(message.ids, "<u2", shape).astype(np.int64),
        means=_scaled(unpacked(message.means, "<f2", shape), message.scale),
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
