"""Images of units on the page of a unit, in the tab and in a report."""

from __future__ import annotations

import pytest

from tb_cnndiag import CNNDiagnostics
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


def test_what_the_budget_left_out_is_said(serve, open_tab, tmp_path):
    """Between snapshots nothing takes time here, so half a second is left: too little for images."""
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path / "run", probe=(x, y), verbose=0)])
    server = serve(tmp_path)
    tab = open_tab(server, {"screen": "unit", "layer": "second", "unit": "2", "run": "run/cnndiag"})
    synthetic = tab.find('section[aria-label="Synthetic image"]')
    expect(synthetic).to_contain_text("left out of 1 snapshot by the time budget")
    expect(synthetic).to_contain_text("tb-cnndiag visualize makes any at any time")
    tab.find("nav button", has_text="Samples").click()
    expect(tab.find("main")).to_contain_text("They were left out of 1 snapshot by the time budget")


def test_a_training_that_goes_on_shows_projections_of_the_patches_they_were_made_of(serve, open_tab, tmp_path):
    model, (x, y) = network(channels=3), labeled()
    model.compile("adam", "sparse_categorical_crossentropy")

    def fit():
        options = {"probe": (x, y), "budget": None, "verbose": 0, "diagnostics": ["top_patches", "probe_atlas"]}
        model.fit(x, y, epochs=1, verbose=0, callbacks=[CNNDiagnostics(tmp_path / "run", **options)])

    fit()
    visualize(model, (x, y), layers="second", units=[2], log_dir=tmp_path / "run")
    step = int(model.optimizer.iterations)
    fit()
    server = serve(tmp_path)
    address = {"screen": "unit", "layer": "second", "unit": "2", "run": "run/cnndiag"}
    for at, projections in ((step, 18), (2 * step, 0)):
        tab = open_tab(server, {**address, "step": str(at)})
        tab.draw_everything()
        expect(tab.find("#chart-unit-patches .unit-strong li").first).to_be_visible()
        expect(tab.find('canvas[aria-label$="deconvnet"], canvas[aria-label$="gradient"]')).to_have_count(projections)
        expect(tab.find('section[aria-label="Synthetic image"]')).to_contain_text(f"at step {step}")


def test_a_report_holds_the_images(logdir):
    page = report(logdir, 5)
    for tag in ("synthetic_images/second", "synthetic_responses/second", "projections/second"):
        assert f"cnndiag/{tag}" in page
