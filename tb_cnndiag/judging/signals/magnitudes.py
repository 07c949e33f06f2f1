"""How large signals are on their way through the layers, with the initial weights."""

from __future__ import annotations

import math

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, recorded
from tb_cnndiag.judging.signals.inputs import INPUT_DEVIATION, INPUT_MEAN
from tb_cnndiag.judging.signals.weights import WEIGHT_RMS
from tb_cnndiag.numerics.activations import LINEAR_GROWTH, SQUASHING, facts_of
from tb_cnndiag.payloads import FloatArray, LayerInfo

# RMS weight, relative to the initial one, below which the weights count as unchanged.
UNCHANGED = 1.5
# Gain relative to the ideal gain above which it matters whether the weights of a layer have one sign.
LARGE_GAIN = 1.4
# Number of weights below which chance decides their size, if the initializer is one that keeps the scale of signals.
FEW_WEIGHTS = 64
VARIANCE_SCALING = ("he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "lecun_normal", "lecun_uniform")

GAIN = Signal("gain", "ratio", recorded("weight_health", "gain"))
"""RMS weight × √fan-in of each kernel."""

MAGNITUDE = Signal("mean magnitude", "activation", recorded("dead_units", "magnitude"))
"""Mean |activation| of each layer on the probe."""


def ideal_gain(layer: LayerInfo) -> float:
    """Gain that keeps the scale of signals before the layer's activation."""
    return facts_of(layer.activation).ideal_gain


def by_chance(layer: LayerInfo) -> bool:
    """Whether chance decides the size of a layer's weights: few weights, and an initializer that keeps the scale."""
    return layer.units * layer.fan_in < FEW_WEIGHTS and layer.initializer in VARIANCE_SCALING


def initial_magnitudes(signals: Signals) -> FloatArray:
    """Mean magnitude of each layer's activation with the initial weights, ``(layers,)``; NaN where it is unknown."""
    return signals.once(_initial_magnitudes)  # type: ignore[no-any-return]


def _initial_magnitudes(signals: Signals) -> FloatArray:
    measured, weights = signals(MAGNITUDE), signals(WEIGHT_RMS)
    # A collected probe exists from the second snapshot on: it shows the layers whose weights have hardly changed.
    if not len(measured) or not len(weights) or measured.steps[0] > weights.steps[min(1, len(weights) - 1)]:
        return np.full(len(signals.layers), np.nan)
    snapshot = int(np.searchsorted(weights.steps, measured.steps[0], side="right")) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        change = weights.values[max(snapshot, 0)] / weights.values[0]
    magnitudes = measured.values[0]
    initial = (change > 1 / UNCHANGED) & (change < UNCHANGED) & np.isfinite(magnitudes)
    return np.where(initial, magnitudes, np.nan)


def input_rms(signals: Signals) -> FloatArray:
    """Root mean square of the input of each first layer, ``(layers,)``; NaN for other layers."""
    mean, deviation = signals(INPUT_MEAN), signals(INPUT_DEVIATION)
    if not len(mean) or not len(deviation):
        return np.full(len(signals.layers), np.nan)
    return np.asarray(np.hypot(mean.values[0], deviation.values[0]))


def measured_gains(signals: Signals) -> dict[int, float]:
    """Row → mean magnitude of a layer's activation at step 0, relative to that of its input, where both are known.

    Weights of one sign add up. Their gain, which assumes independent inputs and weights, does not show that.
    """
    magnitudes, first = initial_magnitudes(signals), input_rms(signals)
    found = {}
    for row, layer in enumerate(signals.layers):
        before = max((float(magnitudes[i]) for i in layer.inputs), default=float(first[row]))
        # The ratio says nothing about the weights if the activation is bounded or grows faster than its input.
        by_activation = layer.activation in SQUASHING or layer.activation not in LINEAR_GROWTH
        if before > 0 and magnitudes[row] > 0 and not layer.output and not by_activation:
            found[row] = float(magnitudes[row]) / before
    return found


def gains_from_input(signals: Signals) -> dict[int, float]:
    """Row → mean magnitude of a hidden layer's activation, relative to the model input it comes from, where known."""
    magnitudes, base = initial_magnitudes(signals), input_rms(signals)
    for row, layer in enumerate(signals.layers):
        base[row] = max((base[i] for i in layer.inputs), default=base[row])
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = magnitudes / base
    return {row: float(gains[row]) for row, a in enumerate(signals.layers) if not a.output and np.isfinite(gains[row])}


def initial_gains(signals: Signals) -> FloatArray:
    """Gain of each kernel at step 0, ``(layers,)``: the measured one where weights of one sign add up; NaN unknown."""
    return signals.once(_initial_gains)  # type: ignore[no-any-return]


def _initial_gains(signals: Signals) -> FloatArray:
    gains = signals(GAIN)
    if not len(gains) or gains.steps[0] > 0:
        return np.full(len(signals.layers), np.nan)
    initial: FloatArray = gains.values[0].copy()
    for row, measured in measured_gains(signals).items():
        if initial[row] >= LARGE_GAIN * ideal_gain(signals.layers[row]):
            initial[row] = max(initial[row], measured)
    return initial


def _gain_excess(signals: Signals) -> Track:
    initial = initial_gains(signals)
    excess = np.full(len(signals.layers), np.nan)
    for row in signals.trainable:
        layer = signals.layers[row]
        # A normalization behind the kernel, or before it and on a path of its own, restores the scale.
        if initial[row] > 0 and not layer.normalization:
            excess[row] = 1.0 if by_chance(layer) else initial[row] / ideal_gain(layer)
    return Track.constant(excess, "the initial weights were not recorded")


GAIN_EXCESS = Signal("initial gain relative to the ideal gain", "ratio", _gain_excess)
"""Of each trainable layer that no normalization follows; 1 where chance explains the difference."""


def _largest_gain_excess(signals: Signals) -> Track:
    excess = signals(GAIN_EXCESS)
    return Track.constant([np.nanmax(excess.values)]) if len(excess) else excess


LARGEST_GAIN_EXCESS = Signal("largest initial gain relative to the ideal gain", "ratio", _largest_gain_excess)
"""Over the trainable layers that no normalization follows."""


def depth_growth(signals: Signals) -> FloatArray:
    """log10 of the product of gain excesses on the path to each layer, itself included, ``(layers,)``; 0 unknown.

    Of parallel layers the one that is farthest from the ideal counts: they are not in series. A shortcut that goes
    around a layer keeps the scale, so the excess nearest to 0 counts where paths of different lengths join.
    """
    return signals.once(_depth_growth)  # type: ignore[no-any-return]


def _depth_growth(signals: Signals) -> FloatArray:
    excess = signals(GAIN_EXCESS)
    logs = np.zeros(len(signals.layers))
    if len(excess):
        values = excess.values[0]
        logs = np.where(np.isfinite(values) & (values > 0), np.log10(np.where(values > 0, values, 1.0)), 0.0)
    known = any(layer.inputs for layer in signals.layers)
    total = np.zeros(len(signals.layers))
    for row, layer in enumerate(signals.layers):
        sources = [i for i in layer.inputs if i < row] if known else ([row - 1] if row else [])
        if layer.output:
            sources, own = sources, 0.0
        else:
            own = float(logs[row])
        around = min((abs(total[i]) for i in sources), default=0.0)
        total[row] = own + next((total[i] for i in sources if abs(total[i]) == around), 0.0)
    return total


def _power_of_ten(exponent: float) -> float:
    """Of 1,000 layers in series, the product of gains can exceed the range of a float: then 10 to the 300th."""
    return float(np.power(10.0, min(exponent, 300.0)))


def _growth(signals: Signals) -> Track:
    if not len(signals(GAIN_EXCESS)):
        return signals(GAIN_EXCESS)
    return Track.constant([_power_of_ten(float(depth_growth(signals).max(initial=0.0)))])


SIGNAL_GROWTH = Signal("product of gains relative to the ideal gains", "ratio", _growth)
"""Largest product of the initial gains of hidden layers in series, each relative to the ideal gain."""


def _shrinkage(signals: Signals) -> Track:
    if not len(signals(GAIN_EXCESS)):
        return signals(GAIN_EXCESS)
    return Track.constant([_power_of_ten(-float(depth_growth(signals).min(initial=0.0)))])


SIGNAL_SHRINKAGE = Signal("shrinkage of signals", "ratio", _shrinkage)
"""The inverse of the smallest product of the initial gains of hidden layers in series, each relative to the ideal."""


def grows_faster(layer: LayerInfo) -> bool:
    """Whether a hidden layer has an activation that is not known to grow at most linearly."""
    return not layer.output and layer.activation not in LINEAR_GROWTH


def largest_signal(signals: Signals, *, faster: bool) -> int | None:
    """Row of the hidden layer with the largest signal relative to the input.

    If ``faster``, among the layers whose activation grows faster than its input; else None if there is such a layer.
    """
    gains = gains_from_input(signals)
    rows = [row for row, layer in enumerate(signals.layers) if grows_faster(layer)]
    if not faster:
        return None if rows else max(gains, key=lambda row: gains[row], default=None)
    return max((row for row in rows if row in gains), key=lambda row: gains[row], default=None)


def _signal(signals: Signals, *, faster: bool) -> Track:
    row = largest_signal(signals, faster=faster)
    if row is None:
        known = bool(gains_from_input(signals))
        return Track.constant([0.0]) if known else Track.unknown("no activations of the untrained model: give a probe")
    return Track.constant([gains_from_input(signals)[row]])


def _linear_signal(signals: Signals) -> Track:
    return _signal(signals, faster=False)


def _faster_signal(signals: Signals) -> Track:
    return _signal(signals, faster=True)


SIGNAL = Signal("initial signal relative to the input", "ratio", _linear_signal)
"""Largest mean |activation| of a hidden layer relative to the input, if no activation grows faster than its input."""

FASTER_SIGNAL = Signal("initial signal relative to the input", "ratio", _faster_signal)
"""Largest mean |activation| relative to the input, of layers whose activation grows faster than its input."""


def log_gain(signals: Signals, row: int) -> float:
    """log10 of the gain excess of one layer; 0 where it is unknown."""
    value = signals(GAIN_EXCESS).last(row) if len(signals(GAIN_EXCESS)) else 1.0
    return math.log10(value) if value > 0 else 0.0
