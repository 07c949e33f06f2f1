"""Converts graphs to messages and back."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray, Graph, IntArray
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec_planes import deflated, rounded, unpacked

# Stands for a unit that does not exist.
NONE = 0xFFFF


def encode_graph(payload: Graph) -> pb.Graph:
    return pb.Graph(
        nodes=len(payload.rows),
        edges=len(payload.sources),
        rows=deflated(payload.rows, "<u2"),
        names=deflated(payload.names, "<u2"),
        units=[len(each) for each in payload.members],
        members=deflated(_joined(payload.members), "u1"),
        typical_count=payload.typical.shape[1],
        typical=deflated(np.where(payload.typical < 0, NONE, payload.typical), "<u2"),
        columns=[
            pb.NodeColumn(name=name, values=np.asarray(values, "<f4").tobytes())
            for name, values in payload.columns.items()
        ],
        classes=np.asarray(payload.classes).tolist(),
        responses=deflated(rounded(payload.responses), "<f2"),
        samples=payload.signatures.shape[1],
        signatures=deflated(np.rint(127 * np.clip(payload.signatures, -1, 1)), "i1"),
        sources=deflated(payload.sources, "<u2"),
        targets=deflated(payload.targets, "<u2"),
        weights=deflated(rounded(payload.weights), "<f2"),
    )


def decode_graph(message: pb.Graph) -> Graph:
    nodes, edges = message.nodes, message.edges
    columns = {column.name: np.frombuffer(column.values, "<f4").astype(np.float32) for column in message.columns}
    if any(len(values) != nodes for values in columns.values()):
        raise ValueError(f"columns of {sorted(map(len, columns.values()))} numbers for {nodes} nodes")
    members = unpacked(message.members, "u1", (sum(message.units),)).astype(np.int64)
    typical = _indices(message.typical, nodes * message.typical_count).reshape(nodes, message.typical_count)
    typical[typical == NONE] = -1
    rows, sources, targets = (
        _indices(message.rows, nodes),
        _indices(message.sources, edges),
        _indices(message.targets, edges),
    )
    if edges and max(sources.max(), targets.max()) >= nodes:
        raise ValueError(f"an edge leads to node {max(sources.max(), targets.max())} of {nodes}")
    if len(np.unique(rows)) != len(message.units):
        raise ValueError(f"nodes of {len(np.unique(rows))} layers, units of {len(message.units)}")
    return Graph(
        rows=rows,
        names=_indices(message.names, nodes),
        members=tuple(np.split(members, np.cumsum(message.units)[:-1])) if message.units else (),
        typical=typical,
        columns=columns,
        classes=np.array(message.classes, np.int64),
        responses=_halves(message.responses, (nodes, len(message.classes))),
        signatures=unpacked(message.signatures, "i1", (nodes, message.samples)).astype(np.float32) / np.float32(127),
        sources=sources,
        targets=targets,
        weights=_halves(message.weights, (edges,)),
    )


def _joined(members: tuple[IntArray, ...]) -> IntArray:
    return np.concatenate([np.empty(0, np.int64), *members])


def _indices(data: bytes, count: int) -> IntArray:
    return unpacked(data, "<u2", (count,)).astype(np.int64)


def _halves(data: bytes, shape: tuple[int, ...]) -> FloatArray:
    return unpacked(data, "<f2", shape).astype(np.float32)
