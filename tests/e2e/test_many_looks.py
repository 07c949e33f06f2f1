"""Logs with more looks and layers than a screen has room for."""

from __future__ import annotations

import re

import pytest

from benchmarks.synthetic_log import Size, write

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture(scope="module")
def long_server(serve, tmp_path_factory):
    logdir = tmp_path_factory.mktemp("long")
    write(logdir / "long", Size(layers=80, snapshots=300, heavy_snapshots=3))
    return serve(logdir)


def test_how_many_of_the_looks_are_shown_is_told(long_server, open_tab):
    tab = open_tab(long_server)
    expect(tab.find("#chart-layers header")).to_contain_text("showing 240 of 300 steps")
    expect(tab.find(".timebar")).to_contain_text("look 240 of 240 shown, of 300 taken")
    assert not tab.overflows()


def test_blocks_of_many_layers_start_folded_and_names_keep_their_end(long_server, open_tab):
    tab = open_tab(long_server, width=400)
    assert tab.find("[data-layer]").count() == 0
    last = tab.find(".block-name").last
    last.click()
    name = tab.find("[data-layer]").last
    assert re.fullmatch(r"conv2d_\d+", name.locator(".path").inner_text())
    assert name.get_attribute("data-layer").endswith(name.locator(".path").inner_text())
    # The end of a block's name is in sight, whatever its beginning is cut to.
    inner, outer = last.locator("bdi").bounding_box(), last.locator(".path").bounding_box()
    assert abs((inner["x"] + inner["width"]) - (outer["x"] + outer["width"])) <= 1
