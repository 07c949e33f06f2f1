"""Fingers instead of a mouse, and readers who asked for no motion."""

from __future__ import annotations

import pytest

expect = pytest.importorskip("playwright.sync_api").expect


def test_a_tap_shows_the_number_and_a_second_one_opens_the_layer(made_server, open_tab):
    tab = open_tab(made_server, {"run": "faulty/cnndiag"}, width=768, has_touch=True)
    tab.find("#chart-layers").scroll_into_view_if_needed()
    strip = tab.find("#chart-layers canvas").first
    strip.tap(position={"x": 30, "y": 8})
    expect(tab.find(".tip")).to_be_visible()
    expect(tab.find(".tip")).to_contain_text("stem/conv")
    assert tab.parameters().get("screen") is None
    strip.tap(position={"x": 300, "y": 8})
    expect(tab.find(".tip")).to_contain_text("stem/conv")
    assert tab.parameters().get("screen") is None, "the number of another mark is shown first"
    strip.tap(position={"x": 300, "y": 8})
    expect(tab.find(".layer-heading h2")).to_contain_text("stem/conv")


def test_a_tap_elsewhere_puts_the_number_away(made_server, open_tab):
    tab = open_tab(made_server, {"run": "faulty/cnndiag"}, width=768, has_touch=True)
    tab.find("#chart-layers").scroll_into_view_if_needed()
    tab.find("#chart-layers canvas").first.tap(position={"x": 30, "y": 8})
    expect(tab.find(".tip")).to_be_visible()
    tab.find("#chart-layers h2").tap()
    expect(tab.find(".tip")).to_be_hidden()


def test_charts_of_a_layer_show_their_numbers_on_a_tap(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "layer", "layer": "stem/conv", "run": "faulty/cnndiag"}, has_touch=True)
    tab.draw_everything()
    for chart in (".heatmap canvas", "svg.lines", ".thumbnail canvas", "#chart-dead_units canvas"):
        tab.find(chart).first.tap(position={"x": 70, "y": 12} if chart == "svg.lines" else {"x": 9, "y": 9})
        expect(tab.find(".tip")).to_be_visible()
        assert tab.find(".tip-line").count() > 0, chart


def test_buttons_answer_to_the_first_tap(made_server, open_tab):
    tab = open_tab(made_server, {"run": "faulty/cnndiag"}, width=768, has_touch=True)
    tab.find("#chart-layers").scroll_into_view_if_needed()
    tab.find("[data-layer]").first.tap()
    expect(tab.find(".layer-heading h2")).to_contain_text("stem/conv")


def test_play_steps_through_the_snapshots_without_motion(made_server, open_tab):
    tab = open_tab(made_server, {"run": "faulty/cnndiag"}, reduced_motion="reduce")
    seen = tab.frame.evaluate("""() => new Promise((resolve) => {
        const steps = [];
        let moving = 0;
        const position = document.querySelector('.position b');
        new MutationObserver(() => {
            steps.push(position.textContent);
            moving += document.getAnimations().filter((one) => one.playState === 'running').length;
            if (steps.at(-1) === '400') resolve({ steps, moving });
        }).observe(position, { characterData: true, childList: true, subtree: true });
        document.querySelector("button[aria-label=Play]").click();
    })""")
    assert seen["steps"] == ["0", "50", "100", "150", "200", "250", "300", "350", "400"]
    assert seen["moving"] == 0
