"""The network map, driven by pointer and keys, against the layers of the made-up trainings."""

from __future__ import annotations

import re

import pytest

from tests.e2e.made_log import SHAPES

expect = pytest.importorskip("playwright.sync_api").expect
FAULTY = {"run": "faulty/cnndiag"}
APPLICATION = "[role=application][aria-label^='Network map']"


@pytest.fixture
def opened(made_server, open_tab):
    def open_(**view):
        tab = open_tab(made_server, {**FAULTY, **view})
        expect(tab.find(f"{APPLICATION} canvas")).to_be_visible()
        return tab

    return open_


def _tip(tab):
    return tab.find(".tip")


def test_the_map_is_the_first_figure_and_says_how_the_layers_are(opened):
    tab = opened()
    first = tab.find(".figure").first
    expect(first).to_have_attribute("id", "chart-map")
    expect(first.locator("header .note")).to_have_text(
        re.compile(r"^\d of 5 layers without a finding; the first since step \d+: ")
    )
    assert tab.violations() == []
    assert not tab.overflows()


def test_keys_read_the_nodes_in_network_order_and_open_a_layer(opened):
    tab = opened()
    tab.find(APPLICATION).focus()
    for path in SHAPES:
        tab.page.keyboard.press("ArrowRight")
        expect(_tip(tab).locator("strong")).to_have_text(path)
    tab.page.keyboard.press("Home")
    expect(_tip(tab)).to_contain_text("5 × 5")
    tab.page.keyboard.press("Enter")
    expect(tab.find(".layer-heading h2")).to_contain_text("stem/conv")


def test_blocks_fold_and_unfold_and_the_address_says_which(opened):
    tab = opened(unfolded="-")
    label = tab.find(f"{APPLICATION} canvas")
    expect(label).to_have_attribute("aria-label", "Network map of 5 layers in 4 nodes")
    tab.find(APPLICATION).focus()
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("ArrowRight")
    expect(_tip(tab).locator("strong")).to_have_text("body")
    tab.page.keyboard.press("Enter")
    expect(label).to_have_attribute("aria-label", "Network map of 5 layers in 5 nodes")
    assert tab.parameters()["unfolded"] == "body"
    tab.page.keyboard.press("Home")
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("Backspace")
    expect(label).to_have_attribute("aria-label", "Network map of 5 layers in 4 nodes")
    assert tab.parameters()["unfolded"] == "-"
    tab.find("button", has_text="Unfold all").click()
    expect(label).to_have_attribute("aria-label", "Network map of 5 layers in 5 nodes")
    assert tab.parameters()["unfolded"] == "*"


def test_the_table_lists_connections_and_findings(opened):
    tab = opened()
    tab.find("#chart-map header button", has_text="Table").click()
    rows = tab.find("#chart-map tbody tr")
    expect(rows).to_have_count(len(SHAPES))
    assert [row[0] for row in (r.split("\t") for r in rows.all_inner_texts())] == list(SHAPES)
    expect(rows.nth(2)).to_contain_text("body/conv_a")
    expect(rows.nth(2)).to_contain_text("since step")


def test_a_click_opens_the_layer_and_dragging_does_not(opened):
    tab = opened()
    canvas = tab.find(f"{APPLICATION} canvas")
    box = canvas.bounding_box()
    x, y = box["x"] + 80, box["y"] + 58
    tab.page.mouse.move(x, y)
    expect(_tip(tab).locator("strong")).to_have_text("stem/conv")
    tab.page.mouse.down()
    tab.page.mouse.move(x + 60, y + 20, steps=4)
    tab.page.mouse.up()
    expect(canvas).to_be_visible()
    tab.page.mouse.click(x, y)
    expect(tab.find(".layer-heading h2")).to_contain_text("stem/conv")


def test_the_map_can_be_downloaded(opened):
    tab = opened()
    tab.find("#chart-map details.menu summary").click()
    with tab.page.expect_download() as download:
        tab.find("#chart-map .menu-items button", has_text="Download SVG").click()
    assert download.value.suggested_filename == "map.svg"
