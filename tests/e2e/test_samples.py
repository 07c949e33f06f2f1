"""The screen of samples, in the tab and in a report."""

from __future__ import annotations

import pytest

from tb_cnndiag.recording.auditing import audit
from tb_cnndiag.report.html import report
from tests.unit_images.helpers import labeled, network

expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    home = tmp_path_factory.mktemp("samples") / "run"
    audit(network(channels=3), labeled(), home)
    return home.parent


def test_a_cell_of_the_confusion_matrix_opens_its_images(logdir, serve, open_tab):
    tab = open_tab(serve(logdir), {"screen": "samples", "run": "run/cnndiag"})
    images = tab.find(".samples > li")
    expect(images.first).to_contain_text("predicted")
    expect(images.first.locator("canvas")).to_have_count(5)
    expect(images.first).to_contain_text("trained layers")
    everything = images.count()
    tab.find(".confusion button").first.click()
    expect(tab.find('.confusion button[aria-pressed="true"]')).to_have_count(1)
    assert 0 < images.count() < everything


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (360, True)])
def test_axe_finds_nothing(logdir, serve, open_tab, width, dark):
    tab = open_tab(serve(logdir), {"screen": "samples", "run": "run/cnndiag"}, width=width, dark=dark)
    expect(tab.find(".samples > li").first).to_be_visible()
    assert tab.violations() == []
    assert not tab.overflows()


def test_a_report_holds_the_maps(logdir):
    assert "cnndiag/sample_maps" in report(logdir, 5)
