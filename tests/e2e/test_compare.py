"""Several runs compared with a base."""

from __future__ import annotations

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


def test_findings_of_every_run_are_compared_with_the_base(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "compare", "run": "faulty/cnndiag"})
    rows = tab.find("#chart-compare_findings tbody tr")
    expect(rows).to_have_count(4)
    heads = tab.find("#chart-compare_findings thead th").all_inner_texts()
    assert [" ".join(head.split()) for head in heads] == ["Finding", "faulty base", "healthy 4 fixed", "short 4 fixed"]
    tab.find(".compare-choice select").select_option("healthy/cnndiag")
    expect(tab.find("#chart-compare_findings thead th").nth(2)).to_contain_text("4 new")
    assert tab.parameters()["run"] == "healthy/cnndiag"


def test_runs_to_compare_are_chosen_and_the_choice_is_in_the_link(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "compare", "run": "faulty/cnndiag"})
    expect(tab.find("#chart-compare_layers h3")).to_have_text(["faulty", "healthy", "short"])
    tab.find(".compare-choice .chip", has_text="healthy").click()
    expect(tab.find("#chart-compare_layers h3")).to_have_text(["faulty", "short"])
    assert tab.parameters()["against"] == "short/cnndiag"
    again = open_tab(made_server, tab.parameters())
    expect(again.find("#chart-compare_layers h3")).to_have_text(["faulty", "short"])
    assert again.find(".compare-choice input:checked").is_disabled(), "the last one must stay"


def test_the_difference_is_of_each_run_to_the_base(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "compare", "run": "faulty/cnndiag", "measure": "dead_units.dead_ratio"})
    tab.find(".toggle label", has_text="difference").click()
    expect(tab.find("#chart-compare_layers h3")).to_have_text(["healthy − faulty", "short − faulty"])
    values = tab.find("#chart-compare_layers .block-values").all_inner_texts()
    assert any("−100" in value for value in values), values
    tab.find("#chart-compare_layers button:text-is('Table')").click()
    expect(tab.find("#chart-compare_layers tbody tr")).to_have_count(10)


def test_a_layer_of_every_run_shares_one_cursor(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "compare", "layer": "body/conv_a", "run": "short/cnndiag"})
    expect(tab.find(".run-columns > .run-column")).to_have_count(3)
    # The base has 5 snapshots, the others 9: the axis is that of all.
    expect(tab.find(".position")).to_contain_text("snapshot 9 of 9")
    expect(tab.find(".run-columns > .run-column:has(svg.lines)")).to_have_count(3)
    tab.find(".run-columns .run-column").nth(1).locator("svg.lines").first.hover()
    expect(tab.find(".run-columns > .run-column:has(.cursor.hovering)")).to_have_count(3)
    positions = tab.frame.evaluate(
        "() => [...document.querySelectorAll('.run-columns > .run-column')].map((column) =>"
        " column.querySelector('.cursor.hovering')?.style.left)"
    )
    assert len(set(positions)) == 1
    assert positions[0]
    tab.find("body").click(position={"x": 2, "y": 300})
    tab.page.keyboard.press("ArrowLeft")
    tab.page.wait_for_url("**p.cnndiag.step=350*")


def test_a_run_without_the_layer_says_so(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "compare", "layer": "no/such", "run": "faulty/cnndiag"})
    expect(tab.find(".nothing")).to_have_text(["This run has no such layer."] * 3)


@pytest.mark.parametrize("width", [1400, 360])
def test_axe_finds_nothing(made_server, open_tab, width):
    for view in ({}, {"layer": "body/conv_a"}):
        tab = open_tab(made_server, {"screen": "compare", "run": "faulty/cnndiag", **view}, width=width)
        assert tab.violations() == []
        assert not tab.overflows()
