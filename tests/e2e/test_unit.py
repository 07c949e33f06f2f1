"""The page of a unit, against what the log holds."""

from __future__ import annotations

import numpy as np
import pytest

from tb_cnndiag.summaries.reader import read_run
from tests.e2e.made_images import BOXED, SEES_ALL
from tests.e2e.made_log import layer_table, write

expect = pytest.importorskip("playwright.sync_api").expect
LAYER, UNIT = "body/conv_a", 7
ADDRESS = {"screen": "unit", "layer": LAYER, "unit": str(UNIT), "run": "healthy/cnndiag"}


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The messages about the layer, by diagnostic, in order; and those about all layers."""
    logdir = tmp_path_factory.mktemp("unit")
    write(logdir)
    found: dict[str, list] = {}
    for measurement in read_run(logdir / "healthy" / "cnndiag"):
        if measurement.layer == LAYER or measurement.diagnostic in ("probe_atlas", "unit_clusters"):
            found.setdefault(measurement.diagnostic, []).append(measurement.payload)
    return found


@pytest.fixture
def page(made_server, open_tab):
    tab = open_tab(made_server, ADDRESS)
    expect(tab.find("#chart-unit-patches .unit-strong li")).to_have_count(9)
    return tab


def test_an_address_leads_to_the_unit_and_its_strongest_images(page, logged):
    patches, atlas = logged["top_patches"][-1], logged["probe_atlas"][0]
    captions = page.find("#chart-unit-patches .unit-strong .note").all_inner_texts()
    shown = [caption.split(" · ")[1:] for caption in captions]
    assert shown == [[f"image {i}", f"class {atlas.labels[i]}"] for i in patches.images[UNIT]]


def test_a_patch_shows_the_pixels_that_the_unit_sees(page, logged):
    patches = logged["top_patches"][-1]
    image, position = int(patches.images[UNIT][0]), int(patches.positions[UNIT][0])
    top, left = (2 * at - 4 for at in divmod(position, 12))  # size 9, stride 2, padding 4
    y, x = np.mgrid[-1:1:24j, -1:1:24j]
    angle = np.linspace(0, np.pi, 64)[image]
    bar = np.abs(np.cos(angle) * x + np.sin(angle) * y) < 0.3
    canvas = page.find("#chart-unit-patches .unit-strong canvas").first
    for row in range(9):
        for column in range(9):
            if not (0 <= top + row < 24 and 0 <= left + column < 24):
                continue
            color = canvas.evaluate(
                """(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(
                    Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data]""",
                [(column + 0.5) / 9, (row + 0.5) / 9],
            )
            assert (max(color[:3]) > 100) == bar[top + row, left + column]


def test_keys_and_buttons_move_between_units_and_layers(page):
    heading = page.find(".layer-heading h2")
    heading.click()
    page.page.keyboard.press("n")
    expect(heading).to_have_text(f"filter {UNIT + 1}")
    page.page.keyboard.press("p")
    expect(heading).to_have_text(f"filter {UNIT}")
    page.page.keyboard.press("j")
    expect(page.find(".layer-heading .crumbs")).to_contain_text("body/conv_b")
    expect(heading).to_have_text("filter 0")
    page.find("#chart-unit-relatives").scroll_into_view_if_needed()
    page.find(".unit-relatives button").first.click()
    expect(heading).not_to_have_text("filter 0")


def test_connections_are_the_strongest_of_the_cluster_and_lead_to_its_units(page, logged):
    graph = logged["unit_clusters"][-1]
    row = [layer.path for layer in layer_table()].index(LAYER)
    start = int(np.flatnonzero(graph.rows == row)[0])
    own = start + int(graph.members[list(dict.fromkeys(graph.rows)).index(row)][UNIT])
    total = np.bincount(graph.targets, graph.weights)
    from_own = graph.sources == own
    expected = np.sort(graph.weights[from_own] / total[graph.targets[from_own]])[::-1][:4]
    page.draw_everything()
    shown = page.find("[aria-label='Drives'] .unit-connection-share")
    expect(shown).to_have_count(len(expected))
    shares = [float(text.split("%")[0]) / 100 for text in shown.all_inner_texts()]
    np.testing.assert_allclose(shares, expected, rtol=0.01)
    page.find("[aria-label='Drives'] button").first.click()
    expect(page.find(".layer-heading .crumbs")).not_to_contain_text(LAYER)


def test_units_are_reached_from_the_page_of_their_layer(made_server, open_tab):
    address = {"screen": "layer", "layer": LAYER, "run": "healthy/cnndiag"}
    tab = open_tab(made_server, address)
    tab.draw_everything()
    tab.find("#chart-top_patches .patch-unit").first.click()
    expect(tab.find("#chart-unit-patches .unit-strong li").first).to_be_visible()
    tab = open_tab(made_server, address)
    tab.find("#chart-filter_similarity .heatmap canvas").click(position={"x": 30, "y": 90})
    tab.find("#chart-filter_similarity .clustermap-panel [role=group] button").first.click()
    expect(tab.find("#chart-unit-patches .unit-strong li").first).to_be_visible()


def test_a_step_shows_its_patches_and_growth_leads_to_it(page, logged):
    page.draw_everything()
    steps = page.find(".unit-growth button")
    expect(steps).to_have_count(len(logged["top_patches"]))
    steps.first.click()
    expect(steps.first).to_have_attribute("aria-current", "step")
    first = logged["top_patches"][0]
    expect(page.find("#chart-unit-patches .unit-strong .note").first).to_contain_text(f"image {first.images[UNIT][0]}")


def test_the_best_match_in_another_run_has_the_largest_cosine(made_server, open_tab, tmp_path):
    write(tmp_path)
    weights = []
    for run in ("healthy", "short"):
        logged = [m for m in read_run(tmp_path / run / "cnndiag") if m.layer == LAYER]
        patches = [m.payload for m in logged if m.diagnostic == "top_patches"][-1]
        responses = np.zeros((len(patches.images), patches.samples))
        for unit, (images, values) in enumerate(zip(patches.images, patches.values, strict=True)):
            responses[unit, images[images >= 0]] = values[images >= 0]
        weights.append(responses / np.maximum(np.linalg.norm(responses, axis=1, keepdims=True), 1e-9))
    cosine = weights[1] @ weights[0][UNIT]
    tab = open_tab(made_server, {**ADDRESS, "against": "short/cnndiag"})
    tab.find("#chart-unit-runs").scroll_into_view_if_needed()
    best = tab.find("#chart-unit-runs button", has_text="best match")
    expect(best).to_contain_text(f"filter {cosine.argmax()},")
    expect(best).to_contain_text(f"cosine {cosine.max():.3g}")
    best.click()
    expect(tab.find(".layer-heading h2")).to_have_text(f"filter {cosine.argmax()}")
    assert tab.parameters()["run"] == "short/cnndiag"


def test_synthetic_images_of_two_runs_stand_next_to_each_other(made_server, open_tab):
    tab = open_tab(made_server, {**ADDRESS, "against": "short/cnndiag\nfaulty/cnndiag"})
    tab.find("#chart-unit-runs").scroll_into_view_if_needed()
    same = tab.find("#chart-unit-runs button", has_text="same number").filter(has=tab.find(".synthetic-pair"))
    expect(same).to_have_count(1)  # the faulty run has none
    labels = [f"synthetic image of filter {UNIT} of {run}" for run in ("healthy", "short")]
    for label in labels:
        expect(same.locator(f'canvas[aria-label="{label}"]')).to_be_visible()


def test_a_collapsed_output_shows_images_that_get_the_same_answer(made_server, open_tab, tmp_path):
    write(tmp_path)
    messages = list(read_run(tmp_path / "faulty" / "cnndiag"))
    head = {m.diagnostic: m.payload for m in messages if m.layer == "classes"}
    (atlas,) = [m.payload for m in messages if m.diagnostic == "probe_atlas"]
    predicted = int(np.nansum(head["model_output"].values, axis=0).argmax())
    patches = head["top_patches"]
    tab = open_tab(made_server, {"run": "faulty/cnndiag"})
    card = tab.find("li.finding", has_text="Collapsed output").last
    card.locator("summary").first.click()
    tab.draw_everything()
    expect(card.locator(".finding-images li")).to_have_count(9)
    expect(card.locator(".finding-images p")).to_contain_text(f"takes for class {predicted}")
    shown = [text.split()[:2] for text in card.locator(".finding-images li .note").all_inner_texts()]
    assert shown == [["class", str(atlas.labels[image])] for image in patches.images[predicted]]


def test_a_unit_that_does_not_exist_is_said(made_server, open_tab):
    tab = open_tab(made_server, {**ADDRESS, "unit": "999"})
    expect(tab.find(".notice")).to_contain_text("has 24 units")


def test_a_unit_shows_its_density_or_why_it_has_none(page, made_server, open_tab, logged):
    (densities,) = logged["unit_densities"]
    share = densities.densities[densities.units.tolist().index(UNIT)].atoms[0].mass
    chart = page.find("#chart-unit-density")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("svg.ridges")).to_have_attribute("aria-label", f"Density of filter {UNIT}")
    assert float(chart.locator(".ridge text").last.text_content().split()[0]) == pytest.approx(100 * share, rel=0.01)
    tab = open_tab(made_server, {**ADDRESS, "unit": "8"})
    tab.draw_everything()
    expect(tab.find("#chart-unit-density")).to_contain_text("this is not one of them")
    tab = open_tab(made_server, {**ADDRESS, "run": "faulty/cnndiag"})
    tab.draw_everything()
    expect(tab.find("#chart-unit-density")).to_contain_text("This log has no densities of single units")


def test_a_neuron_that_sees_whole_images_has_the_box_of_its_gradient(made_server, open_tab, tmp_path):
    write(tmp_path)
    messages = list(read_run(tmp_path / "healthy" / "cnndiag"))
    (boxes,) = [m.payload for m in messages if m.diagnostic == "gradient_boxes"]
    tab = open_tab(made_server, {**ADDRESS, "layer": SEES_ALL, "unit": str(BOXED[1])})
    rows = tab.find("#chart-unit-patches .unit-strong li")
    count = int((boxes.images[BOXED[1]] >= 0).sum())
    assert count
    expect(rows).to_have_count(count)
    expect(tab.find("#chart-unit-patches")).to_contain_text("It is an estimate")
    framed = tab.find('#chart-unit-patches canvas[aria-label$="the part that holds 95 % of the gradient"]')
    expect(framed).to_have_count(count)
    expect(tab.find('#chart-unit-patches canvas[aria-label$=", whole"]')).to_have_count(count)
    *_, height, width = boxes.boxes[BOXED[1], 0]
    size = framed.first.bounding_box()
    assert size["width"] / size["height"] == pytest.approx(width / height, rel=0.05)
    tab = open_tab(made_server, {**ADDRESS, "layer": SEES_ALL, "unit": "1"})
    expect(tab.find("#chart-unit-patches")).to_contain_text("cut out where it sees them")
    expect(tab.find('#chart-unit-patches canvas[aria-label$=", whole"]')).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(made_server, open_tab, width, dark):
    tab = open_tab(made_server, ADDRESS, width=width, dark=dark)
    expect(tab.find("#chart-unit-patches .unit-strong li")).to_have_count(9)
    assert tab.violations() == []
    assert not tab.overflows()
