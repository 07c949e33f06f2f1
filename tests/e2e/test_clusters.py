"""Clusters of units and what connects them, in a real tab."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.summaries.reader import read_run
from tests.e2e.made_log import layer_table, write

expect = pytest.importorskip("playwright.sync_api").expect

ADDRESS = {"screen": "relations", "run": "healthy/cnndiag"}


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("clusters")
    write(logdir)
    run = read_run(logdir / "healthy" / "cnndiag")
    return [each.payload for each in run if each.diagnostic == "unit_clusters"][-1]


@pytest.fixture
def chart(made_server, open_tab):
    tab = open_tab(made_server, ADDRESS)
    expect(tab.find("#chart-unit_clusters .cluster, #unit_clusters .cluster").first).to_be_visible()
    return tab


def test_each_cluster_stands_in_the_column_of_its_layer(chart, graph):
    paths = [layer.path for layer in layer_table()]
    shown = {cluster.get_attribute("data-cluster") for cluster in chart.find(".cluster").all()}
    assert shown == {f"{paths[row]} {name}" for row, name in zip(graph.rows, graph.names, strict=True)}
    sizes = {
        cluster.get_attribute("data-cluster"): int(cluster.locator(".cluster-size").inner_text())
        for cluster in chart.find(".cluster").all()
    }
    start = 0
    for row, members in zip(dict.fromkeys(graph.rows), graph.members, strict=True):
        for node in range(members.max() + 1):
            assert sizes[f"{paths[row]} {graph.names[start + node]}"] == np.sum(members == node)
        start += members.max() + 1


def test_a_click_keeps_a_path_and_a_second_one_releases_it(chart):
    faint = ".cluster[style*='opacity: 0.18']"
    assert chart.find(faint).count() == 0
    one = chart.find(".cluster").nth(6)
    one.click()
    expect(one).to_have_attribute("aria-pressed", "true")
    expect(chart.find(faint).first).to_be_attached()
    chart.find("button:text-is('Release the path')").click()
    chart.page.mouse.move(2, 2)
    expect(chart.find(faint)).to_have_count(0)


def test_what_leads_to_a_class(chart, graph):
    chart.find("label:has-text('What leads to') select").select_option("2")
    expect(chart.find("#unit_clusters, #chart-unit_clusters")).to_contain_text("mean response to class 2")
    strongest = chart.find(".cluster:not([style*='opacity: 0.18'])")
    assert 0 < strongest.count() < len(graph.rows)


def test_clusters_have_counterparts_in_another_run(chart):
    chart.find("label:has-text('Match with') select").select_option("short/cnndiag")
    expect(chart.find("#unit_clusters, #chart-unit_clusters")).to_contain_text("match")


def test_a_comparison_matches_clusters_with_the_first_other_run(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "compare", "run": "healthy/cnndiag", "against": "short/cnndiag"})
    tab.draw_everything()
    expect(tab.find("label:has-text('Match with') select")).to_have_value("short/cnndiag")
    expect(tab.find("#unit_clusters, #chart-unit_clusters")).to_contain_text("match")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 360])
def test_axe_finds_nothing_and_dead_clusters_are_named(made_server, open_tab, width, dark):
    tab = open_tab(made_server, {**ADDRESS, "run": "faulty/cnndiag"}, width=width, dark=dark)
    tab.find("summary:has-text('What stands out')").click()
    expect(tab.find(".cluster-notes").first).to_contain_text("never fire")
    assert tab.violations() == []
    assert not tab.overflows()
