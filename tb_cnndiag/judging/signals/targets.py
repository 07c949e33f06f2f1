"""What the output layer can produce, and what the loss compares it with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.loss import LOSS, RELATIVE_LOSS
from tb_cnndiag.judging.signals.loss_function import LossFunction, loss_function
from tb_cnndiag.judging.signals.outputs import OUTPUT_MAXIMUM, OUTPUT_MINIMUM, ROW_SUM_ERROR, TOP_CLASS_SHARE
from tb_cnndiag.judging.signals.prior_loss import output_layer
from tb_cnndiag.judging.signals.prior_relative_loss import PRIOR_RELATIVE_LOSS
from tb_cnndiag.numerics.activations import facts_of
from tb_cnndiag.payloads import LayerInfo, Targets


@dataclass(frozen=True)
class Head:
    """The output layer with its loss and targets.

    Attributes:
        layer: The output layer.
        row: Its row.
        loss: What its outputs are compared with.
        targets: Statistics of the probe's targets; None if they are not known.
        counts: Probe samples of each class; empty if labels are no classes.
        row_sum_error: Mean |sum of outputs − 1|; NaN if it was not measured.
        first_loss, last_loss: The first and the last training loss; NaN without one.
        top_share: Predicted class share at the last snapshot; NaN if it was not measured.
        relative_loss: The last loss relative to the prior loss.
        loss_to_spread: The last loss relative to the variance, or the mean absolute deviation, of the targets.
    """

    layer: LayerInfo
    row: int
    loss: LossFunction
    targets: Targets | None
    counts: tuple[int, ...]
    row_sum_error: float
    last_loss: float
    first_loss: float
    top_share: float
    relative_loss: float
    loss_to_spread: float

    @property
    def classes(self) -> int:
        """Number of classes that the probe has samples of."""
        return sum(count > 0 for count in self.counts)

    @property
    def low(self) -> float:
        """Smallest value that its activation can produce."""
        end = facts_of(self.layer.activation).range[0]
        return -math.inf if end is None else end

    @property
    def high(self) -> float:
        """Largest value that its activation can produce."""
        end = facts_of(self.layer.activation).range[1]
        return math.inf if end is None else end

    @property
    def several(self) -> bool:
        """Whether each output has a target of its own."""
        return self.targets is not None and math.prod(self.targets.shape) == self.layer.units > 1

    @property
    def outside(self) -> float:
        """Share of the range of the targets that lies outside the range of the output."""
        if self.targets is None:
            return 0.0
        share = max(self.low - self.targets.low, self.targets.high - self.high, 0.0)
        return share / max(self.targets.high - self.targets.low, 1e-12)


def head(signals: Signals) -> Head | None:
    """The only output layer of a run with one loss; None if there are several, or the loss is not known."""
    return signals.once(_head)  # type: ignore[no-any-return]


def _head(signals: Signals) -> Head | None:
    layer, loss = output_layer(signals), loss_function(signals)
    if layer is None or not loss.name:
        return None
    row = signals.layers.index(layer)
    error, curve, top = signals(ROW_SUM_ERROR), signals(LOSS), signals(TOP_CLASS_SHARE)
    probe = signals.info.probe
    return Head(
        layer,
        row,
        loss,
        probe.targets,
        probe.class_counts,
        error.last(row) if len(error) else math.nan,
        curve.last(),
        curve.first(),
        top.last(row) if len(top) else math.nan,
        signals(RELATIVE_LOSS).last(),
        signals(PRIOR_RELATIVE_LOSS).last(),
    )


def output_range(signals: Signals, row: int) -> tuple[float, float]:
    """(smallest, largest) output on the probe at the last snapshot; NaN where unknown."""
    low, high = signals(OUTPUT_MINIMUM), signals(OUTPUT_MAXIMUM)
    return (low.last(row) if len(low) else math.nan), (high.last(row) if len(high) else math.nan)
