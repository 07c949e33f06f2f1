"""Pictures of filters and feature maps, against what the log holds."""

from __future__ import annotations

import pytest

from tb_cnndiag.payloads import UnitState
from tb_cnndiag.summaries.reader import read_run
from tests.e2e.made_log import write

expect = pytest.importorskip("playwright.sync_api").expect
LAYER = "stem/conv"


@pytest.fixture(scope="module")
def latest(tmp_path_factory):
    """The latest payloads of the layer, by diagnostic."""
    logdir = tmp_path_factory.mktemp("gallery")
    write(logdir)
    run = read_run(logdir / "faulty" / "cnndiag")
    return {measurement.diagnostic: measurement.payload for measurement in run if measurement.layer == LAYER}


@pytest.fixture
def page(made_server, open_tab):
    tab = open_tab(made_server, {"screen": "layer", "layer": LAYER, "run": "faulty/cnndiag"})
    tab.draw_everything()
    expect(tab.find("#chart-feature_maps .thumbnail").first).to_be_visible()
    return tab


def test_filters_are_in_the_order_of_the_tree_and_dead_ones_are_named(page, latest):
    order = [int(unit) for unit in latest["filter_clusters"].order]
    names = page.find("#chart-filter_images figcaption").all_inner_texts()
    assert names == [f"filter {unit}" for unit in order]
    dead = {unit for unit, state in enumerate(latest["dead_units"].states) if state == UnitState.DEAD}
    assert dead
    labels = [canvas.get_attribute("aria-label") for canvas in page.find("#chart-filter_images canvas").all()]
    assert labels == [f"filter {unit}{', dead' if unit in dead else ''}" for unit in order]


def test_a_filter_is_drawn_in_its_colors(page, latest):
    alive = next(
        image for image in latest["filter_images"].images if latest["dead_units"].states[image.unit] == UnitState.ALIVE
    )
    canvas = page.find(f"#chart-filter_images canvas[aria-label='filter {alive.unit}']")
    height, width, _ = alive.pixels.shape
    middle = """(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(
        Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data]"""
    for row, column in ((0, 0), (2, 3), (4, 4)):
        shown = canvas.evaluate(middle, [(column + 0.5) / width, (row + 0.5) / height])
        assert shown == [*alive.pixels[row, column].tolist(), 255]


def test_feature_maps_are_next_to_their_image(page, latest):
    rows = page.find("#chart-feature_maps .picture-rows")
    expect(rows).to_have_count(2)
    for sample in range(2):
        expect(rows.nth(sample).locator("figcaption").first).to_have_text(f"image {sample}")
        captions = rows.nth(sample).locator("figcaption").all_inner_texts()
        units = {f"filter {image.unit}" for image in latest["feature_maps"].images if image.sample == sample}
        assert set(captions[1:]) == units
    expect(page.find("#chart-feature_maps .note").last).to_have_text("showing 6 of 12 filters, evenly spaced")
