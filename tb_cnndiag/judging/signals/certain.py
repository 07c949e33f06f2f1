"""What is certain about a saved model without data: units without effect, and weights that training did not change."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, column, recorded
from tb_cnndiag.payloads import LayerInfo, UnitState, UnitStates

ZERO_FILTERS = Signal("zero filters", "count", recorded("certain_units", "zero_filters"))
"""Number of filters of each layer whose weights are all 0."""

IDLE_UNITS = Signal("units without effect", "count", recorded("certain_units", "idle_units"))
"""Number of units of each layer that are constantly 0, or that later layers read with zeros only."""

CONSTANT_UNITS = Signal("constant units", "count", recorded("certain_units", "constant_units"))
"""Number of units of each layer with the same output for every input."""

UNREAD_UNITS = Signal("unread units", "count", recorded("certain_units", "unread_units"))
"""Number of units of each layer that later layers read with zeros only."""

EXACT_TWINS = Signal("exact twins", "count", recorded("certain_units", "exact_twins"))
"""Number of units of each layer that compute what another one computes."""

REMOVABLE_PARAMETERS = Signal("removable parameters", "count", recorded("certain_units", "removable_parameters"))
"""Number of parameters that the units without effect of each layer take."""

MASKED_SHARE = Signal("masked weights", "share", recorded("certain_units", "masked_share"))
"""Share of exact zeros among the weights of filters that are not zero."""

INITIAL_P = Signal("probability under the initializer", "share", recorded("untouched_weights", "initial_p"))
"""Probability of the weights of each layer if they were what the initializer gave."""

ZERO_VARIANCES = Signal("zero variances", "count", recorded("untouched_weights", "zero_variances"))
"""Number of channels behind each layer whose moving variance is 0."""

LARGEST_VARIANCE = Signal("largest moving variance", "variance", recorded("untouched_weights", "largest_variance"))
"""Largest moving variance of a channel behind each layer."""


def _no_effect(signals: Signals) -> Track:
    """Constant or idle units, whichever are more."""
    idle, constant = signals(IDLE_UNITS), signals(CONSTANT_UNITS)
    return Track(idle.steps, np.fmax(idle.values, constant.values)) if len(idle) and len(constant) else idle


NO_EFFECT = Signal("units that say nothing about the input", "count", _no_effect)
"""Number of units of each layer that are constant for every input, or that nothing reads."""


def _called(signals: Signals) -> Track:
    track = column(signals, "certain_units", "called")
    return track if len(track) else Track.unknown("the model could not be called without data")


CALLED = Signal("called", "count", _called)
"""1 for a layer that the pass through the model reaches, 0 for one that it does not."""


def audited(signals: Signals) -> list[int]:
    """Rows of the layers that were examined without data."""
    track = signals(IDLE_UNITS)
    return [row for row in range(len(signals.layers)) if len(track) and np.isfinite(track.last(row))]


def idle_units(signals: Signals, layer: LayerInfo) -> tuple[int, ...]:
    """The units of a layer that are constant for every input, or that nothing reads."""
    payload = signals.history.latest("certain_units", layer.path)
    if not isinstance(payload, UnitStates):
        return ()
    return tuple(np.flatnonzero(payload.states == UnitState.DEAD).tolist())


def pruned(signals: Signals) -> bool:
    """Whether masks of pruning explain zero filters: zeros are scattered over most layers, or equally many filters."""
    zeros, masked = signals(ZERO_FILTERS), signals(MASKED_SHARE)
    if not len(zeros) or not len(masked):
        return False
    rows = audited(signals)
    scattered = [row for row in rows if masked.last(row) >= SCATTERED]
    units = np.array([signals.layers[row].units for row in rows], float)
    shares = np.array([zeros.last(row) for row in rows]) / np.maximum(units, 1)
    with_zeros = shares[shares > 0]
    alike = len(with_zeros) > 1 and len(with_zeros) >= len(rows) / 2 and float(np.ptp(with_zeros)) <= ALIKE
    return alike or len(scattered) > len(rows) / 2


SCATTERED = 0.1
"""Share of scattered zero weights at which a layer counts as masked."""

ALIKE = 0.05
"""Largest difference of the shares of zero filters of several layers that one sparsity explains."""


def untouched(signals: Signals, least: float) -> list[int]:
    """Rows of the layers whose kernel and bias are what their initializers gave, as far as a test can say.

    Without a bias, the statistics of the normalization that follows must be untouched too, or there is none.
    """
    p_values = signals(INITIAL_P)
    bias = column(signals, "untouched_weights", "initial_bias")
    statistics = column(signals, "untouched_weights", "initial_statistics")
    found = []
    for row in range(len(signals.layers)):
        kept = [track.last(row) for track in (bias, statistics) if len(track)]
        if len(p_values) and p_values.last(row) >= least and all(value != 0 for value in kept):
            found.append(row)
    return found


def stale_rows(signals: Signals) -> list[int]:
    """Rows of trained layers behind which all moving statistics have their initial values."""
    statistics, p_values = column(signals, "untouched_weights", "initial_statistics"), signals(INITIAL_P)
    return [
        row
        for row in range(len(signals.layers))
        if len(statistics) and statistics.last(row) == 1 and len(p_values) and p_values.last(row) < 1e-6
    ]
