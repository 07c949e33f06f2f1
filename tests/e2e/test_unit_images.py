"""Images of units on the page of a unit, in the tab and in a report."""

from __future__ import annotations

import pytest

from tb_cnndiag.recording.visualizing import visualize
from tb_cnndiag.report.html import report
from tests.unit_images.helpers import labeled, network

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    home = tmp_path_factory.mktemp("images") / "run"
    visualize(network(channels=3), labeled(), log_dir=home)
    return home.parent


def test_projections_lie_below_patches_and_the_synthetic_image_after_them(logdir, serve, open_tab):
    tab = open_tab(serve(logdir), {"screen": "unit", "layer": "second", "unit": "2", "run": "run/cnndiag"})
    tab.draw_everything()
    expect(tab.find("#chart-unit-patches .unit-strong li")).to_have_count(9)
    labels = tab.find('canvas[aria-label$="deconvnet"], canvas[aria-label$="gradient"]')
    expect(labels).to_have_count(18)
    synthetic = tab.find('section[aria-label="Synthetic image"]')
    expect(synthetic.locator("canvas").first).to_be_visible()
    expect(synthetic).to_contain_text("× the best natural patch")
    expect(tab.find('section[aria-label="Top patches"] ~ section[aria-label="Synthetic image"]')).to_have_count(1)


def test_a_report_holds_the_images(logdir):
    page = report(logdir, 5)
    for tag in ("synthetic_images/second", "synthetic_responses/second", "projections/second"):
        assert f"cnndiag/{tag}" in page
