"""Which channels a unit reads, and what drives it, weight by weight."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.numerics.influence import (
    ELSEWHERE,
    MIXED,
    channel_weights,
    cluster_influence,
    grouped_channel_weights,
)

pytestmark = pytest.mark.filterwarnings("error")


def _slow(kernel: np.ndarray, channels: int) -> np.ndarray:
    """|Weight| of each column to its channel; to all in equal parts where columns are no whole positions."""
    found = np.zeros((len(kernel), channels))
    for unit, row in enumerate(kernel):
        for column, weight in enumerate(row):
            size = abs(weight) if np.isfinite(weight) else 0
            if len(row) % channels:
                found[unit] += size / channels
            else:
                found[unit, column % channels] += size
    return found


@pytest.mark.parametrize(("units", "fan_in", "channels"), [(6, 12, 3), (4, 9, 1), (5, 7, 3), (6, 2, 3), (3, 3, 3)])
@pytest.mark.parametrize("bad", [False, True])
def test_what_is_read_of_each_channel(units: int, fan_in: int, channels: int, bad: bool) -> None:
    kernel = np.random.default_rng(units).normal(size=(units, fan_in))
    if bad:
        kernel[0, 0], kernel[1, 1], kernel[2, 0] = np.nan, np.inf, -np.inf
    found = channel_weights(kernel, channels)
    np.testing.assert_allclose(found, _slow(kernel, channels), rtol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize(("units", "channels", "own"), [(6, 3, True), (3, 3, True), (5, 3, False), (8, 4, True)])
def test_units_of_a_depthwise_convolution_read_one_channel(units: int, channels: int, own: bool) -> None:
    kernel = np.random.default_rng(channels).normal(size=(units, 12))
    found = channel_weights(kernel, channels, depthwise=True)
    if own:
        expected = np.zeros((units, channels))
        for unit in range(units):
            expected[unit, unit * channels // units] = np.abs(kernel[unit]).sum()
    else:
        expected = _slow(kernel, channels)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("units", "channels", "groups"), [(6, 6, 3), (4, 2, 2), (8, 6, 2), (3, 5, 1)])
def test_units_of_a_group_read_the_channels_of_their_group(units: int, channels: int, groups: int) -> None:
    inner = channels // groups
    kernel = np.random.default_rng(groups).normal(size=(units, 9 * inner))
    expected = np.zeros((units, channels))
    for unit in range(units):
        for column in range(9 * inner):
            group = unit // (units // groups)
            expected[unit, group * inner + column % inner] += abs(kernel[unit, column])
    np.testing.assert_allclose(grouped_channel_weights(kernel, channels, groups), expected, rtol=1e-6)


def test_influence_of_units_whose_activity_is_not_known() -> None:
    """NaN and infinite activity count as 0; a mixed channel carries the mean over all units."""
    weights = np.array([[1.0, 2.0, 4.0, 8.0, 16.0]])
    activity = np.array([3.0, np.nan, np.inf, 5.0])
    route = np.array([0, 1, 2, ELSEWHERE, MIXED])
    found = cluster_influence(weights, route, activity, np.array([0, 0, 1, 1]), np.array([0]))
    np.testing.assert_allclose(found, [[1 * 3 + 16 * 3 / 4, 16 * 5 / 4]])


def test_layers_without_units_or_channels() -> None:
    nobody = np.zeros(0, int)
    sources, activity = np.array([0, 1]), np.ones(2)
    none = cluster_influence(np.zeros((0, 2)), np.array([0, 1]), activity, sources, nobody)
    assert none.shape == (0, 2)
    unread = cluster_influence(np.zeros((3, 0)), nobody, activity, sources, np.array([0, 1, 1]))
    assert unread.tolist() == [[0, 0], [0, 0]]
