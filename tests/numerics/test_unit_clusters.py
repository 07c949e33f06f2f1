"""Clusters, their matching and their influence against slow definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tb_cnndiag.numerics.influence import (
    ELSEWHERE,
    MIXED,
    channel_weights,
    cluster_influence,
    grouped_channel_weights,
)
from tb_cnndiag.numerics.linkage import average_linkage
from tb_cnndiag.numerics.unit_clusters import (
    FEWEST,
    MOST,
    Identities,
    cut_at_gap,
    jaccard,
    labels_at,
    typical,
    unit_clusters,
)


def _planted(sizes: list[int], noise: float, samples: int = 128, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Responses (samples, units) of groups that each follow a signal of their own, and the group of each unit."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    signals = rng.normal(size=(samples, len(sizes)))
    return signals[:, truth] + noise * rng.normal(size=(samples, len(truth))), truth


def _slow_clusters(similarity: np.ndarray, count: int) -> set[frozenset[int]]:
    """Average linkage by its definition: join the two clusters whose mean distance over all pairs is smallest."""
    clusters = [frozenset([unit]) for unit in range(len(similarity))]
    while len(clusters) > count:
        a, b = min(
            itertools.combinations(clusters, 2),
            key=lambda pair: np.mean([1 - similarity[i, j] for i in pair[0] for j in pair[1]]),
        )
        clusters = [each for each in clusters if each not in (a, b)] + [a | b]
    return set(clusters)


def _as_sets(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("groups", [4, 6, 9])
def test_planted_groups_are_found(groups: int) -> None:
    responses, truth = _planted([5] * groups, 0.1)
    labels, rows = unit_clusters(responses)
    assert _as_sets(labels) == _as_sets(truth)
    np.testing.assert_allclose(rows @ rows.T, np.corrcoef(responses.T), atol=1e-5)


@pytest.mark.parametrize("count", range(FEWEST, MOST + 1))
def test_clusters_are_those_of_average_linkage(count: int) -> None:
    responses = np.random.default_rng(count).normal(size=(30, 24))
    similarity = np.corrcoef(responses.T).astype(np.float32)
    merges = average_linkage(similarity)
    labels = labels_at(merges, count)
    assert _as_sets(labels) == _slow_clusters(similarity, count)
    assert sorted(set(labels)) == list(range(count))


def test_the_cut_is_at_the_largest_gap() -> None:
    heights = [0.01 * i for i in range(14)] + [0.5, 0.52, 0.54, 0.9, 0.95]
    merges = np.array([[0, 0, height, 0] for height in heights])
    # 20 leaves; before the jump from 0.13 to 0.5 there are 6 clusters.
    assert cut_at_gap(merges) == 6
    assert cut_at_gap(merges[: MOST - 1]) == MOST


def test_units_that_never_vary_are_the_last_cluster() -> None:
    responses, _ = _planted([6] * 4, 0.1)
    responses[:, [3, 7]] = 2.0
    labels, rows = unit_clusters(responses)
    assert set(np.flatnonzero(labels == labels.max())) == {3, 7}
    assert not rows[[3, 7]].any()
    assert unit_clusters(np.ones((5, 20)))[0].max() == 0
    one = np.ones((5, 20))
    one[2, 4] = 0
    assert unit_clusters(one)[0].tolist() == [int(unit != 4) for unit in range(20)]


@pytest.mark.filterwarnings("error")
def test_responses_of_any_size_and_kind_are_clustered() -> None:
    responses, truth = _planted([6] * 4, 0.1)
    labels, _ = unit_clusters(np.float32(1e36) * responses.astype(np.float32))
    assert _as_sets(labels) == _as_sets(truth)
    responses[3, 5] = np.nan
    labels, rows = unit_clusters(responses)
    assert np.flatnonzero(labels == labels.max()).tolist() == [5]
    assert not rows[5].any()


def test_a_wide_layer_is_clustered_as_by_its_sample() -> None:
    responses, truth = _planted([400] * 5, 0.2)
    labels, _ = unit_clusters(responses)
    assert _as_sets(labels) == _as_sets(truth)


def test_typical_units_have_the_largest_mean_correlation() -> None:
    responses, _ = _planted([7] * 4, 0.8)
    labels, rows = unit_clusters(responses)
    similarity = np.corrcoef(responses.T)
    for cluster, units in enumerate(typical(rows, labels, 3)):
        members = np.flatnonzero(labels == cluster)
        means = {unit: similarity[unit, members].mean() for unit in members}
        expected = sorted(means, key=lambda unit: -means[unit])[:3]
        assert units[units >= 0].tolist() == expected


def test_of_a_pair_the_first_unit_is_the_medoid() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        _, rows = unit_clusters(rng.normal(size=(40, 8)))
        assert typical(rows, np.repeat(np.arange(4), 2), 2).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def _slow_influence(kernel, route, activity, sources, targets, channels):  # type: ignore[no-untyped-def]
    found = np.zeros((targets.max() + 1, sources.max() + 1))
    for v, row in enumerate(kernel):
        for column, weight in enumerate(row):
            unit = route[column % channels]
            if unit >= 0:
                found[targets[v], sources[unit]] += abs(weight) * activity[unit]
            elif unit == MIXED:
                for u in range(len(activity)):
                    found[targets[v], sources[u]] += abs(weight) * activity[u] / len(activity)
    return found


def test_influence_is_the_sum_over_pairs_of_units() -> None:
    rng = np.random.default_rng(1)
    channels, positions = 5, 9
    kernel = rng.normal(size=(7, positions * channels))
    route = np.array([2, 0, ELSEWHERE, MIXED, 3])
    activity = rng.random(4)
    sources, targets = np.array([0, 1, 1, 0]), np.array([0, 1, 2, 0, 1, 2, 2])
    found = cluster_influence(channel_weights(kernel, channels), route, activity, sources, targets)
    np.testing.assert_allclose(found, _slow_influence(kernel, route, activity, sources, targets, channels))


def test_depthwise_and_grouped_kernels_read_their_own_channels() -> None:
    rng = np.random.default_rng(2)
    kernel = rng.normal(size=(6, 9))
    read = channel_weights(kernel, 3, depthwise=True)
    for unit in range(6):
        assert np.flatnonzero(read[unit]).tolist() == [unit // 2]
        assert read[unit].sum() == pytest.approx(np.abs(kernel[unit]).sum())
    grouped = grouped_channel_weights(rng.normal(size=(4, 9 * 3)), 6, 2)
    assert [np.flatnonzero(row).tolist() for row in grouped] == [[0, 1, 2]] * 2 + [[3, 4, 5]] * 2


def test_matching_has_the_largest_overlap_of_all_assignments() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        before, now = rng.integers(0, 4, 30), rng.integers(0, 5, 30)
        before[:4], now[:5] = range(4), range(5)
        known = Identities()
        first = known.of(before)
        names = known.of(now)
        overlap = jaccard(before, now)
        best = max(sum(overlap[i, p[i]] for i in range(4)) for p in itertools.permutations(range(5), 4))
        pairs = [(i, int(np.flatnonzero(names == first[i])[0])) for i in range(4) if first[i] in names]
        assert sum(overlap[i, j] for i, j in pairs) == pytest.approx(best)
        assert len(set(names)) == len(names)


def test_a_cluster_keeps_its_name_and_a_new_one_gets_a_new_name() -> None:
    known = Identities()
    assert known.of(np.array([0, 0, 1, 1, 2, 2])).tolist() == [0, 1, 2]
    assert known.of(np.array([1, 1, 0, 0, 2, 2])).tolist() == [1, 0, 2]
    assert known.of(np.array([0, 0, 1, 1, 2, 3])).tolist() == [0, 1, 2, 3]
    assert known.of(np.array([0, 0, 0, 0, 1, 1])).tolist()[0] in (0, 1)


@pytest.mark.parametrize("leaves", [MOST + 1, 20, 60])
@pytest.mark.parametrize("largest", range(2, 16))
def test_the_cut_leaves_four_to_twelve_clusters(leaves: int, largest: int) -> None:
    """The largest step is below the merge that leaves this many clusters, the second largest where 7 are left."""
    steps = np.full(leaves - 1, 0.01)
    for clusters, step in ((7, 0.5), (largest, 1.0)):
        if clusters < leaves:
            steps[leaves - clusters] = step
    heights = np.cumsum(steps)
    merges = np.column_stack([np.zeros((leaves - 1, 2)), heights, np.zeros(leaves - 1)])
    assert cut_at_gap(merges) == (largest if 4 <= largest <= 12 else 7)


def test_up_to_twelve_units_are_clusters_of_their_own() -> None:
    responses = np.random.default_rng(6).normal(size=(40, 13))
    responses[:, 2] = 5.0
    for units in (1, 11, 12):
        labels, rows = unit_clusters(responses[:, :units])
        assert labels.tolist() == list(range(units))
        assert rows.shape == (units, 40)
    labels, _ = unit_clusters(responses)
    assert np.flatnonzero(labels == labels.max()).tolist() == [2]
    assert unit_clusters(np.random.default_rng(7).normal(size=(40, 13)))[0].max() < 12


def test_units_beyond_those_that_are_compared_join_the_cluster_that_they_follow_most() -> None:
    rng = np.random.default_rng(8)
    signals = rng.normal(size=(60, 5))
    responses = signals[:, np.arange(700) % 5] + 0.8 * rng.normal(size=(60, 700))
    responses[:, 699] = 1.0
    labels, rows = unit_clusters(responses)
    assert labels[699] == labels.max()
    leaders = np.stack([signals[:, k] - signals[:, k].mean() for k in range(5)])
    nearest = (rows[:699] @ (leaders / np.linalg.norm(leaders, axis=1, keepdims=True)).T).argmax(axis=1)
    pairs = {(int(a), int(b)) for a, b in zip(nearest, labels[:699], strict=True)}
    assert len({b for _, b in pairs}) >= 4
    agree = max(np.mean([order[a] == b for a, b in zip(nearest, labels[:699], strict=True)])
                for order in itertools.permutations(range(5)))  # fmt: skip
    assert agree > 0.97


def test_clusters_with_fewer_units_than_are_wanted_are_filled_up() -> None:
    rows = np.eye(4)
    assert typical(rows, np.array([1, 0, 1, 1]), 4).tolist() == [[1, -1, -1, -1], [0, 2, 3, -1]]
    assert typical(rows[:0], np.zeros(0, int), 2).shape == (0, 2)


@pytest.mark.parametrize("seed", range(5))
def test_overlap_is_that_of_sets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, now = rng.integers(0, 6, 8), rng.integers(0, 4, 8)
    before[0], now[0] = 6, 5  # single units; some numbers may be free
    expected = np.zeros((7, 6))
    for i, j in itertools.product(range(7), range(6)):
        a, b = set(np.flatnonzero(before == i)), set(np.flatnonzero(now == j))
        expected[i, j] = len(a & b) / len(a | b) if a | b else 0
    np.testing.assert_allclose(jaccard(before, now), expected)
    nobody = np.zeros(0, int)
    assert jaccard(nobody, nobody).shape == (0, 0)


def test_names_after_a_change_of_the_layer() -> None:
    known = Identities()
    assert known.of(np.array([0, 0, 1])).tolist() == [0, 1]
    assert known.of(np.array([0, 0, 1, 1])).tolist() == [2, 3]  # another number of units
    assert known.of(np.array([1, 1, 0, 0])).tolist() == [3, 2]
    assert known.of(np.zeros(0, int)).tolist() == []
    assert known.of(np.array([0])).tolist() == [4]
    # An old cluster without units is paired with the one that is left over, and does not give it its name.
    known = Identities()
    assert known.of(np.array([0, 0, 2, 2])).tolist() == [0, 1, 2]
    assert sorted(known.of(np.array([0, 0, 1, 2]))) == [0, 2, 3]
    assert known.next_name == 4
