"""How strongly the units of a layer drive those of the next."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.payloads import FloatArray, IntArray

ELSEWHERE = -1
"""Stands for an input channel that does not come from this layer."""
MIXED = -2
"""Stands for an input channel that may come from any unit of this layer."""


def channel_weights(kernel: FloatArray, channels: int, *, depthwise: bool = False) -> FloatArray:
    """Σ |weight| over positions with which each unit reads each input channel, ``(units, channels)``.

    Args:
        kernel: ``(units, fan_in)``; its columns are positions of the window, each with the channels that are read.
        channels: Channels of the input.
        depthwise: Whether each channel is read by units of its own.
    """
    units, fan_in = kernel.shape
    weights = np.abs(kernel)
    if not np.isfinite(weights.sum()):
        weights = np.where(np.isfinite(weights), weights, 0)
    found = np.zeros((units, channels), np.float32)
    if depthwise and units % channels == 0:
        found[np.arange(units), np.arange(units) // (units // channels)] = weights.sum(axis=1)
    elif fan_in % channels == 0:
        found[:] = weights.reshape(units, -1, channels).sum(axis=1)
    else:
        found[:] = weights.sum(axis=1, keepdims=True) / channels
    return found


def grouped_channel_weights(kernel: FloatArray, channels: int, groups: int) -> FloatArray:
    """The same for a grouped convolution: the units of each group read its channels only."""
    units, inner = len(kernel), channels // groups
    own = channel_weights(kernel, inner)
    found = np.zeros((units, groups, inner), np.float32)
    found[np.arange(units), np.arange(units) // (units // groups)] = own
    return found.reshape(units, channels)


def cluster_influence(
    weights: FloatArray, route: IntArray, activity: FloatArray, sources: IntArray, targets: IntArray
) -> FloatArray:
    """Influence of clusters of one layer on clusters of the next, ``(target clusters, source clusters)``.

    The influence of a unit on a unit is the sum of its |weights| times the unit's mean |activation|, like the edges of
    CNNVis (Liu et al. 2016, section 5.3) with magnitudes instead of signs; clusters have the sums of their units.

    Args:
        weights: ``(target units, channels)``; see :func:`channel_weights`.
        route: ``(channels,)``: source unit of each channel, ``ELSEWHERE`` or ``MIXED``.
        activity: ``(source units,)``: mean |activation| of each.
        sources: ``(source units,)``: cluster of each.
        targets: ``(target units,)``: cluster of each.
    """
    member = _one_hot(sources)
    active = member * np.nan_to_num(activity.astype(np.float64), nan=0.0, posinf=0.0)[:, None]
    read = np.zeros((len(route), active.shape[1]))
    known = route >= 0
    read[known] = active[route[known]]
    read[route == MIXED] = active.mean(axis=0)
    of_clusters = _one_hot(targets).T @ weights
    return np.asarray(of_clusters @ read)


def _one_hot(labels: IntArray) -> FloatArray:
    found = np.zeros((len(labels), int(labels.max(initial=-1)) + 1), np.float32)
    found[np.arange(len(labels)), labels] = 1
    return found
