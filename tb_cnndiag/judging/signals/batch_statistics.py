"""Batch normalization: which layers use the statistics of the batch, and whether the moving ones have settled."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.accuracy import logged_accuracy
from tb_cnndiag.judging.signals.base import Signal, Signals, Track, over_layers, recorded
from tb_cnndiag.judging.signals.outputs import PROBE_ACCURACY
from tb_cnndiag.judging.signals.prior_loss import output_layer


def normalized_by_batch(signals: Signals) -> list[int]:
    """Rows of the trainable layers behind which a trainable BatchNormalization follows."""
    return [
        row
        for row in signals.trainable
        if signals.layers[row].normalization_class == "BatchNormalization"
        and not signals.layers[row].normalization_frozen
    ]


MEAN_SHIFT = Signal("shift of the moving mean", "deviations", recorded("batch_statistics", "mean_shift"))
"""|moving mean − mean on the probe| behind each layer, in standard deviations of the probe, median over channels."""


def _variance_change(signals: Signals) -> Track:
    ratio = recorded("batch_statistics", "variance_ratio")(signals)
    if not len(ratio):
        return ratio
    with np.errstate(divide="ignore", invalid="ignore"):
        return Track(ratio.steps, np.maximum(ratio.values, 1 / ratio.values))


VARIANCE_CHANGE = Signal("ratio of moving and probe variance", "ratio", _variance_change)
"""Moving variance relative to that of the probe, or the inverse where that is larger."""


def _inference_gap(signals: Signals) -> Track:
    """Accuracy in training minus balanced accuracy on the probe in inference mode."""
    head, accuracy = output_layer(signals), signals(PROBE_ACCURACY)
    if head is None or not len(accuracy):
        return Track.unknown(accuracy.reason or "the model has several outputs")
    training = logged_accuracy(signals)
    if not len(training):
        return training
    of_head = accuracy.values[:, signals.layers.index(head)]
    return Track.of_model(accuracy.steps, training.at(accuracy.steps)[:, 0] - of_head)


INFERENCE_GAP = Signal("accuracy in training minus accuracy in inference mode", "share", _inference_gap)
"""Logged training accuracy minus the balanced accuracy on the probe, which passes through in inference mode."""


def _largest_shift(signals: Signals) -> Track:
    return over_layers(np.nanmax, signals(MEAN_SHIFT), normalized_by_batch(signals))


LARGEST_SHIFT = Signal("largest shift of a moving mean", "deviations", _largest_shift)
"""Over the layers normalized by the batch."""


def _largest_change(signals: Signals) -> Track:
    return over_layers(np.nanmax, signals(VARIANCE_CHANGE), normalized_by_batch(signals))


LARGEST_VARIANCE_CHANGE = Signal("largest ratio of moving and probe variance", "ratio", _largest_change)
"""Over the layers normalized by the batch."""
