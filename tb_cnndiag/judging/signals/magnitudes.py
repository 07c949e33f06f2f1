"""How large signals are on their way through the layers, with the initial weights."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.numerics.activations import LINEAR_GROWTH, SQUASHING
from tb_cnndiag.payloads import FloatArray

# RMS weight, relative to the initial one, below which the weights count as unchanged.
UNCHANGED = 1.5


def measured_gains(history: History) -> dict[int, float]:
    """Row → mean magnitude of a layer's activation at step 0, relative to that of its input, where both are known.

    Weights of one sign add up. Their gain, which assumes independent inputs and weights, does not show that.
    """
    magnitudes, first = initial_magnitudes(history), input_rms(history)
    found = {}
    for row, layer in enumerate(history.layers):
        before = max((float(magnitudes[i]) for i in layer.inputs), default=float(first[row]))
        # The ratio says nothing about the weights if the activation is bounded or grows faster than its input.
        by_activation = layer.activation in SQUASHING or layer.activation not in LINEAR_GROWTH
        if before > 0 and magnitudes[row] > 0 and not layer.output and not by_activation:
            found[row] = float(magnitudes[row]) / before
    return found


def gains_from_input(history: History) -> dict[int, float]:
    """Row → mean magnitude of a hidden layer's activation, relative to the model input it comes from, where known."""
    magnitudes, base = initial_magnitudes(history), input_rms(history)
    for row, layer in enumerate(history.layers):
        base[row] = max((base[i] for i in layer.inputs), default=base[row])
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = magnitudes / base
    return {row: float(gains[row]) for row, a in enumerate(history.layers) if not a.output and np.isfinite(gains[row])}


def initial_magnitudes(history: History) -> FloatArray:
    """Mean magnitude of each layer's activation with the initial weights, ``(layers,)``; NaN where it is unknown."""
    measured, weights = history.series("dead_units", "magnitude"), history.series("weight_health", "rms")
    # A collected probe exists from the second snapshot on: it shows the layers whose weights have hardly changed.
    if not len(measured) or not len(weights) or measured.steps[0] > weights.steps[min(1, len(weights) - 1)]:
        return np.full(len(history.layers), np.nan)
    snapshot = int(np.searchsorted(weights.steps, measured.steps[0], side="right")) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        change = weights.values[max(snapshot, 0)] / weights.values[0]
    magnitudes = measured.values[0].astype(np.float64)
    initial = (change > 1 / UNCHANGED) & (change < UNCHANGED) & np.isfinite(magnitudes)
    return np.where(initial, magnitudes, np.nan)


def input_rms(history: History) -> FloatArray:
    """Root mean square of the input of each first layer, ``(layers,)``; NaN for other layers."""
    mean, std = (history.series("model_input", name) for name in ("mean", "std"))
    if not len(mean):
        return np.full(len(history.layers), np.nan)
    return np.asarray(np.hypot(mean.values[0], std.values[0]), np.float64)
