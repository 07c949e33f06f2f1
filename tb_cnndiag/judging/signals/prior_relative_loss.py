"""The training loss relative to the prior loss, only where the prior loss is known."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.loss import LOSS
from tb_cnndiag.judging.signals.loss_function import loss_function
from tb_cnndiag.judging.signals.prior_loss import prior_loss


def _relative(signals: Signals) -> Track:
    loss, prior = signals(LOSS), prior_loss(signals)
    if prior is None:
        return Track.unknown(loss_function(signals).open_ or "the prior loss of this loss is not known")
    if len(loss) and not np.isfinite(loss.values).all():
        return Track.unknown("the loss is not finite")
    return Track(loss.steps, loss.values / prior, loss.reason)


PRIOR_RELATIVE_LOSS = Signal("loss relative to the prior loss", "ratio", _relative)
"""The training loss relative to the prior loss; unknown where the prior loss is."""
