"""What the model answers on the probe."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, column, recorded
from tb_cnndiag.judging.signals.loss_function import loss_function

ROW_SUM_ERROR = Signal("row sum error", "ratio", recorded("model_output", "row_sum_error"))
"""Mean |sum of outputs − 1| of each output layer."""


def _trained(name: str, signals: Signals) -> Track:
    """A column of the output layers, without step 0."""
    track = column(signals, "model_output", name)
    after = track.steps > 0
    if len(track) and not after.any():
        return Track.unknown("no output was recorded after step 0")
    return Track(track.steps[after], track.values[after], track.reason) if len(track) else track


def _top_share(signals: Signals) -> Track:
    return _trained("top_class_share", signals)


def _spread(signals: Signals) -> Track:
    return _trained("spread", signals)


def _accuracy(signals: Signals) -> Track:
    return _trained("accuracy", signals)


def _minimum(signals: Signals) -> Track:
    return _trained("minimum", signals)


def _maximum(signals: Signals) -> Track:
    return _trained("maximum", signals)


TOP_CLASS_SHARE = Signal("predicted class share", "share", _top_share)
"""Share of probe samples with the most frequent predicted class, of each output layer, after step 0."""

OUTPUT_SPREAD = Signal("output deviation", "output", _spread)
"""Standard deviation of an output over samples, mean over outputs, of each output layer, after step 0."""

PROBE_ACCURACY = Signal("balanced accuracy", "share", _accuracy)
"""Balanced accuracy on the probe, of each output layer, after step 0."""

OUTPUT_MINIMUM = Signal("smallest output", "output", _minimum)
OUTPUT_MAXIMUM = Signal("largest output", "output", _maximum)


def _largest_class(signals: Signals) -> Track:
    counts = np.asarray(signals.info.probe.class_counts, float)
    if np.count_nonzero(counts) < 2:
        return Track.unknown("the labels of the probe are not known, or of one class")
    return Track.constant([counts.max() / counts.sum()])


LARGEST_CLASS = Signal("share of the largest class", "share", _largest_class, fact=True)
"""Share of the probe's samples that have its most frequent label."""


def output_layers(signals: Signals) -> list[int]:
    """Rows of the output layers with several outputs."""
    return [row for row, layer in enumerate(signals.layers) if layer.output and layer.units > 1]


def single_outputs(signals: Signals) -> list[int]:
    """Rows of the output layers with a single output."""
    return [row for row, layer in enumerate(signals.layers) if layer.output and layer.units == 1]


def _relative_spread(signals: Signals) -> Track:
    """Deviation of a single output over samples, relative to that of the targets, or of a balanced label."""
    spread, targets = signals(OUTPUT_SPREAD), signals.info.probe.targets
    if not len(spread):
        return spread
    if targets is not None and targets.variance > 0:
        return Track(spread.steps, spread.values / np.sqrt(targets.variance))
    if not loss_function(signals).of_classes:
        return Track.unknown("the targets of the probe are not known")
    return spread


RELATIVE_SPREAD = Signal("output deviation relative to that of the targets", "ratio", _relative_spread)
"""Standard deviation of an output over samples relative to that of the targets."""
