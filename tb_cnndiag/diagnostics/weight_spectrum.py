"""The eigenvalues of each kernel: how heavy their tail is."""

from __future__ import annotations

import math

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.numerics.spectrum import PowerLaw, eigenvalues, position_matrices, power_law, spikes, traps
from tb_cnndiag.payloads import ColumnInfo, FloatArray, LayerInfo, UnitValues

LARGEST_SIDE = 2048
"""Matrices with both sides above this are skipped: the time grows with the cube of the smaller side."""

# Ranks whose eigenvalues the chart shows.
RANKS = 256


class WeightSpectrum(LayerDiagnostic):
    """Power law of the eigenvalues, spectral norm, stable rank, spikes and correlation traps."""

    name = "weight_spectrum"
    title = "Weight spectrum"
    description = (
        "Training gives the eigenvalues of a kernel a heavy tail: an exponent α between 2 and 6 is usual for a trained "
        "layer, more is close to random, less is dominated by a few directions. The chart shows the eigenvalues by "
        "rank, largest first, where a power law is a straight line."
    )
    needs = ("kernel",)
    columns = (
        ColumnInfo(
            "alpha",
            "α",
            "exponent",
            "Exponent of the power law that fits the tail of the eigenvalues best, as WeightWatcher computes it.",
        ),
        ColumnInfo(
            "fit_distance",
            "Distance of the fit",
            "distance",
            "Kolmogorov–Smirnov distance between the tail and its power law; above 0.1 the exponent says little.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "spectral_norm",
            "Spectral norm",
            "norm",
            "Largest singular value of the kernel, of a convolution at any of its positions.",
            logarithmic=True,
        ),
        ColumnInfo(
            "stable_rank",
            "Stable rank",
            "rank",
            "Sum of the eigenvalues relative to the largest one.",
            logarithmic=True,
        ),
        ColumnInfo(
            "spikes", "Spikes", "count", "Eigenvalues above the edge of the random bulk (Marchenko–Pastur): learned."
        ),
        ColumnInfo(
            "traps",
            "Correlation traps",
            "count",
            "Spikes that stay if the weights are shuffled: single weights that are much too large make them.",
        ),
    )
    layer_kind = "unit_values"
    cost = "costly"

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Fit the eigenvalues of all positions together; nothing for kernels that are no matrices, or not finite."""
        kernel, positions = snapshot.data["kernel"], positions_of(snapshot.layer)
        if not positions or not kernel.size or not np.isfinite(kernel).all() or not kernel.any():
            return LayerResult()
        matrices = position_matrices(kernel, positions)
        if min(matrices.shape[1:]) > LARGEST_SIDE or min(matrices.shape[1:]) < 1:
            return LayerResult()
        each = eigenvalues(matrices)
        found = np.sort(each.ravel())
        values = {"spectral_norm": math.sqrt(float(found[-1])), "stable_rank": float(found.sum() / found[-1])}
        if each.shape[1] > 1:
            values |= {"spikes": float(spikes(each, *matrices.shape[1:])), "traps": float(traps(matrices))}
        law = power_law(found)
        if law is not None:
            values |= {"alpha": law.alpha, "fit_distance": law.distance}
        return LayerResult(values, _by_rank(found, law))


def positions_of(layer: LayerInfo) -> int:
    """Number of positions of the kernel of a convolution; 1 for a matrix, 0 for a kernel that is neither."""
    if layer.role == "dense":
        return 1 if len(layer.kernel_shape) == 2 else 0
    if layer.role in ("conv", "transposed_conv") and len(layer.kernel_shape) > 2:
        return math.prod(layer.kernel_shape[:-2])
    return 0


def _by_rank(found: FloatArray, law: PowerLaw | None) -> UnitValues:
    """Eigenvalues at ranks that are evenly spaced on a logarithmic axis, and the fit there."""
    ranks = np.unique(np.geomspace(1, len(found), RANKS).astype(np.int64))
    fit = np.full(len(ranks), np.nan)
    if law is not None:
        inside = ranks <= law.tail
        fit[inside] = law.start * (ranks[inside] / law.tail) ** (-1 / (law.alpha - 1))
    return UnitValues(
        {
            "rank": ranks.astype(np.float32),
            "eigenvalue": found[::-1][ranks - 1].astype(np.float32),
            "power_law": fit.astype(np.float32),
        }
    )
