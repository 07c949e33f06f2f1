"""Weights and moving statistics that are still what they were initialized with, and others that cannot be right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tb_cnndiag.diagnostics.base import LayerDiagnostic, LayerResult, LayerSnapshot
from tb_cnndiag.diagnostics.weight_spectrum import positions_of
from tb_cnndiag.numerics.initial_weights import initial_p_value
from tb_cnndiag.payloads import ColumnInfo, FloatArray

_VECTORS = ("bias", "norm_scale", "norm_shift", "norm_mean", "norm_variance")


class UntouchedWeights(LayerDiagnostic):
    """A test of the kernel against its initializer, and the state of the normalization behind it."""

    name = "untouched_weights"
    title = "Untouched weights"
    description = (
        "A layer that training did not change passes on what its random weights make of the input. A probability above "
        "1 % with an untouched bias says that the kernel is what its initializer gave."
    )
    needs = ("kernel", "called")
    columns = (
        ColumnInfo(
            "initial_p",
            "Probability under the initializer",
            "share",
            "Kolmogorov–Smirnov test of the weights against the initializer's distribution; 0 if training left large "
            "eigenvalues.",
            low=0.0,
            high=1.0,
        ),
        ColumnInfo(
            "initial_bias",
            "Untouched bias",
            "count",
            "1 if the bias has its initial values, 0 if not; absent without one.",
        ),
        ColumnInfo(
            "initial_statistics",
            "Untouched statistics",
            "count",
            "1 if all moving means are exactly 0 and all moving variances exactly 1, else 0.",
        ),
        ColumnInfo(
            "zero_variances", "Zero variances", "count", "Number of channels whose moving variance is exactly 0."
        ),
        ColumnInfo(
            "largest_variance",
            "Largest variance",
            "variance",
            "Largest moving variance of a channel.",
            logarithmic=True,
        ),
        ColumnInfo(
            "non_finite", "Non-finite values", "count", "NaN or infinite values of the bias and the normalization."
        ),
    )

    def measure(self, snapshot: LayerSnapshot) -> LayerResult:
        """Test the kernel, and count what is untouched or impossible."""
        data, layer = snapshot.data, snapshot.layer
        config = _config(layer.config)
        values: dict[str, float] = {}
        initializer = config.get("kernel_initializer") or config.get("depthwise_initializer")
        if isinstance(initializer, dict) and layer.kernel_shape:
            p_value = initial_p_value(data["kernel"], layer.kernel_shape, initializer, positions_of(layer))
            if p_value is not None:
                values["initial_p"] = p_value
        bias = data.get("bias")
        start = config.get("bias_initializer")
        if bias is not None and isinstance(start, dict) and start.get("class_name") in ("Zeros", "Ones", "Constant"):
            constant = {"Zeros": 0.0, "Ones": 1.0}.get(start["class_name"], (start.get("config") or {}).get("value"))
            values["initial_bias"] = float(constant is not None and (bias == np.float32(constant)).all())
        mean, variance = data.get("norm_mean"), data.get("norm_variance")
        if mean is not None and variance is not None:
            values["initial_statistics"] = float((mean == 0).all() and (variance == 1).all())
            values["zero_variances"] = float((variance == 0).sum())
            values["largest_variance"] = float(np.max(variance, initial=0.0))
        values["non_finite"] = float(sum(_non_finite(data[name]) for name in _VECTORS if name in data))
        return LayerResult(values)


def _non_finite(values: FloatArray) -> int:
    return int(np.count_nonzero(~np.isfinite(values)))


def _config(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
