"""What a user does in the tab, done in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


def first_layer(tab) -> str:
    return tab.find("[data-layer]").first.get_attribute("data-layer")


def test_overview_shows_every_layer_and_what_was_found(demo_server, open_tab):
    tab = open_tab(demo_server)
    layers = {entry["layer"] for run in demo_server.runs() for entry in run["tags"] if entry["layer"]}
    shown = {row.get_attribute("data-layer") for row in tab.find("[data-layer]").all()}
    assert shown & layers
    assert tab.find("#chart-layers canvas").first.is_visible()
    assert tab.find("aside h2").inner_text().startswith("Findings")


def test_a_click_on_a_layer_opens_its_page(demo_server, open_tab):
    tab = open_tab(demo_server)
    layer = first_layer(tab)
    tab.find("[data-layer]").first.click()
    tab.ready()
    assert tab.find(".layer-heading h2").inner_text() == layer
    assert tab.parameters()["layer"] == layer
    tab.find(".figure").nth(1).wait_for()


def test_a_click_on_a_strip_goes_to_layer_and_step(demo_server, open_tab):
    tab = open_tab(demo_server)
    box = tab.find("#chart-layers canvas").first.bounding_box()
    tab.page.mouse.click(box["x"] + 3, box["y"] + 3)
    tab.ready()
    assert tab.parameters()["screen"] == "layer"
    assert tab.parameters()["step"] == "0"


def test_hovering_shows_the_number(demo_server, open_tab):
    tab = open_tab(demo_server)
    tab.find("#chart-layers canvas").first.hover(position={"x": 20, "y": 8})
    assert "step" in tab.find(".tip").inner_text()


def test_a_deep_link_comes_back(demo_server, open_tab):
    tab = open_tab(demo_server)
    layer = first_layer(tab)
    run = demo_server.runs()[-1]["id"]
    again = open_tab(demo_server, {"screen": "layer", "layer": layer, "run": run, "step": "1"})
    assert again.find(".layer-heading h2").inner_text() == layer
    assert again.parameters()["run"] == run


def test_the_whole_way_by_keyboard(demo_server, open_tab):
    tab = open_tab(demo_server)
    keyboard = tab.page.keyboard
    tab.find("body").click(position={"x": 2, "y": 300})
    before = tab.find(".position").inner_text()
    keyboard.press("ArrowLeft")
    expect(tab.find(".position")).not_to_have_text(before)
    keyboard.press("End")
    keyboard.press("j")
    keyboard.press("j")
    layer = tab.frame.evaluate("() => document.activeElement.dataset.layer")
    keyboard.press("Enter")
    expect(tab.find(".layer-heading h2")).to_have_text(layer)
    keyboard.press("k")
    expect(tab.find(".layer-heading h2")).not_to_have_text(layer)
    keyboard.press("?")
    expect(tab.find("dialog")).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("o")
    tab.find("[data-layer]").first.wait_for()


def test_it_plays_to_the_last_snapshot(demo_server, open_tab):
    tab = open_tab(demo_server)
    tab.find("button[aria-label=Play]").click()
    tab.find("button[aria-label=Pause]").wait_for()
    tab.find("button[aria-label=Play]").wait_for(timeout=30_000)
    assert tab.find("button[aria-label='Next snapshot']").is_disabled()


def test_the_theme_follows_tensorboard_live(demo_server, open_tab):
    tab = open_tab(demo_server)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = tab.frame.evaluate(ground)
    tab.page.evaluate("() => document.body.classList.add('dark-mode')")
    tab.page.wait_for_timeout(200)
    dark = tab.frame.evaluate(ground)
    assert dark != light
    tab.page.evaluate("() => document.body.classList.remove('dark-mode')")
    tab.page.wait_for_timeout(200)
    assert tab.frame.evaluate(ground) == light


@pytest.mark.parametrize(("action", "ending"), [("CSV", "csv"), ("JSON", "json"), ("PNG", "png"), ("SVG", "svg")])
def test_a_chart_can_be_taken_along(demo_server, open_tab, tmp_path, action, ending):
    tab = open_tab(demo_server)
    tab.find("#chart-layers .menu summary").click()
    with tab.page.expect_download() as download:
        tab.find(f"#chart-layers button:text-is('Download {action}')").click()
    target = Path(tmp_path / download.value.suggested_filename)
    download.value.save_as(target)
    assert target.suffix == f".{ending}"
    content = target.read_bytes()
    assert len(content) > 100
    if ending == "json":
        assert json.loads(content)
    if ending == "png":
        assert content.startswith(b"\x89PNG")


def test_every_chart_has_a_table(demo_server, open_tab):
    tab = open_tab(demo_server, {"screen": "layer", "layer": first_layer(open_tab(demo_server))})
    tab.page.wait_for_load_state("networkidle")  # a figure comes with its payload
    charts = [figure.get_attribute("id") for figure in tab.find(".figure").all()]
    assert len(charts) > 10
    for chart in charts:
        figure = tab.find(f"#{chart}")
        figure.locator("button:text-is('Table')").click()
        expect(figure.locator("table tbody tr").first).to_be_attached()


def test_the_tab_works_under_a_path_prefix(serve, demo_logdir, open_tab):
    server = serve(demo_logdir, "--path_prefix", "/some/prefix", runs=2, prefix="/some/prefix/")
    open_tab(server).find("[data-layer]").first.wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 360])
@pytest.mark.parametrize("screen", ["overview", "layer", "relations", "compare"])
def test_axe_finds_nothing(demo_server, open_tab, tmp_path, screen, width, dark):
    view = {"screen": screen}
    if screen == "layer":
        view["layer"] = next(entry["layer"] for entry in demo_server.runs()[0]["tags"] if entry["layer"])
    tab = open_tab(demo_server, view, width=width, dark=dark)
    tab.page.screenshot(path=tmp_path / f"{screen}.png")
    assert tab.violations() == []
    assert not tab.overflows()
