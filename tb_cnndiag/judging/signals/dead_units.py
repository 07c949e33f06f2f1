"""Units that give the same output for every input: where, since when, and how that is known."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, over_layers, recorded
from tb_cnndiag.judging.signals.configuration import layer_config
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import LayerInfo, UnitStates

DEAD_SHARE = Signal("dead share", "share", recorded("dead_units", "dead_ratio"))
"""Share of the units of each layer that are dead on the probe and in the observed training batches."""


def unit_states(signals: Signals, layer: LayerInfo) -> UnitStates | None:
    """The latest state of each unit of a layer, with the amount of data that was observed; None if unknown."""
    payload = signals.history.latest("dead_units", layer.path)
    return payload if isinstance(payload, UnitStates) else None


def seen_untrained(signals: Signals) -> bool:
    """Whether units were observed before training: a collected probe exists only after the first epoch."""
    shares = signals(DEAD_SHARE)
    return bool(len(shares)) and shares.steps[0] == 0


def without_positions(layer: LayerInfo) -> bool:
    """A dense layer, or a convolution after global pooling, as in squeeze-and-excitation: many units are idle there."""
    return layer.role == "dense" or set(layer.spatial_shape) == {1}


def _initially_dead(signals: Signals) -> Track:
    shares = signals(DEAD_SHARE)
    if not len(shares):
        return shares
    if shares.steps[0] > 0:
        return Track.unknown("no activations were recorded before training: give a probe")
    return Track.constant(shares.values[0], "no layer was observed before training")


INITIALLY_DEAD_SHARE = Signal("dead share before training", "share", _initially_dead)
"""Share of the units of each layer that are dead at step 0."""


def _most_initially_dead(signals: Signals) -> Track:
    shares = signals(DEAD_SHARE)
    rows = [row for row, layer in enumerate(signals.layers) if not layer.output]
    if not len(shares) or not rows or np.isnan(shares.values[0, rows]).all():
        return Track.unknown(shares.reason or "no hidden layer was observed")
    return Track.constant([np.nanmax(shares.values[0, rows])])


FIRST_DEAD_SHARE = Signal("largest first dead share", "share", _most_initially_dead)
"""Largest share of dead units of a hidden layer at the first snapshot that observed units."""


def died(signals: Signals) -> tuple[Track, int | None]:
    """(largest share of units that died over the rectified hidden layers; row of the layer that has it in the end)."""
    return signals.once(_died)  # type: ignore[no-any-return]


def _died(signals: Signals) -> tuple[Track, int | None]:
    shares = signals(DEAD_SHARE)
    if not len(shares):
        return shares, None
    rows = [
        row
        for row in signals.hidden
        if signals.layers[row].activation in RECTIFIED and np.isfinite(shares.values[:, row]).any()
        if not layer_config(signals.layers[row]).get("activity_regularizer")  # its penalty can have the same effect
    ]
    if not rows:
        return Track.unknown("no rectified layer was observed"), None
    share = np.nan_to_num(shares.latest[:, rows])
    # Of a probe that was collected during training, nothing is known before: what is dead then may have died by then.
    begun = share[0] if shares.steps[0] == 0 else np.zeros(len(rows))
    lost = np.where(share > begun, share, 0.0)
    return Track.of_model(shares.steps, lost.max(axis=1)), rows[int(lost[-1].argmax())]


def _died_share(signals: Signals) -> Track:
    return died(signals)[0]


DIED_SHARE = Signal("share of units that died", "share", _died_share)
"""Largest dead share of a rectified hidden layer in which units died during training."""


def _blocking(signals: Signals) -> Track:
    """Largest dead share so far of the layer itself or of one behind it."""
    shares = signals(DEAD_SHARE)
    if not len(shares):
        return shares
    known = np.nan_to_num(shares.latest)
    behind = np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1]
    return Track(shares.steps, np.maximum.accumulate(behind, axis=0))


BLOCKING_SHARE = Signal("dead share of this or a later layer", "share", _blocking)
"""Largest dead share so far of each layer and those behind it: a dead layer passes no gradient back."""


def _most_dead(signals: Signals) -> Track:
    shares = signals(DEAD_SHARE)
    return over_layers(np.nanmax, shares, [row for row, a in enumerate(signals.layers) if not a.output])


MOST_DEAD = Signal("largest dead share", "share", _most_dead)
"""Largest dead share of a hidden layer."""


def _most_dead_rectified(signals: Signals) -> Track:
    rows = [row for row, a in enumerate(signals.layers) if not a.output and a.activation in RECTIFIED]
    if not rows:
        return Track.unknown("no layer is rectified")
    return over_layers(np.nanmax, signals(DEAD_SHARE), rows)


MOST_DEAD_RECTIFIED = Signal("largest dead share of a rectified layer", "share", _most_dead_rectified)
"""Largest dead share of a rectified hidden layer: it blocks the gradient."""
