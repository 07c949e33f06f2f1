"""Units that have no effect, as can be proved without data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.activations import HOMOGENEOUS, RECTIFIED
from tb_cnndiag.numerics.weights import vanished
from tb_cnndiag.payloads import ColumnInfo, FloatArray, UnitState, UnitStates

BoolArray = NDArray[np.bool_]

# Deviations below zero at which a normalized unit does not fire: no batch of fewer than 10,000 values has such a value.
FAR_BELOW = 100.0
# Share of two directions by which exact twins may differ: float32 rounding.
EXACT = 1e-6


class CertainUnits(LayerDiagnostic):
    """Filters that are zero, units that are constant for every input, units that nothing reads, and exact twins."""

    name = "certain_units"
    title = "Units without effect"
    description = (
        "These units can go without a change of the answers, which follows from the weights alone, for every input. "
        "Each row is a unit; one without effect is marked as dead."
    )
    needs = ("kernel", "called")
    columns = (
        ColumnInfo(
            "zero_filters",
            "Zero filters",
            "count",
            "Number of filters whose weights are all 0, or below 10⁻²⁰ of the largest.",
        ),
        ColumnInfo(
            "constant_units", "Constant units", "count", "Number of units with the same output for every input."
        ),
        ColumnInfo("unread_units", "Unread units", "count", "Number of units that later layers read with zeros only."),
        ColumnInfo(
            "idle_units",
            "Units without effect",
            "count",
            "Number of units that are constantly 0, or that nothing reads.",
        ),
        ColumnInfo(
            "removable_parameters",
            "Removable parameters",
            "count",
            "Number of parameters of these units, with the weights that read them.",
        ),
        ColumnInfo("exact_twins", "Exact twins", "count", "Number of units that compute what another one computes."),
        ColumnInfo(
            "masked_share",
            "Masked weights",
            "share",
            "Share of exact zeros among the weights of filters that are not zero: pruning leaves them.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo("called", "Called", "count", "1 if the pass through the model reaches the layer, else 0."),
    )
    layer_kind = "unit_states"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Prove what can be proved of each unit."""
        kernel = snapshot.data["kernel"]
        if not kernel.size:
            return LayerResult()
        zero = vanished(kernel)
        constant, silent = _constant(snapshot, zero)
        read = snapshot.data.get("read")
        unread = np.zeros(len(kernel), bool) if read is None or snapshot.layer.output else read == 0
        idle = silent | unread
        rest = kernel[~zero]
        values = {
            "zero_filters": float(zero.sum()),
            "constant_units": float(constant.sum()),
            "unread_units": float(unread.sum()),
            "idle_units": float(idle.sum()),
            "removable_parameters": _parameters(snapshot, idle),
            "exact_twins": float(sum(len(group) - 1 for group in exact_twins(snapshot))),
            "masked_share": 1 - np.count_nonzero(rest) / rest.size if rest.size else 0.0,
            "called": float(snapshot.data["called"]),
        }
        states = np.where(idle | constant, UnitState.DEAD, UnitState.ALIVE).astype(np.uint8)
        return LayerResult(values, UnitStates(states, 0, 0))


def _constant(snapshot: LayerSnapshot, zero: BoolArray) -> tuple[BoolArray, BoolArray]:
    """(units that are constant for every input, those of them that are constantly 0), ``(units,)`` each."""
    data = snapshot.data
    low, high = data.get("lowest"), data.get("highest")
    if low is None or high is None:
        # What follows a layer is not known: only a filter and bias that are zero give zero, unless it is normalized.
        bias = data.get("bias", np.zeros(len(zero)))
        return zero, zero & (bias == 0) & (not snapshot.layer.normalization) & (snapshot.layer.role != "other")
    constant = (low == high) & np.isfinite(low)
    silent = constant & (low == 0)
    scale, shift = data.get("norm_scale"), data.get("norm_shift")
    if scale is not None and shift is not None and snapshot.layer.activation in RECTIFIED:
        below = (shift < 0) & (shift <= -FAR_BELOW * np.abs(scale))
        constant, silent = constant | below, silent | below
    return constant, silent


def _parameters(snapshot: LayerSnapshot, idle: BoolArray) -> float:
    """Parameters of these units: their weights, bias and normalization, and the weights that read them."""
    data = snapshot.data
    vectors = sum(name in data for name in ("bias", "norm_scale", "norm_shift", "norm_mean", "norm_variance"))
    own = float(idle.sum()) * float(data["kernel"].shape[1] + vectors)
    readers = data.get("read_parameters")
    return own + float(readers[idle].sum() if readers is not None else 0.0)


def exact_twins(snapshot: LayerSnapshot) -> list[tuple[int, ...]]:
    """Groups of units that compute the same, up to a positive factor where the activation passes it on."""
    data, layer = snapshot.data, snapshot.layer
    kernel: FloatArray = data["kernel"].astype(np.float64)
    if layer.output or len(kernel) < 2:
        return []
    parts = [kernel]
    scale, shift = data.get("norm_scale"), data.get("norm_shift")
    mean, variance = data.get("norm_mean"), data.get("norm_variance")
    offset = data.get("bias", np.zeros(len(kernel))).astype(np.float64)
    if layer.normalization:
        if shift is None or mean is None or variance is None:
            return []
        factor = (np.ones(len(kernel)) if scale is None else scale) / np.sqrt(variance + 1e-3)
        parts, offset = [kernel * factor[:, None]], factor * (offset - mean) + shift
    rows = np.concatenate([*parts, offset[:, None]], axis=1)
    sizes = np.abs(rows).max(axis=1)
    live = np.flatnonzero(
        ~vanished(data["kernel"]) & ~_constant(snapshot, vanished(data["kernel"]))[0] & np.isfinite(sizes)
    )
    unit = rows[live]
    if layer.activation in HOMOGENEOUS:
        unit = unit / sizes[live, None]
    groups: dict[bytes, list[int]] = {}
    largest = float(np.abs(unit).max()) if unit.size else 1.0
    for row, values in zip(live, np.round(unit / max(largest * EXACT, 1e-300)).astype(np.int64), strict=True):
        groups.setdefault(values.tobytes(), []).append(int(row))
    return [tuple(group) for group in groups.values() if len(group) > 1]
