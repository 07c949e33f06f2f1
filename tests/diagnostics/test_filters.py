"""Diagnostics of a kernel's filters: similarity, clusters, rank and weights."""

from __future__ import annotations

import functools
import gc

import numpy as np
import pytest

from tb_cnndiag.diagnostics import filter_tree
from tb_cnndiag.diagnostics.filter_clusters import FilterClusters
from tb_cnndiag.diagnostics.filter_similarity import FilterSimilarity
from tb_cnndiag.diagnostics.kernel_rank import KernelRank
from tb_cnndiag.diagnostics.weight_health import WeightHealth
from tb_cnndiag.numerics.wide import sample_of
from tb_cnndiag.payloads import Dendrogram
from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tests.diagnostics.helpers import filters, layer_snapshot

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def half_twins():
    """Twelve filters; the last six are copies of the first six at another scale."""
    kernel = filters(12)
    kernel[6:] = 3 * kernel[:6]
    return kernel


def test_twins_are_counted_and_drawn_next_to_each_other(half_twins):
    result = FilterSimilarity().measure(layer_snapshot(kernel=half_twins))
    assert result.values["twin_ratio"] == 1
    assert result.values["flipped_ratio"] == 0
    assert result.payload.unit == "cosine"
    position = np.argsort(result.payload.order)
    np.testing.assert_array_equal(abs(position[:6] - position[6:]), 1)
    np.testing.assert_allclose(result.payload.values.diagonal(), 1)


def test_folded_filters_differ_by_their_bias_and_scale(half_twins):
    bias = np.repeat([1.0, -300.0], 6).astype(np.float32)
    snapshot = layer_snapshot(kernel=half_twins, bias=bias, norm_scale=np.full(12, 2.0, np.float32))
    assert FilterSimilarity().measure(snapshot).values["twin_ratio"] == 1
    folded = FilterSimilarity(fold=True).measure(snapshot)
    rows = 2 * np.concatenate([half_twins, bias[:, None]], axis=1)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = np.abs(rows @ rows.T)[~np.eye(12, dtype=bool)]
    assert folded.values["mean_similarity"] == pytest.approx(cosines.mean(), rel=1e-5)
    assert FilterClusters(fold=True).measure(snapshot).values["clusters"] != 6


def test_units_keep_their_order_from_the_first_snapshot(rng):
    kernel = filters(30)
    similarity, clusters = FilterSimilarity(), FilterClusters()
    first = layer_snapshot(kernel=kernel)
    orders = [clusters.measure(first).payload.order, similarity.measure(first).payload.order]
    np.testing.assert_array_equal(*orders)
    for _ in range(3):
        kernel = kernel + rng.normal(0, 1e-4, kernel.shape).astype(np.float32)
        snapshot = layer_snapshot(kernel=kernel)
        np.testing.assert_array_equal(similarity.measure(snapshot).payload.order, orders[0])
        np.testing.assert_array_equal(clusters.measure(snapshot).payload.order, orders[0])


def test_each_pair_of_twins_is_one_group_and_needs_only_one_filter(half_twins):
    result = FilterClusters().measure(layer_snapshot(kernel=half_twins))
    assert result.values["clusters"] == result.values["suggested_width"] == 6
    assert result.values["effective_filters"] == pytest.approx(0.5)
    assert result.values["reconstruction_error"] == pytest.approx(0, abs=1e-6)
    np.testing.assert_array_equal(result.payload.groups[:6], result.payload.groups[6:])
    assert (np.diff(result.payload.heights) >= 0).all()


def test_random_filters_are_all_different():
    snapshot = layer_snapshot(kernel=filters(64))
    assert FilterSimilarity().measure(snapshot).values["twin_ratio"] == 0
    assert FilterClusters().measure(snapshot).values["effective_filters"] == pytest.approx(1)


@pytest.mark.parametrize("diagnostic", [FilterSimilarity, FilterClusters])
def test_if_chance_alone_gives_twins_nothing_is_counted_but_the_payload_stays(diagnostic):
    result = diagnostic().measure(layer_snapshot(kernel=filters(64, fan_in=2)))
    assert not {"twin_ratio", "flipped_ratio", "clusters", "suggested_width"} & result.values.keys()
    assert result.payload is not None


@pytest.mark.parametrize("diagnostic", [FilterSimilarity, FilterClusters])
@pytest.mark.parametrize("kernel", [np.zeros((4, 9)), np.full((4, 9), np.nan), np.ones((3, 5)), filters(2)])
def test_degenerate_kernels_have_a_payload(diagnostic, kernel):
    assert diagnostic().measure(layer_snapshot(kernel=kernel.astype(np.float32))).payload is not None


def test_a_single_filter_has_no_result():
    for diagnostic in FilterSimilarity(), FilterClusters():
        result = diagnostic.measure(layer_snapshot(kernel=filters(1)))
        assert not result.values
        assert result.payload is None


def test_the_matrix_of_a_wide_layer_is_pooled():
    payload = FilterSimilarity().measure(layer_snapshot(kernel=filters(300))).payload
    assert payload.values.shape == (100, 100)
    assert payload.pool == 3
    assert sorted(payload.order) == list(range(300))


def test_a_sample_of_the_filters_is_drawn_but_not_counted():
    result = FilterSimilarity(sample=50).measure(layer_snapshot(kernel=filters(300)))
    assert not result.values
    assert len(result.payload.order) == 50
    assert result.payload.order.max() == 299
    assert FilterSimilarity(sample=300).measure(layer_snapshot(kernel=filters(300))).values


def test_the_tree_is_built_once_per_kernel_and_released_with_it():
    kernel = filters()
    first = filter_tree.filter_tree(kernel)
    assert filter_tree.filter_tree(kernel) is first
    assert filter_tree.filter_tree(kernel.copy()) is not first
    cached = len(filter_tree._trees)
    del kernel
    gc.collect()
    assert len(filter_tree._trees) < cached


def test_mixtures_of_few_filters_have_a_low_rank():
    mixed = filters(24, 3, seed=1) @ filters(3, 40, seed=2)
    full, low = (KernelRank().measure(layer_snapshot(kernel=kernel)).values for kernel in (filters(24, 40), mixed))
    assert low["entropy_rank"] < 3.1 / 24 < full["entropy_rank"]
    assert low["stable_rank"] < full["stable_rank"] <= 1
    assert not KernelRank().measure(layer_snapshot(kernel=filters(1))).values


def test_constant_zero_and_non_finite_weights_are_counted():
    kernel = filters(10, 100) * np.float32(0.1)
    kernel[0] = 0
    kernel[1] = 7
    healthy = WeightHealth().measure(layer_snapshot(kernel=filters(10, 100) * np.float32(0.1))).values
    assert healthy["gain"] == pytest.approx(1, rel=0.1)
    assert healthy["non_finite"] == healthy["constant_ratio"] == healthy["zero_share"] == 0
    values = WeightHealth().measure(layer_snapshot(kernel=kernel)).values
    assert values["constant_ratio"] == 0.2
    assert values["zero_share"] == pytest.approx(0.1)
    kernel[3, :2] = np.nan, np.inf
    values = WeightHealth().measure(layer_snapshot(kernel=kernel)).values
    assert values["non_finite"] == 2
    assert np.isnan(values["rms"])


def test_a_wide_layer_is_a_sample_with_exact_counts(rng, monkeypatch):
    kernel = rng.normal(size=(120, 30)).astype(np.float32)
    kernel[5] = kernel[100]
    kernel[7] = -kernel[8]
    kernel[20:24] = kernel[20] + 0.01 * rng.normal(size=(4, 30))
    exact = [kind().measure(layer_snapshot(kernel=kernel)).values for kind in (FilterSimilarity, FilterClusters)]
    monkeypatch.setattr("tb_cnndiag.diagnostics.filter_tree.WIDEST", 40)
    monkeypatch.setattr("tb_cnndiag.diagnostics.filter_tree.sample_of", functools.partial(sample_of, size=40))
    snapshot = layer_snapshot(kernel=kernel.copy())
    similarity, clusters = FilterSimilarity().measure(snapshot), FilterClusters().measure(snapshot)
    for name in ("twin_ratio", "flipped_ratio"):
        assert similarity.values[name] == exact[0][name] > 0
    assert similarity.values["mean_similarity"] == pytest.approx(exact[0]["mean_similarity"], rel=0.2)
    for name in ("clusters", "suggested_width"):
        assert clusters.values[name] == exact[1][name]
    assert clusters.values["effective_filters"] == pytest.approx(exact[1]["effective_filters"], rel=1e-5)
    tree = clusters.payload
    assert isinstance(tree, Dendrogram)
    assert tree.sample is not None
    assert {5, 100, 20, 21, 22, 23} <= set(tree.sample.tolist())
    groups = dict(zip(tree.sample.tolist(), tree.groups.tolist(), strict=True))
    assert groups[5] == groups[100] != groups[20] == groups[23]
    np.testing.assert_array_equal(similarity.payload.order, tree.sample[tree.order])
    measurement = Measurement("filter_clusters", 1, 0, tree)
    decoded = decode(encode(measurement))
    assert decoded is not None
    np.testing.assert_array_equal(decoded.payload.sample, tree.sample)
    np.testing.assert_array_equal(decoded.payload.groups, tree.groups)
    np.testing.assert_array_equal(decoded.payload.order, tree.order)
