"""The named in-graph reductions of an activation, so that a look moves a few numbers per unit out of the graph.

Each takes ``keras.ops`` and an activation ``(samples, positions, units)`` of one chunk of the probe, and returns a
small array. A user's own reduction has the same form: ``reduce(ops, x)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tb_cnndiag.payloads import FloatArray

# Means and the subsample come from the first samples of each chunk: a contiguous slice is what is cheap.
SLICE = 16
# Values per chunk in the subsample of an activation.
SUBSAMPLE = 8192


@dataclass(frozen=True)
class Reduction:
    """How an activation is reduced in the graph, and how the chunks' results are joined afterwards."""

    reduce: Callable[[Any, Any], Any]
    join: Callable[[list[FloatArray]], FloatArray]


def sample_max(ops: Any, x: Any) -> Any:
    """Maximum over positions, ``(samples, units)``."""
    return ops.max(x, axis=1)


def unit_mean(ops: Any, x: Any) -> Any:
    """Mean over samples and positions, ``(units,)``, as a product with ones: faster than a reduction."""
    return _mean(ops, x[:SLICE])


def unit_mean_abs(ops: Any, x: Any) -> Any:
    """Mean magnitude over samples and positions, ``(units,)``."""
    return _mean(ops, ops.abs(x[:SLICE]))


def sample_mean(ops: Any, x: Any) -> Any:
    """Mean over positions, ``(samples, units)``."""
    return ops.mean(x, axis=1)


def activation_sample(ops: Any, x: Any) -> Any:
    """A subsample of all values, evenly spread over samples, positions and units, ``(≤ SUBSAMPLE,)``."""
    flat = ops.reshape(x[:SLICE], (-1,))
    size = np.prod([d for d in x.shape[1:] if d is not None]) * SLICE
    stride = max(int(size) // SUBSAMPLE, 1)
    units = x.shape[-1] or 1
    while stride > 1 and np.gcd(stride, units) > 1:  # else the same units would be met over and over
        stride += 1
    return flat[::stride]


def _mean(ops: Any, x: Any) -> Any:
    rows = ops.reshape(x, (-1, x.shape[-1]))
    count = ops.shape(rows)[0]
    total = ops.matmul(ops.ones((1, count), dtype=rows.dtype), rows)[0]
    return total / ops.cast(count, rows.dtype)


def _concatenate(chunks: list[FloatArray]) -> FloatArray:
    return np.concatenate(chunks)


def _average(chunks: list[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(chunks, axis=0))


REDUCTIONS: Mapping[str, Reduction] = {
    "sample_max": Reduction(sample_max, _concatenate),
    "sample_mean": Reduction(sample_mean, _concatenate),
    "unit_mean": Reduction(unit_mean, _average),
    "unit_mean_abs": Reduction(unit_mean_abs, _average),
    "activation_sample": Reduction(activation_sample, _concatenate),
}
