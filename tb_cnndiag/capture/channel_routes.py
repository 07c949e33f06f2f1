"""Which units the input channels of each kernel come from, with no other kernel between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.recorder import Call, Recording, tensor_key
from tb_cnndiag.numerics.influence import ELSEWHERE, MIXED
from tb_cnndiag.payloads import IntArray

Route: TypeAlias = tuple[str, IntArray]
"""Path of a kernel layer, and the unit of it that each channel comes from, ``ELSEWHERE`` or ``MIXED``."""


def channel_routes(record: Recording, layers: Sequence[KernelLayer]) -> dict[str, list[Route]]:
    """By path, where the input channels of each kernel layer come from; only its first call counts.

    Normalization, activation and pooling keep channels apart, sums and products join them channel by channel,
    concatenation and flattening place them. Behind an operation that does something else, each channel is mixed.
    """
    tracer = _Tracer({layer.path: layer.units for layer in layers})
    for call in record.calls:
        tracer.follow(call)
    return tracer.found


class _Tracer:
    def __init__(self, units: dict[str, int]) -> None:
        self.found: dict[str, list[Route]] = {}
        self._units = units
        self._routes: dict[Any, list[Route]] = {}

    def follow(self, call: Call) -> None:
        """Set the routes of the outputs of one call."""
        given = [self._at(tensor) for tensor in call.inputs]
        if call.path in self._units:
            self.found.setdefault(call.path, _union(given))
            made: list[Route] = [(call.path, np.arange(self._units[call.path]))]
        else:
            made = _passed(call, given)
        for tensor in call.outputs:
            self._routes[tensor_key(tensor)] = _fitted(made, channels_of(tensor))

    def _at(self, tensor: Any) -> list[Route]:
        """The routes of a tensor, also behind plain functions in a TensorFlow graph."""
        key = tensor_key(tensor)
        if key not in self._routes:
            self._routes[key] = []  # ends the recursion if the graph has a loop
            origin = getattr(tensor, "op", None) if isinstance(key, str) else None
            if origin is not None:
                found = _union([self._at(each) for each in origin.inputs])
                self._routes[key] = _fitted(found, channels_of(tensor))
        return self._routes[key]


def channels_of(tensor: Any) -> int:
    """Length of a tensor's last axis; 1 of one that has none."""
    shape = tensor.shape
    return int(shape[-1] or 0) if len(shape) > 1 else 1


def _passed(call: Call, given: Sequence[list[Route]]) -> list[Route]:
    kind = re.sub(r"[123]d$", "", type(call.layer).__name__.lower())
    if kind == "concatenate":
        return _concatenated(call, given)
    routes = _union(given)
    first = getattr(call.layer, "data_format", "") == "channels_first"
    if kind in ("flatten", "reshape") and not first:
        channels = channels_of(call.outputs[0])
        return [
            (path, np.tile(units, channels // len(units)) if channels % len(units) == 0 else units)
            for path, units in routes
        ]
    return routes


def _concatenated(call: Call, given: Sequence[list[Route]]) -> list[Route]:
    """Each input's channels stand behind those of the inputs before it, if they are joined along the last axis."""
    counts = [channels_of(tensor) for tensor in call.inputs]
    total = channels_of(call.outputs[0])
    if sum(counts) != total:
        return _union(given)
    joined: list[Route] = []
    for start, count, routes in zip(np.cumsum([0, *counts[:-1]]), counts, given, strict=True):
        for path, units in routes:
            placed = np.full(total, ELSEWHERE)
            placed[start : start + count] = units
            joined.append((path, placed))
    return _union([joined])


def _fitted(routes: Sequence[Route], channels: int) -> list[Route]:
    """Routes for this number of channels; where theirs differs, every channel is mixed."""
    return [(path, units if len(units) == channels else np.full(channels, MIXED)) for path, units in routes]


def _union(given: Sequence[Sequence[Route]]) -> list[Route]:
    """All routes; each only once, however often branches join, and with the most channels that any of them has."""
    routes = [route for each in given for route in each]
    channels = max((len(units) for _, units in routes), default=0)
    found: dict[tuple[str, bytes], Route] = {}
    for path, units in _fitted(routes, channels):
        found.setdefault((path, units.tobytes()), (path, units))
    return list(found.values())
