"""What a schedule does with the learning rate."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tb_cnndiag.judging.signals.configuration import learning_rates

# Change of the learning rate that is no rounding.
CHANGES = 1.001
# Fall of the learning rate after which it is another rate: what happened before cannot be repaired by lowering it.
CUT = 10


def highest_rate(signals: Signals) -> float:
    """The highest learning rate so far; NaN if it was not logged."""
    rates = learning_rates(signals)
    return float(rates.values.max()) if len(rates) else float("nan")


def _fall(signals: Signals) -> Track:
    rates = learning_rates(signals)
    if not len(rates):
        return rates
    return Track(rates.steps, np.maximum.accumulate(rates.values, axis=0) / np.maximum(rates.values, 1e-30))


RATE_FALL = Signal("highest learning rate relative to the present one", "ratio", _fall)
"""How far the learning rate has fallen."""


def rate_has_risen(signals: Signals) -> bool:
    """Whether the learning rate is above its first value: a warm-up."""
    rates = learning_rates(signals)
    return len(rates) > 0 and bool(rates.values[-1] > CHANGES * rates.values[0])


def rate_was_lowered(signals: Signals) -> bool:
    """Whether a schedule has lowered the learning rate since its highest value."""
    return bool(signals(RATE_FALL).last() > CHANGES)


def rate_was_cut(signals: Signals) -> bool:
    """Whether the learning rate is a tenth of its highest value or less."""
    return bool(signals(RATE_FALL).last() >= CUT)
