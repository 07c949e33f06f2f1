"""Messages ↔ plain data: the only module that knows how each payload kind looks on the wire."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from tb_cnndiag.finding import SEVERITIES, Adjustment, Evidence, Finding
from tb_cnndiag.payloads import (
    Atom,
    ColumnInfo,
    Dendrogram,
    Density,
    DiagnosticInfo,
    FloatArray,
    Image,
    Images,
    LayerColumns,
    LayerInfo,
    Matrix,
    Probe,
    RunInfo,
    Scalars,
    UnitStates,
    UnitValues,
)
from tb_cnndiag.summaries import cnndiag_pb2 as pb

CONTRACT_VERSION = 1

# Larger declared sizes are refused before anything is allocated.
MAX_UNITS = 1 << 20
MAX_CELLS = 1 << 24

Payload: TypeAlias = (
    RunInfo
    | tuple[Finding, ...]
    | LayerColumns
    | Scalars
    | UnitStates
    | UnitValues
    | Matrix
    | Dendrogram
    | Density
    | Images
)


class CodecError(ValueError):
    """A message that is damaged or says impossible things."""


@dataclass(frozen=True)
class Measurement:
    """One thing measured at one look; see ``summaries/cnndiag.proto`` for each field."""

    diagnostic: str
    step: int
    look: int
    payload: Payload
    layer: str = ""
    epoch: int = 0
    table: str = ""
    version: int = CONTRACT_VERSION


def encode(measurement: Measurement) -> bytes:
    """Serialize a measurement.

    Raises:
        TypeError: When the payload is of no known kind.
    """
    kind = _KIND_OF_TYPE.get(type(measurement.payload))
    if kind is None:
        known = ", ".join(sorted(t.__name__ for t in _KIND_OF_TYPE))
        raise TypeError(f"{type(measurement.payload).__name__} is no payload kind; known are {known}.")
    message = pb.Measurement(
        version=CONTRACT_VERSION,
        diagnostic=measurement.diagnostic,
        layer=measurement.layer,
        step=measurement.step,
        look=measurement.look,
        epoch=measurement.epoch,
        table=measurement.table,
    )
    getattr(message, kind).CopyFrom(_ENCODERS[kind](measurement.payload))
    return message.SerializeToString(deterministic=True)


def decode(data: bytes) -> Measurement | None:
    """Read one serialized measurement; None, with one warning, for a kind that this version does not know.

    Raises:
        CodecError: When the bytes are no measurement or contradict themselves.
    """
    message = pb.Measurement()
    try:
        message.ParseFromString(data)
    except (DecodeError, RuntimeError) as error:
        raise CodecError(f"not a measurement: {error}") from None
    kind = message.WhichOneof("payload")
    if kind is None:
        if message.version > CONTRACT_VERSION:
            warnings.warn(
                f"The log was written by a newer tb-cnndiag (contract {message.version}, this one knows "
                f"{CONTRACT_VERSION}); kinds that it does not know are skipped. Upgrade with "
                "`pip install -U tb-cnndiag` to see them.",
                stacklevel=2,
            )
            return None
        raise CodecError(f"the measurement {message.diagnostic!r} carries no payload")
    try:
        payload = _DECODERS[kind](getattr(message, kind))
    except (ValueError, IndexError, OverflowError, zlib.error) as error:
        raise CodecError(f"{message.diagnostic or 'measurement'} at step {message.step}: {error}") from None
    return Measurement(
        diagnostic=message.diagnostic,
        step=message.step,
        look=message.look,
        payload=payload,
        layer=message.layer,
        epoch=message.epoch,
        table=message.table,
        version=message.version,
    )


def _columns(columns: Mapping[str, FloatArray]) -> list[pb.Column]:
    return [pb.Column(name=name, values=np.asarray(values, np.float32).tolist()) for name, values in columns.items()]


def _column_arrays(columns: Sequence[pb.Column]) -> dict[str, FloatArray]:
    return {column.name: np.asarray(column.values, np.float32) for column in columns}


def _encode_layer(layer: LayerInfo) -> pb.LayerInfo:
    return pb.LayerInfo(**{name: getattr(layer, name) for name in _LAYER_FIELDS})


def _decode_layer(layer: pb.LayerInfo) -> LayerInfo:
    values = {name: getattr(layer, name) for name in _LAYER_FIELDS}
    return LayerInfo(**values | {name: tuple(values[name]) for name in ("kernel_shape", "output_shape", "inputs")})


_LAYER_FIELDS = tuple(LayerInfo.__dataclass_fields__)
_COLUMN_FIELDS = tuple(ColumnInfo.__dataclass_fields__)
_RUN_FIELDS = ("table", "model", "loss", "optimizer", "batch_size", "started", "parameters", "trainable_parameters")


def _encode_diagnostic(info: DiagnosticInfo) -> pb.DiagnosticInfo:
    return pb.DiagnosticInfo(
        name=info.name,
        title=info.title,
        description=info.description,
        layer_kind=info.layer_kind,
        model_kind=info.model_kind,
        columns=[pb.ColumnInfo(**{name: getattr(c, name) for name in _COLUMN_FIELDS}) for c in info.columns],
    )


def _decode_diagnostic(info: pb.DiagnosticInfo) -> DiagnosticInfo:
    columns = tuple(ColumnInfo(**{name: getattr(c, name) for name in _COLUMN_FIELDS}) for c in info.columns)
    return DiagnosticInfo(info.name, info.title, info.description, columns, info.layer_kind, info.model_kind)


def _encode_run_info(info: RunInfo) -> pb.RunInfo:
    return pb.RunInfo(
        **{name: getattr(info, name) for name in _RUN_FIELDS},
        layers=[_encode_layer(layer) for layer in info.layers],
        diagnostics=[_encode_diagnostic(d) for d in info.diagnostics],
        probe=pb.Probe(
            source=info.probe.source, samples=info.probe.samples, class_counts=list(info.probe.class_counts)
        ),
        versions=dict(info.versions),
        notes=list(info.notes),
    )


def _decode_run_info(info: pb.RunInfo) -> RunInfo:
    probe = Probe(info.probe.source, info.probe.samples, tuple(info.probe.class_counts))
    return RunInfo(
        **{name: getattr(info, name) for name in _RUN_FIELDS},
        layers=tuple(_decode_layer(layer) for layer in info.layers),
        diagnostics=tuple(_decode_diagnostic(d) for d in info.diagnostics),
        probe=probe,
        versions=dict(info.versions),
        notes=tuple(info.notes),
    )


def _encode_findings(findings: tuple[Finding, ...]) -> pb.Findings:
    return pb.Findings(findings=[_encode_finding(finding, findings) for finding in findings])


def _encode_finding(finding: Finding, findings: tuple[Finding, ...]) -> pb.Finding:
    units: tuple[Any, ...] = finding.units
    groups = units if not units or isinstance(units[0], tuple) else (units,)
    cause = next((i + 1 for i, other in enumerate(findings) if other is finding.caused_by), 0)
    return pb.Finding(
        fault=finding.fault,
        layer=finding.layer or "",
        severity=pb.Finding.Severity.Name(finding.rank() + 1),
        first_step=finding.first_step,
        last_step=finding.last_step,
        units=[pb.UnitGroup(units=group) for group in groups],
        evidence={name: pb.Evidence(value=e.value, limit=e.limit, unit=e.unit) for name, e in finding.evidence.items()},
        caused_by=cause,
        message=finding.message,
        adjustments=[
            pb.Adjustment(
                layer=a.layer or "", parameter=a.parameter, current=a.current, proposed=a.proposed, reason=a.reason
            )
            for a in finding.adjustments
        ],
        diagnostic=finding.diagnostic,
        title=finding.title,
    )


def _decode_findings(message: pb.Findings) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for item in message.findings:
        # A cause comes first, so that position 0 … n−1 is already decoded.
        if item.caused_by > len(findings):
            raise ValueError(f"finding {len(findings) + 1} is caused by {item.caused_by}, which comes later")
        cause = findings[item.caused_by - 1] if item.caused_by else None
        findings.append(replace(_decode_finding(item), caused_by=cause))
    return tuple(findings)


def _decode_finding(item: pb.Finding) -> Finding:
    groups = tuple(tuple(group.units) for group in item.units)
    rank = int(item.severity) - 1
    return Finding(
        run="",
        fault=item.fault,
        layer=item.layer or None,
        severity=SEVERITIES[rank] if 0 <= rank < len(SEVERITIES) else "info",
        first_step=item.first_step,
        last_step=item.last_step,
        units=groups[0] if len(groups) == 1 else groups,
        evidence={
            name: Evidence(e.value, e.limit if e.HasField("limit") else None, e.unit)
            for name, e in sorted(item.evidence.items())
        },
        message=item.message,
        adjustments=tuple(
            Adjustment(a.layer or None, a.parameter, a.current, a.proposed, a.reason) for a in item.adjustments
        ),
        diagnostic=item.diagnostic,
        title=item.title,
    )


def _encode_layer_columns(payload: LayerColumns) -> pb.LayerColumns:
    return pb.LayerColumns(columns=_columns(payload.columns))


def _encode_unit_values(payload: UnitValues) -> pb.UnitValues:
    return pb.UnitValues(columns=_columns(payload.columns))


def _encode_scalars(payload: Scalars) -> pb.Scalars:
    return pb.Scalars(names=list(payload.values), values=[float(v) for v in payload.values.values()])


def _decode_scalars(message: pb.Scalars) -> Scalars:
    if len(message.names) != len(message.values):
        raise ValueError(f"{len(message.names)} names for {len(message.values)} values")
    return Scalars(dict(zip(message.names, message.values, strict=True)))


def _encode_unit_states(payload: UnitStates) -> pb.UnitStates:
    states = np.asarray(payload.states, np.uint8)
    padded = np.zeros(-(-states.size // 4) * 4, np.uint8)
    padded[: states.size] = states
    packed = padded.reshape(-1, 4) << np.array([0, 2, 4, 6], np.uint8)
    return pb.UnitStates(
        units=states.size,
        states=np.bitwise_or.reduce(packed, axis=1).astype(np.uint8).tobytes(),
        samples=payload.samples,
        positions=payload.positions,
    )


def _decode_unit_states(message: pb.UnitStates) -> UnitStates:
    packed = np.frombuffer(message.states, np.uint8)
    if packed.size != -(-message.units // 4):
        raise ValueError(f"{packed.size} bytes hold no states of {message.units} units")
    states = (packed[:, None] >> np.array([0, 2, 4, 6], np.uint8)) & 3
    return UnitStates(states.reshape(-1)[: message.units].astype(np.uint8), message.samples, message.positions)


def _encode_matrix(payload: Matrix) -> pb.Matrix:
    values = np.asarray(payload.values, np.float32)
    scaled = (values - payload.low) / (payload.high - payload.low) * 254
    with np.errstate(invalid="ignore"):
        levels = np.where(np.isfinite(values), np.rint(np.clip(scaled, 0, 254)) + 1, 0).astype(np.uint8)
    cells = levels[np.triu_indices(len(levels))] if payload.symmetric else levels
    rows = len(payload.order) if payload.symmetric else len(values)
    return pb.Matrix(
        rows=rows,
        columns=rows if payload.symmetric else values.shape[1],
        order=np.asarray(payload.order).tolist(),
        pool=payload.pool,
        symmetric=payload.symmetric,
        cells=zlib.compress(cells.tobytes(), 6),
        low=payload.low,
        high=payload.high,
        unit=payload.unit,
    )


def _decode_matrix(message: pb.Matrix) -> Matrix:
    pool = max(message.pool, 1)
    height, width = -(-message.rows // pool), -(-message.columns // pool)
    count = height * (height + 1) // 2 if message.symmetric else height * width
    if count > MAX_CELLS or max(message.rows, message.columns) > MAX_UNITS:
        raise ValueError(f"{message.rows} × {message.columns} cells are more than a chart can hold")
    if message.symmetric and message.rows != message.columns:
        raise ValueError(f"{message.rows} × {message.columns} is not symmetric")
    levels = np.frombuffer(_inflate(message.cells, count), np.uint8).astype(np.float32)
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


def _inflate(data: bytes, size: int) -> bytes:
    """Decompress to exactly ``size`` bytes, never allocating more."""
    inflater = zlib.decompressobj()
    plain = inflater.decompress(data, size + 1)
    if len(plain) != size:
        raise ValueError(f"holds {'more' if len(plain) > size else len(plain)} bytes where {size} are declared")
    return plain


def _encode_dendrogram(payload: Dendrogram) -> pb.Dendrogram:
    children = np.asarray(payload.children, np.int64).reshape(-1, 2)
    return pb.Dendrogram(
        units=len(payload.order),
        left=children[:, 0].tolist(),
        right=children[:, 1].tolist(),
        height=np.asarray(payload.heights, np.float32).tolist(),
        order=np.asarray(payload.order).tolist(),
        cut=payload.cut,
        groups=np.asarray(payload.groups).tolist(),
        unit=payload.unit,
    )


def _decode_dendrogram(message: pb.Dendrogram) -> Dendrogram:
    merges = max(message.units - 1, 0)
    if not len(message.left) == len(message.right) == len(message.height) == merges:
        raise ValueError(f"{len(message.left)} merges do not join {message.units} units")
    if len(message.order) != message.units or len(message.groups) != message.units:
        raise ValueError(f"order and groups do not cover {message.units} units")
    children = np.stack([np.asarray(message.left, np.int64), np.asarray(message.right, np.int64)], axis=1)
    if merges and (children >= message.units + np.arange(merges)[:, None]).any():
        raise ValueError("a merge joins what does not exist yet")
    order = np.asarray(message.order, np.int64)
    if not np.array_equal(np.sort(order), np.arange(message.units)):
        raise ValueError("the leaf order is no permutation of the units")
    return Dendrogram(
        children=children,
        heights=np.asarray(message.height, np.float32),
        order=order,
        cut=message.cut,
        groups=np.asarray(message.groups, np.int64),
        unit=message.unit,
    )


def _encode_density(payload: Density) -> pb.Density:
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


def _decode_density(message: pb.Density) -> Density:
    values: NDArray[Any] = np.frombuffer(message.values, "<f2").astype(np.float32) * np.float32(message.scale)
    if values.size != message.points:
        raise ValueError(f"{values.size} values on a grid of {message.points}")
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


def _encode_images(payload: Images) -> pb.Images:
    return pb.Images(
        images=[
            pb.Image(
                unit=image.unit,
                sample=image.sample,
                height=image.pixels.shape[0],
                width=image.pixels.shape[1],
                channels=image.pixels.shape[2],
                pixels=image.pixels.tobytes(),
                scale=image.scale,
            )
            for image in payload.images
        ]
    )


def _decode_images(message: pb.Images) -> Images:
    return Images(tuple(_decode_image(image) for image in message.images))


def _decode_image(image: pb.Image) -> Image:
    shape = (image.height, image.width, image.channels)
    if image.channels not in (1, 3) or len(image.pixels) != image.height * image.width * image.channels:
        raise ValueError(f"{len(image.pixels)} bytes are no picture of {shape}")
    return Image(
        unit=image.unit,
        pixels=np.frombuffer(image.pixels, np.uint8).reshape(shape),
        scale=image.scale,
        sample=image.sample if image.HasField("sample") else None,
    )


_KIND_OF_TYPE: dict[type, str] = {
    RunInfo: "run_info",
    tuple: "findings",
    LayerColumns: "layer_columns",
    Scalars: "scalars",
    UnitStates: "unit_states",
    UnitValues: "unit_values",
    Matrix: "matrix",
    Dendrogram: "dendrogram",
    Density: "density",
    Images: "images",
}

_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "run_info": _encode_run_info,
    "findings": _encode_findings,
    "layer_columns": _encode_layer_columns,
    "scalars": _encode_scalars,
    "unit_states": _encode_unit_states,
    "unit_values": _encode_unit_values,
    "matrix": _encode_matrix,
    "dendrogram": _encode_dendrogram,
    "density": _encode_density,
    "images": _encode_images,
}

_DECODERS: dict[str, Callable[[Any], Payload]] = {
    "run_info": _decode_run_info,
    "findings": _decode_findings,
    "layer_columns": lambda message: LayerColumns(_column_arrays(message.columns)),
    "scalars": _decode_scalars,
    "unit_states": _decode_unit_states,
    "unit_values": lambda message: UnitValues(_column_arrays(message.columns)),
    "matrix": _decode_matrix,
    "dendrogram": _decode_dendrogram,
    "density": _decode_density,
    "images": _decode_images,
}
