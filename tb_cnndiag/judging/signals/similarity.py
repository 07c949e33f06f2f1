"""How similar the filters of a layer are."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.judging.signals.base import Signal, Signals, Track, recorded
from tb_cnndiag.judging.signals.magnitudes import by_chance
from tb_cnndiag.judging.signals.weights import ZERO_SHARE
from tb_cnndiag.payloads import Dendrogram, LayerInfo

TWIN_SHARE = Signal("filters with a twin", "share", recorded("filter_similarity", "twin_ratio"))
"""Share of filters with a twin: a filter more similar than chance explains."""

MEAN_SIMILARITY = Signal("mean similarity", "cosine", recorded("filter_similarity", "mean_similarity"))
"""Mean |cosine| between the filters of each layer."""

SUGGESTED_WIDTH = Signal("suggested width", "count", recorded("filter_clusters", "suggested_width"))
"""Number of groups of similar filters."""


def _initial_similarity(signals: Signals) -> Track:
    """Mean |cosine| of the initial filters; filters that are all 0 are identical."""
    similarity, zeros = signals(MEAN_SIMILARITY), signals(ZERO_SHARE)
    if not len(similarity) and not len(zeros):
        return similarity
    found = np.full(len(signals.layers), np.nan)
    if len(similarity) and similarity.steps[0] == 0:
        found = similarity.values[0].copy()
    for row, layer in enumerate(signals.layers):
        if layer.units < 2 or layer.fan_in < 2 or by_chance(layer):
            found[row] = np.nan
        if len(zeros) and zeros.steps[0] == 0 and zeros.values[0, row] == 1 and layer.units > 1:
            found[row] = 1.0
    return Track.constant(found, "the initial filters were not compared")


INITIAL_SIMILARITY = Signal("similarity of the initial filters", "cosine", _initial_similarity)
"""Mean |cosine| of the filters of each layer at step 0; 1 for filters that are all 0."""


def _later_similarity(signals: Signals) -> Track:
    """The smallest mean |cosine| so far; 1 while all weights are 0. Unknown before training has begun."""
    similarity, zeros = signals(MEAN_SIMILARITY), signals(ZERO_SHARE)
    tracks = [track for track in (similarity, zeros) if len(track)]
    if not tracks:
        return similarity
    steps = np.unique(np.concatenate([track.steps[track.steps > 0] for track in tracks]))
    if not steps.size:
        return Track.unknown("filters were not compared after training began")
    values = np.full((len(steps), len(signals.layers)), np.nan)
    if len(similarity):
        values = np.where(similarity.steps.max() > 0, similarity.at(steps), np.nan)
    if len(zeros):
        values = np.where(zeros.at(steps) == 1, 1.0, values)
    initial = signals(INITIAL_SIMILARITY).at(np.zeros(1, np.int64))
    first = np.where(np.isnan(values).all(axis=0), np.nan, initial)
    return Track(np.append(0, steps), np.fmin.accumulate(np.concatenate([first, values]), axis=0))


LATER_SIMILARITY = Signal("similarity of the filters in training", "cosine", _later_similarity)
"""Smallest mean |cosine| of the filters of each layer since training began.

It is known from step 0 on: filters that were alike then, and are alike later, have been alike for all that time.
"""


def twin_groups(signals: Signals, layer: LayerInfo) -> tuple[tuple[int, ...], ...]:
    """Groups of at least two similar filters of a layer, as they were clustered last."""
    tree = signals.history.latest("filter_clusters", layer.path)
    if not isinstance(tree, Dendrogram):
        return ()
    members = [np.flatnonzero(tree.groups == group) for group in range(int(tree.groups.max(initial=-1)) + 1)]
    return tuple(sorted(tuple(int(unit) for unit in group) for group in members if len(group) > 1))
