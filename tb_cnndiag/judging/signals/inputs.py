"""What the first kernels receive on the probe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, column, recorded
from tb_cnndiag.payloads import FloatArray

INPUT_MEAN = Signal("input mean", "input", recorded("model_input", "mean"))
"""Mean of the channel whose mean is farthest from 0, of each first layer."""

INPUT_DEVIATION = Signal("input deviation", "input", recorded("model_input", "std"))
"""Standard deviation of the channel where it is largest, of each first layer."""

INPUT_MINIMUM = Signal("input minimum", "input", recorded("model_input", "minimum"))
INPUT_MAXIMUM = Signal("input maximum", "input", recorded("model_input", "maximum"))


def _size(signals: Signals, choose: Callable[[FloatArray, FloatArray], FloatArray]) -> Track:
    """A size of the last input of each first layer, chosen from |mean| and deviation; unknown if one is not finite."""
    mean, deviation = signals(INPUT_MEAN), signals(INPUT_DEVIATION)
    if not len(mean) or not len(deviation):
        return Track.unknown(mean.reason or "the input is not finite")
    offset, spread = np.abs(mean.latest[-1]), deviation.latest[-1]
    finite = np.isfinite(offset) & np.isfinite(spread)
    return Track.constant(np.where(finite, choose(offset, spread), np.nan), "the input is not finite")


def _offset(signals: Signals) -> Track:
    return _size(signals, lambda offset, spread: offset)


def _spread(signals: Signals) -> Track:
    return _size(signals, lambda offset, spread: spread)


def _scale(signals: Signals) -> Track:
    return _size(signals, np.maximum)


INPUT_OFFSET = Signal("absolute input mean", "input", _offset)
"""|mean| of the channel whose mean is farthest from 0, of each first layer, at the last snapshot."""

INPUT_SPREAD = Signal("input deviation", "input", _spread)
"""Standard deviation of the channel where it is largest, of each first layer, at the last snapshot."""

INPUT_SCALE = Signal("largest of input mean and deviation", "input", _scale)
"""The larger of |mean| and standard deviation of each first layer's input, at the last snapshot."""


def _constant_share(signals: Signals) -> Track:
    shares = column(signals, "model_input", "constant_share")
    if not len(shares):
        return shares
    values = shares.latest[-1].copy()
    for row, layer in enumerate(signals.layers):
        if layer.fan_in == 1:  # a sample of a single number is always constant
            values[row] = np.nan
    return Track.constant(values, "samples of a single number are always constant")


CONSTANT_SHARE = Signal("constant samples", "share", _constant_share)
"""Share of probe samples whose values are all the same, for each first layer."""


def first_layers(signals: Signals) -> list[int]:
    """Rows of the layers whose input was recorded."""
    mean = signals(INPUT_MEAN)
    shares = column(signals, "model_input", "constant_share")
    known = [track for track in (mean, shares) if len(track)]
    return [row for row in range(len(signals.layers)) if any(np.isfinite(t.values[:, row]).any() for t in known)]
