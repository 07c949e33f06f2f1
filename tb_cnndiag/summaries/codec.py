"""Converts messages to plain data and back: maps each payload kind to the module that encodes and decodes it."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError

from tb_cnndiag.finding import Finding, Findings
from tb_cnndiag.payloads import (
    Atlas,
    ClassResponses,
    Dendrogram,
    Density,
    Graph,
    Images,
    LayerColumns,
    Matrix,
    Patches,
    RunInfo,
    SampleMaps,
    Scalars,
    UnitDensities,
    UnitStates,
    UnitValues,
)
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries import codec_arrays, codec_findings, codec_graph, codec_patches, codec_run_info, codec_samples

CONTRACT_VERSION = 3

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
    | UnitDensities
    | Images
    | Patches
    | ClassResponses
    | Atlas
    | Graph
    | SampleMaps
)


class CodecError(ValueError):
    """A message that is damaged or contradicts itself."""


@dataclass(frozen=True)
class Measurement:
    """One thing measured at one snapshot; see ``summaries/cnndiag.proto`` for each field."""

    diagnostic: str
    step: int
    snapshot: int
    payload: Payload
    layer: str = ""
    epoch: int = 0
    table: str = ""
    version: int = CONTRACT_VERSION


def encode(measurement: Measurement) -> bytes:
    """Serialize a measurement.

    Raises:
        TypeError: If the payload is not of a known kind.
    """
    kind = _KIND_OF_TYPE.get(type(measurement.payload))
    if kind is None:
        known = ", ".join(sorted(t.__name__ for t in _KIND_OF_TYPE))
        raise TypeError(f"{type(measurement.payload).__name__} is not a payload kind. The known kinds are {known}.")
    message = pb.Measurement(
        version=CONTRACT_VERSION,
        diagnostic=measurement.diagnostic,
        layer=measurement.layer,
        step=measurement.step,
        snapshot=measurement.snapshot,
        epoch=measurement.epoch,
        table=measurement.table,
    )
    getattr(message, kind).CopyFrom(_ENCODERS[kind](measurement.payload))
    return message.SerializeToString(deterministic=True)


def decode(data: bytes, kinds: Container[str] | None = None) -> Measurement | None:
    """Read one serialized measurement.

    Returns:
        The measurement. None, with a warning, if this version does not know the payload kind. None if ``kinds`` is
        given and does not contain the payload kind.

    Raises:
        CodecError: If the bytes are not a measurement or contradict themselves.
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
                f"The log was written by a newer tb-cnndiag (contract version {message.version}; this version knows "
                f"{CONTRACT_VERSION}). Payloads of unknown kinds are skipped. To read them, run: "
                "pip install -U tb-cnndiag",
                stacklevel=2,
            )
            return None
        raise CodecError(f"the measurement {message.diagnostic!r} has no payload")
    if kinds is not None and kind not in kinds:
        return None
    try:
        payload = _DECODERS[kind](getattr(message, kind))
    except (ValueError, IndexError, OverflowError, zlib.error) as error:
        raise CodecError(f"{message.diagnostic or 'measurement'} at step {message.step}: {error}") from None
    return Measurement(
        diagnostic=message.diagnostic,
        step=message.step,
        snapshot=message.snapshot,
        payload=payload,
        layer=message.layer,
        epoch=message.epoch,
        table=message.table,
        version=message.version,
    )


_KIND_OF_TYPE: dict[type, str] = {
    RunInfo: "run_info",
    tuple: "findings",
    Findings: "findings",
    LayerColumns: "layer_columns",
    Scalars: "scalars",
    UnitStates: "unit_states",
    UnitValues: "unit_values",
    Matrix: "matrix",
    Dendrogram: "dendrogram",
    Density: "density",
    UnitDensities: "unit_densities",
    Images: "images",
    Patches: "patches",
    ClassResponses: "class_responses",
    Atlas: "atlas",
    Graph: "graph",
    SampleMaps: "sample_maps",
}

_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "run_info": codec_run_info.encode_run_info,
    "findings": codec_findings.encode_findings,
    "layer_columns": codec_arrays.encode_layer_columns,
    "scalars": codec_arrays.encode_scalars,
    "unit_states": codec_arrays.encode_unit_states,
    "unit_values": codec_arrays.encode_unit_values,
    "matrix": codec_arrays.encode_matrix,
    "dendrogram": codec_arrays.encode_dendrogram,
    "density": codec_arrays.encode_density,
    "unit_densities": codec_arrays.encode_unit_densities,
    "images": codec_arrays.encode_images,
    "patches": codec_patches.encode_patches,
    "class_responses": codec_patches.encode_class_responses,
    "atlas": codec_patches.encode_atlas,
    "graph": codec_graph.encode_graph,
    "sample_maps": codec_samples.encode_sample_maps,
}

_DECODERS: dict[str, Callable[[Any], Payload]] = {
    "run_info": codec_run_info.decode_run_info,
    "findings": codec_findings.decode_findings,
    "layer_columns": codec_arrays.decode_layer_columns,
    "scalars": codec_arrays.decode_scalars,
    "unit_states": codec_arrays.decode_unit_states,
    "unit_values": codec_arrays.decode_unit_values,
    "matrix": codec_arrays.decode_matrix,
    "dendrogram": codec_arrays.decode_dendrogram,
    "density": codec_arrays.decode_density,
    "unit_densities": codec_arrays.decode_unit_densities,
    "images": codec_arrays.decode_images,
    "patches": codec_patches.decode_patches,
    "class_responses": codec_patches.decode_class_responses,
    "atlas": codec_patches.decode_atlas,
    "graph": codec_graph.decode_graph,
    "sample_maps": codec_samples.decode_sample_maps,
}
