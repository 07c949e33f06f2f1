"""Sizes of signals on their way through the layers, with the weights as they were drawn."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.numerics.activations import TAME
from tb_cnndiag.payloads import FloatArray

BOUNDED = ("sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign")
# RMS weight over that at the start up to which weights are nearly as they were drawn.
UNCHANGED = 1.5


def growth_of_signals(history: History) -> dict[int, float]:
    """Row → mean magnitude of what a layer gives at step 0 over that of what it is given, where both are known.

    Weights of one sign add up: their gain, which takes inputs and weights for independent, says nothing of it.
    """
    sizes, first = sizes_of_signals(history), sizes_of_inputs(history)
    found = {}
    for row, layer in enumerate(history.layers):
        before = max((float(sizes[i]) for i in layer.inputs), default=float(first[row]))
        # Of a bounded activation, or one that grows faster than its input, the weights are not told by this.
        apart = layer.output or layer.activation in BOUNDED or layer.activation not in TAME
        if before > 0 and sizes[row] > 0 and not apart:
            found[row] = float(sizes[row]) / before
    return found


def growths_from_the_input(history: History) -> dict[int, float]:
    """Row → mean magnitude of a hidden layer's activation over that of the input it comes from, where known."""
    sizes, base = sizes_of_signals(history), sizes_of_inputs(history)
    for row, layer in enumerate(history.layers):
        base[row] = max((base[i] for i in layer.inputs), default=base[row])
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = sizes / base
    return {row: float(grown[row]) for row, a in enumerate(history.layers) if not a.output and np.isfinite(grown[row])}


def sizes_of_signals(history: History) -> FloatArray:
    """Mean magnitude of each layer's activation with the weights as they were drawn; NaN where that is not known."""
    given, weights = history.series("dead_units", "magnitude"), history.series("weight_health", "rms")
    # A collected probe is there from the second snapshot on: what was drawn is then judged where it has hardly changed.
    if not len(given) or not len(weights) or given.steps[0] > weights.steps[min(1, len(weights) - 1)]:
        return np.full(len(history.layers), np.nan)
    snapshot = int(np.searchsorted(weights.steps, given.steps[0], side="right")) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        changed = weights.values[max(snapshot, 0)] / weights.values[0]
    sizes = given.values[0].astype(np.float64)
    drawn = (changed > 1 / UNCHANGED) & (changed < UNCHANGED) & np.isfinite(sizes)
    return np.where(drawn, sizes, np.nan)


def sizes_of_inputs(history: History) -> FloatArray:
    """Root mean square of what each first layer is given; NaN for others."""
    mean, std = (history.series("model_input", name) for name in ("mean", "std"))
    if not len(mean):
        return np.full(len(history.layers), np.nan)
    return np.asarray(np.hypot(mean.values[0], std.values[0]), np.float64)
