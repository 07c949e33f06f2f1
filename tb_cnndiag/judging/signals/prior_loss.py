"""The prior loss: that of the best constant prediction, from the class prior or the spread of the targets."""

from __future__ import annotations

import math

import numpy as np

from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.loss_function import LossFunction, loss_function
from tb_cnndiag.payloads import LayerInfo, Probe

# Standard deviations of χ² above its mean below which class counts may be those of equally frequent classes.
BALANCED_DEVIATIONS = 3.0


def output_layer(signals: Signals) -> LayerInfo | None:
    """The output layer; None without an output layer or with several."""
    outputs = [layer for layer in signals.layers if layer.output]
    return outputs[0] if len(outputs) == 1 else None


def class_prior_entropy(counts: tuple[int, ...], classes: int) -> float:
    """Entropy in nats of the classes that these samples come from: ln K, unless the counts contradict equal shares.

    The entropy of the counts themselves is too small by about (classes − 1) / 2n (Miller 1955).
    """
    known = np.array([*counts, *[0] * (classes - len(counts))], float)
    total = float(known.sum())
    if not total or classes < 2:
        return math.log(max(classes, 1))
    expected = total / len(known)
    freedom = len(known) - 1
    chi_square = float(((known - expected) ** 2 / expected).sum())
    if chi_square <= freedom + BALANCED_DEVIATIONS * math.sqrt(2 * freedom):
        return math.log(len(known))
    shares = known[known > 0] / total
    corrected = float(-(shares * np.log(shares)).sum()) + (len(shares) - 1) / (2 * total)
    return min(corrected, float(math.log(len(known))))


def binary_entropy(share: float) -> float:
    """Entropy in nats of a label that is 1 in this share of the samples."""
    return float(-sum(p * math.log(p) for p in (share, 1 - share) if p > 0))


def prior_loss(signals: Signals) -> float | None:
    """Loss of the best constant prediction; None where it is unknown."""
    return signals.once(_prior_loss)  # type: ignore[no-any-return]


def _prior_loss(signals: Signals) -> float | None:
    head, loss, probe = output_layer(signals), loss_function(signals), signals.info.probe
    if head is None:
        return None
    if loss.facts is None:
        return _of_keras(head, loss, probe)
    if loss.facts.same_as:
        prior, factor = _of_keras(head, loss, probe), loss.factor
        return prior * factor if prior is not None and factor is not None and factor > 0 else None
    uninformed, counts = loss.facts.uninformed, probe.class_counts
    balanced = sum(counts) > 0 and class_prior_entropy(counts, max(head.units, 2)) == math.log(max(head.units, 2))
    return uninformed if loss.of_classes and balanced and uninformed is not None and uninformed > 0 else None


def _of_keras(head: LayerInfo, loss: LossFunction, probe: Probe) -> float | None:
    """The prior loss of a loss of Keras."""
    targets = probe.targets
    if loss.plain:
        spread = (targets.variance if loss.family == "squared" else targets.deviation) if targets else 0.0
        return spread or None
    if loss.family == "categorical" and head.units > 1:
        return class_prior_entropy(probe.class_counts, max(head.units, len(probe.class_counts)))
    if loss.family == "binary":
        if head.units == 1 and len(probe.class_counts) == 2:
            return class_prior_entropy(probe.class_counts, 2)
        if targets and 0 <= targets.low <= targets.high <= 1 and targets.whole and 0 < targets.variance <= 0.25:
            # Mean of p(1 − p) over the labels; exact if all labels are equally frequent.
            return binary_entropy((1 - math.sqrt(1 - 4 * targets.variance)) / 2)
        return math.log(2)
    return None
