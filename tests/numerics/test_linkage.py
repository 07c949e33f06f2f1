"""The tree of filters, checked against SciPy, scikit-learn and the definitions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import is_valid_linkage, leaves_list, linkage
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering

from tb_cnndiag.numerics.linkage import (
    FARTHEST,
    average_linkage,
    cut,
    effective_count,
    order_leaves,
    representatives,
    suggested_width,
)
from tb_cnndiag.numerics.similarity import cosine_similarity

pytestmark = pytest.mark.filterwarnings("error")

seeds = st.integers(0, 2**32 - 1)


def families(seed=0, sizes=(5, 3, 7, 1), fan_in=27, noise=0.2):
    """Noisy copies of a few directions, in random order, and the direction of each filter."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(len(sizes), fan_in))
    family = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    filters = centers[family] + noise * rng.normal(size=(len(family), fan_in))
    return filters.astype(np.float32), family


def tree(filters):
    cosine = cosine_similarity(filters)
    merges = average_linkage(cosine)
    return cosine, merges, order_leaves(merges, cosine)


def partition(groups):
    return {frozenset(np.flatnonzero(groups == group).tolist()) for group in np.unique(groups)}


def branches(merges):
    """Leaves below each node, by definition."""
    units = len(merges) + 1
    leaves = [[unit] for unit in range(units)]
    for first, second in merges[:, :2].astype(int):
        leaves.append(leaves[first] + leaves[second])
    return leaves


def neighbor_distance(cosine, order):
    return sum(1 - cosine[a, b] for a, b in pairwise(order))


@given(seeds)
def test_agrees_with_scipy(seed):
    filters, _ = families(seed)
    expected = linkage(pdist(filters.astype(float), "cosine"), "average")
    merges = average_linkage(cosine_similarity(filters))
    assert is_valid_linkage(merges)
    np.testing.assert_allclose(merges[:, 2], expected[:, 2], atol=1e-5)
    np.testing.assert_array_equal(merges[:, 3], expected[:, 3])


def test_agrees_with_scikit_learn_and_finds_the_families():
    filters, family = families(noise=0.1)
    cosine, merges, order = tree(filters)
    groups = cut(merges, 0.3, order)
    model = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=0.3)
    assert partition(groups) == partition(model.fit_predict(1 - cosine)) == partition(family)


@given(seeds)
def test_groups_are_unchanged_by_permutation(seed):
    filters, _ = families(seed)
    shuffled = np.random.default_rng(seed).permutation(len(filters))
    _, merges, order = tree(filters)
    _, merges_shuffled, order_shuffled = tree(filters[shuffled])
    groups = cut(merges_shuffled, 0.3, order_shuffled)
    np.testing.assert_allclose(merges_shuffled[:, 2], merges[:, 2], atol=1e-5)
    assert partition(cut(merges, 0.3, order)[shuffled]) == partition(groups)


def test_units_without_direction_join_last_and_come_last():
    filters, _ = families()
    filters[[2, 9]] = 0
    filters[4, 0] = np.nan
    cosine, merges, order = tree(filters)
    apart = [2, 4, 9]
    assert set(order[-3:]) == set(apart)
    assert (merges[-3:, 2] == FARTHEST).all()
    assert np.isfinite(merges).all()
    rest = np.delete(np.arange(len(filters)), apart)
    np.testing.assert_allclose(merges[:-3, 2], average_linkage(cosine[np.ix_(rest, rest)])[:, 2])
    groups = cut(merges, 1, order)
    assert all((groups == groups[unit]).sum() == 1 for unit in apart)


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("value", [0.0, np.nan, 1.0])
def test_degenerate_kernels_have_a_tree(units, value):
    cosine, merges, order = tree(np.full((units, 4), value))
    assert merges.shape == (units - 1, 4)
    assert sorted(order) == list(range(units))
    groups = cut(merges, 0.1, order)
    assert groups.max() + 1 == (1 if value == 1 else units)
    assert suggested_width(np.full((units, 4), value), cosine, groups).units == (1 if value == 1 else 0)


@given(seeds)
def test_the_branches_of_each_merge_meet_at_their_most_similar_ends(seed):
    filters, _ = families(seed)
    cosine, merges, order = tree(filters)
    position = np.argsort(order)
    leaves = branches(merges)
    for node in range(len(order), len(leaves)):
        first, second = (
            sorted(leaves[child], key=position.__getitem__) for child in merges[node - len(order), :2].astype(int)
        )
        if position[first[0]] > position[second[0]]:
            first, second = second, first
        assert position[second[0]] == position[first[-1]] + 1
        best = max(cosine[a, b] for a in (first[0], first[-1]) for b in (second[0], second[-1]))
        assert cosine[first[-1], second[0]] == best


def test_the_order_has_a_smaller_total_distance_than_that_of_scipy():
    for seed in range(20):
        filters, _ = families(seed, sizes=(10, 10, 10), noise=1)
        cosine, merges, order = tree(filters)
        assert neighbor_distance(cosine, order) < neighbor_distance(cosine, leaves_list(merges))


@given(seeds)
def test_an_earlier_order_is_kept(seed):
    cosine, merges, order = tree(families(seed)[0])
    np.testing.assert_array_equal(order_leaves(merges, cosine, ranks=np.argsort(order)), order)
    np.testing.assert_array_equal(order_leaves(merges, cosine, ranks=-np.argsort(order)), order[::-1])


@given(seeds)
def test_groups_are_numbered_in_leaf_order(seed):
    _, merges, order = tree(families(seed)[0])
    steps = np.diff(cut(merges, 0.4, order)[order])
    assert set(steps) <= {0, 1}


def test_effective_count_is_between_one_and_the_number_of_groups():
    assert effective_count(np.arange(7)) == pytest.approx(7)
    assert effective_count(np.zeros(7, int)) == pytest.approx(1)
    assert effective_count(np.array([0, 0, 1, 1])) == pytest.approx(2)
    assert 1 < effective_count(np.array([0, 0, 0, 1])) < 2


def test_the_representative_is_the_center_of_its_group():
    angles = np.radians([0, 10, 22, 90, 95])
    cosine = cosine_similarity(np.column_stack([np.cos(angles), np.sin(angles)]))
    chosen = representatives(cosine, np.array([0, 0, 0, 1, 1]))
    assert chosen[0] == 1
    assert chosen[1] in (3, 4)


def test_the_error_of_a_width_is_the_residual_of_a_least_squares_fit():
    filters, _ = families()
    cosine, merges, order = tree(filters)
    groups = cut(merges, 0.3, order)
    chosen = representatives(cosine, groups)
    lost = 0.0
    for unit, group in enumerate(groups):
        direction = filters[chosen[group]][:, None]
        scale, *_ = np.linalg.lstsq(direction, filters[unit], rcond=None)
        lost += np.sum((filters[unit] - direction @ scale) ** 2)
    width = suggested_width(filters, cosine, groups)
    assert width.units == 4
    assert width.error == pytest.approx(lost / np.sum(filters**2), rel=1e-4)


def test_removing_copies_has_no_error():
    filters = np.repeat(families()[0][:3], 4, axis=0)
    cosine, merges, order = tree(filters)
    width = suggested_width(filters, cosine, cut(merges, 0.001, order))
    assert width.units == 3
    assert width.error == pytest.approx(0, abs=1e-6)


def test_units_without_direction_cost_nothing_and_are_not_kept():
    filters, _ = families()
    _, merges, order = tree(filters)
    groups = cut(merges, 0.3, order)
    expected = suggested_width(filters, cosine_similarity(filters), groups)
    more = np.concatenate([filters, np.zeros((2, filters.shape[1])), np.full((1, filters.shape[1]), np.nan)])
    cosine, merges, order = tree(more.astype(np.float32))
    found = suggested_width(more, cosine, cut(merges, 0.3, order))
    assert found.units == expected.units
    assert found.error == pytest.approx(expected.error, rel=1e-5)


@given(seeds)
def test_representatives_are_most_similar_to_their_group(seed):
    rng = np.random.default_rng(seed)
    filters, groups = rng.normal(size=(14, 5)).astype(np.float32), rng.integers(0, 4, 14)
    groups[:4] = range(4)
    filters[rng.integers(14)] = 0
    cosine = cosine_similarity(filters)
    for group, unit in enumerate(representatives(cosine, groups)):
        members = np.flatnonzero(groups == group)
        assert unit in members
        total = {each: sum(0 if np.isnan(c) else c for c in cosine[each, members]) for each in members}
        if len(members) > 2:
            assert total[unit] == pytest.approx(max(total.values()), abs=1e-5)
        else:
            assert unit == members[0]


@given(seeds)
def test_the_effective_count_is_that_of_the_entropy(seed):
    groups = np.random.default_rng(seed).integers(0, 9, 20)
    shares = [np.mean(groups == group) for group in set(groups.tolist())]
    assert effective_count(groups) == pytest.approx(np.exp(-sum(p * np.log(p) for p in shares)))


def test_of_equally_similar_ends_the_branches_keep_their_order():
    merges = np.array([[0, 1, 0.0, 2], [2, 3, 0.0, 2], [4, 5, 0.0, 4]])
    assert order_leaves(merges, np.ones((4, 4))).tolist() == [0, 1, 2, 3]
    assert order_leaves(merges, np.ones((4, 4)), ranks=np.array([2, 2, 1, 1])).tolist() == [2, 3, 0, 1]
    assert order_leaves(merges, np.ones((4, 4)), ranks=np.array([5, 5, 5, 5])).tolist() == [0, 1, 2, 3]
    assert order_leaves(np.empty((0, 4)), np.ones((1, 1))).tolist() == [0]
    assert order_leaves(np.empty((0, 4)), np.ones((1, 1)), ranks=np.array([0])).tolist() == [0]


@pytest.mark.parametrize("known", [0, 1, 2, 5])
@pytest.mark.parametrize("apart", [1, 3])
def test_units_without_direction_join_at_the_distance_of_opposite_filters(known, apart):
    """One by one, behind the tree of the others; the sizes are those of SciPy's format."""
    filters = np.concatenate([np.zeros((apart, 6)), families(seed=3)[0][:known, :6]]).astype(np.float32)
    if known > 1:
        filters[-1] = -filters[-2]
    merges = average_linkage(cosine_similarity(filters))
    assert is_valid_linkage(merges) or not len(merges)
    leaves = branches(merges)
    assert [len(each) for each in leaves[known + apart :]] == merges[:, 3].tolist()
    joined = merges[max(known - 1, 0) :]
    assert len(joined) == (apart if known else apart - 1)
    opposite = average_linkage(np.array([[1.0, -1.0], [-1.0, 1.0]]))[0, 2]
    assert joined[:, 2].tolist() == [opposite] * len(joined)
    if known > 1:
        rest = average_linkage(cosine_similarity(filters[apart:]))
        np.testing.assert_allclose(merges[: known - 1, 2:], rest[:, 2:], atol=1e-6)
        tree_of_rest = [sorted(leaf + apart for leaf in each) for each in branches(rest)[known:]]
        assert [sorted(each) for each in leaves[known + apart : 2 * known + apart - 1]] == tree_of_rest
