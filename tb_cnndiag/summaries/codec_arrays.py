"""Converts columns, unit states, matrices, trees, densities and pictures to messages and back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import (
    Atom,
    Dendrogram,
    Density,
    FloatArray,
    Image,
    Images,
    IntArray,
    LayerColumns,
    Matrix,
    Scalars,
    UnitDensities,
    UnitStates,
    UnitValues,
)
from tb_cnndiag.summaries import cnndiag_pb2 as pb

# Larger declared sizes are rejected before any memory is allocated.
MAX_UNITS = 1 << 20
MAX_CELLS = 1 << 22
# Largest value of a curve of 8 bit.
LEVELS = 255


def encode_layer_columns(payload: LayerColumns) -> pb.LayerColumns:
    return pb.LayerColumns(columns=_columns(payload.columns))


def decode_layer_columns(message: pb.LayerColumns) -> LayerColumns:
    return LayerColumns(_column_arrays(message.columns))


def encode_unit_values(payload: UnitValues) -> pb.UnitValues:
    return pb.UnitValues(columns=_columns(payload.columns))


def decode_unit_values(message: pb.UnitValues) -> UnitValues:
    return UnitValues(_column_arrays(message.columns))


def _columns(columns: Mapping[str, FloatArray]) -> list[pb.Column]:
    return [pb.Column(name=name, values=np.asarray(values, np.float32).tolist()) for name, values in columns.items()]


def _column_arrays(columns: Sequence[pb.Column]) -> dict[str, FloatArray]:
    return {column.name: np.asarray(column.values, np.float32) for column in columns}


def encode_scalars(payload: Scalars) -> pb.Scalars:
    return pb.Scalars(names=list(payload.values), values=[float(v) for v in payload.values.values()])


def decode_scalars(message: pb.Scalars) -> Scalars:
    if len(message.names) != len(message.values):
        raise ValueError(f"{len(message.names)} names for {len(message.values)} values")
    return Scalars(dict(zip(message.names, message.values, strict=True)))


def encode_unit_states(payload: UnitStates) -> pb.UnitStates:
    states = np.asarray(payload.states, np.uint8)
    padded = np.zeros(-(-states.size // 4) * 4, np.uint8)
    padded[: states.size] = states
    packed = padded.reshape(-1, 4) << np.array([0, 2, 4, 6], np.uint8)
    return pb.UnitStates(
        units=states.size,
        states=np.bitwise_or.reduce(packed, axis=1).astype(np.uint8).tobytes(),
        samples=payload.samples,
        positions=payload.positions,
        training_batches=payload.training_batches,
        training_samples=payload.training_samples,
        silent_in_training=_bits(payload.silent_in_training),
    )


def decode_unit_states(message: pb.UnitStates) -> UnitStates:
    packed = np.frombuffer(message.states, np.uint8)
    if packed.size != -(-message.units // 4):
        raise ValueError(f"{packed.size} bytes cannot hold the states of {message.units} units")
    states = (packed[:, None] >> np.array([0, 2, 4, 6], np.uint8)) & 3
    silent = np.frombuffer(message.silent_in_training or bytes(-(-message.units // 8)), np.uint8)
    if silent.size != -(-message.units // 8):
        raise ValueError(f"{silent.size} bytes cannot hold silent_in_training for {message.units} units")
    flags = np.unpackbits(silent, count=message.units, bitorder="little").astype(bool)
    return UnitStates(
        states.reshape(-1)[: message.units].astype(np.uint8),
        message.samples,
        message.positions,
        flags if message.training_batches else None,
        message.training_batches,
        message.training_samples,
    )


def _bits(flags: NDArray[np.bool_] | None) -> bytes:
    """One bit per flag, the first flag in the lowest bit; empty if no flag is set."""
    if flags is None or not flags.any():
        return b""
    return np.packbits(flags, bitorder="little").tobytes()


def encode_matrix(payload: Matrix) -> pb.Matrix:
    values = np.asarray(payload.values, np.float32)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        scaled = (values - payload.low) / (payload.high - payload.low) * 254
        levels = np.where(np.isfinite(values), np.rint(np.clip(scaled, 0, 254)) + 1, 0).astype(np.uint8)
    cells = levels[np.triu_indices(len(levels))] if payload.symmetric else levels
    rows = len(payload.order)
    return pb.Matrix(
        rows=rows,
        columns=rows if payload.symmetric else values.shape[1] * payload.pool,
        order=np.asarray(payload.order).tolist(),
        pool=payload.pool,
        symmetric=payload.symmetric,
        cells=zlib.compress(cells.tobytes(), 6),
        low=payload.low,
        high=payload.high,
        unit=payload.unit,
    )


def decode_matrix(message: pb.Matrix) -> Matrix:
    pool = max(message.pool, 1)
    height, width = -(-message.rows // pool), -(-message.columns // pool)
    count = height * (height + 1) // 2 if message.symmetric else height * width
    if count > MAX_CELLS or max(message.rows, message.columns) > MAX_UNITS:
        raise ValueError(f"a matrix of {message.rows} × {message.columns} is larger than a chart can show")
    if message.symmetric and message.rows != message.columns:
        raise ValueError(f"a matrix of {message.rows} × {message.columns} is not symmetric")
    if len(message.order) != message.rows:
        raise ValueError(f"the order has {len(message.order)} entries for {message.rows} rows")
    levels = np.frombuffer(inflated(message.cells, count), np.uint8).astype(np.float32)
    flat = np.where(levels == 0, np.nan, message.low + (levels - 1) * (message.high - message.low) / 254)
    if message.symmetric:
        values = np.empty((height, height), np.float32)
        upper = np.triu_indices(height)
        values[upper] = flat
        values[upper[1], upper[0]] = flat
    else:
        values = flat.reshape(height, width).astype(np.float32)
    return Matrix(
        values=values,
        order=np.asarray(message.order, np.int64),
        low=message.low,
        high=message.high,
        unit=message.unit,
        pool=pool,
        symmetric=message.symmetric,
    )


def inflated(data: bytes, size: int) -> bytes:
    """Decompress to exactly ``size`` bytes, without allocating more."""
    inflater = zlib.decompressobj()
    plain = inflater.decompress(data, size + 1)
    if len(plain) != size:
        raise ValueError(f"{'more' if len(plain) > size else len(plain)} bytes instead of the declared {size}")
    return plain


def encode_dendrogram(payload: Dendrogram) -> pb.Dendrogram:
    return pb.Dendrogram(
        units=len(payload.order),
        gap=_gaps(np.asarray(payload.children, np.int64).reshape(-1, 2), np.asarray(payload.order, np.int64)),
        height=np.asarray(payload.heights, np.float32).tolist(),
        order=np.asarray(payload.order if payload.sample is None else payload.sample[payload.order]).tolist(),
        cut=payload.cut,
        unit=payload.unit,
    )


def decode_dendrogram(message: pb.Dendrogram) -> Dendrogram:
    units, merges = message.units, max(message.units - 1, 0)
    if not len(message.gap) == len(message.height) == merges:
        raise ValueError(f"{len(message.gap)} merges cannot join {units} units")
    order, gaps = np.asarray(message.order, np.int64), np.asarray(message.gap, np.int64)
    sample = np.sort(order)
    if len(order) != units or (np.diff(sample) <= 0).any():
        raise ValueError("the leaf order does not name each of its units once")
    order = np.searchsorted(sample, order)
    if not np.array_equal(np.sort(gaps), np.arange(merges)):
        raise ValueError("the merges do not close each gap between leaves exactly once")
    heights = np.asarray(message.height, np.float32)
    starts_group = np.zeros(units, np.int64)
    starts_group[gaps + 1] = heights > np.float32(message.cut)
    groups = np.empty(units, np.int64)
    groups[order] = np.cumsum(starts_group)
    return Dendrogram(
        children=_children(gaps, order),
        heights=heights,
        order=order,
        cut=message.cut,
        groups=groups,
        unit=message.unit,
        sample=None if np.array_equal(sample, np.arange(units)) else sample,
    )


def _gaps(children: IntArray, order: IntArray) -> list[int]:
    """Index of the gap between neighboring leaves that each merge closes.

    Raises:
        ValueError: If the order does not keep each branch of the tree together.
    """
    start = np.argsort(order).tolist()  # positions of the first and last leaf of each node
    stop = list(start)
    gaps = []
    for left, right in children.tolist():
        if start[left] > start[right]:
            left, right = right, left
        if stop[left] + 1 != start[right]:
            raise ValueError("the leaf order does not keep the branches of the tree together")
        gaps.append(stop[left])
        start.append(start[left])
        stop.append(stop[right])
    return gaps


def _children(gaps: IntArray, order: IntArray) -> IntArray:
    """The two nodes that each merge joins, in leaf order, ``(units − 1, 2)``."""
    starting, ending = order.tolist(), order.tolist()  # node that starts or ends at a leaf position
    first, last = list(range(len(order))), list(range(len(order)))  # other end of the node that ends or starts there
    children = []
    for node, gap in enumerate(gaps.tolist(), start=len(order)):
        children.append((ending[gap], starting[gap + 1]))
        low, high = first[gap], last[gap + 1]
        starting[low] = ending[high] = node
        last[low], first[high] = high, low
    return np.array(children, np.int64).reshape(-1, 2)


def encode_density(payload: Density) -> pb.Density:
    values = np.asarray(payload.values, np.float64)
    scale = float(values.max(initial=0.0)) or 1.0
    return pb.Density(
        start=payload.start,
        stop=payload.stop,
        points=values.size,
        values=(values / scale).astype("<f2").tobytes(),
        scale=scale,
        atoms=[pb.Atom(value=a.value, mass=a.mass) for a in payload.atoms],
        bandwidth=payload.bandwidth,
        samples=payload.samples,
        below=payload.below,
        above=payload.above,
        non_finite=payload.non_finite,
    )


def decode_density(message: pb.Density) -> Density:
    if message.levels:
        stored = np.frombuffer(message.levels, np.uint8).astype(np.float32) / np.float32(LEVELS)
    else:
        stored = np.frombuffer(message.values, "<f2").astype(np.float32)
    values: NDArray[Any] = stored * np.float32(message.scale)
    if values.size != message.points:
        raise ValueError(f"{values.size} values for a grid of {message.points} points")
    return Density(
        start=message.start,
        stop=message.stop,
        values=values,
        atoms=tuple(Atom(a.value, a.mass) for a in message.atoms),
        bandwidth=message.bandwidth,
        samples=message.samples,
        below=message.below,
        above=message.above,
        non_finite=message.non_finite,
    )


def encode_unit_densities(payload: UnitDensities) -> pb.UnitDensities:
    densities = [encode_density(density) for density in payload.densities]
    for density, of in zip(densities, payload.densities, strict=True):
        levels = np.asarray(of.values, np.float64) * (LEVELS / density.scale)
        density.levels = np.rint(levels).astype(np.uint8).tobytes()
        density.ClearField("values")
    return pb.UnitDensities(units=np.asarray(payload.units).tolist(), densities=densities)


def decode_unit_densities(message: pb.UnitDensities) -> UnitDensities:
    units = np.asarray(message.units, np.int64)
    if len(units) != len(message.densities) or (np.diff(units) <= 0).any():
        raise ValueError(f"{len(message.densities)} densities of {len(units)} units")
    return UnitDensities(units, tuple(decode_density(density) for density in message.densities))


def encode_images(payload: Images) -> pb.Images:
    return pb.Images(images=[encode_image(image) for image in payload.images])


def encode_image(image: Image) -> pb.Image:
    return pb.Image(
        unit=image.unit,
        sample=image.sample,
        height=image.pixels.shape[0],
        width=image.pixels.shape[1],
        channels=image.pixels.shape[2],
        pixels=image.pixels.tobytes(),
        scale=image.scale,
    )


def decode_images(message: pb.Images) -> Images:
    return Images(tuple(decode_image(image) for image in message.images))


def decode_image(image: pb.Image) -> Image:
    shape = (image.height, image.width, image.channels)
    if image.channels not in (1, 3) or len(image.pixels) != image.height * image.width * image.channels:
        raise ValueError(f"{len(image.pixels)} bytes are not a picture of shape {shape}")
    return Image(
        unit=image.unit,
        pixels=np.frombuffer(image.pixels, np.uint8).reshape(shape),
        scale=image.scale,
        sample=image.sample if image.HasField("sample") else None,
    )
