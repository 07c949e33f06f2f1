"""Logs that grow while the tab is open, and pages that hold TensorBoard."""

from __future__ import annotations

from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tb_cnndiag.payloads import Scalars
from tb_cnndiag.summaries.codec import Measurement, encode
from tb_cnndiag.summaries.writer import SnapshotWriter
from tests.e2e.made_log import Writing

expect = pytest.importorskip("playwright.sync_api").expect


def reload(tab, until) -> None:
    """Press TensorBoard's reload until the server has read what is new."""
    for _ in range(15):
        tab.page.locator("button[title='Reload'], button.reload-button").first.click()
        tab.page.wait_for_timeout(1000)
        if until():
            return
    pytest.fail("What was written did not appear.")


def test_a_run_still_training_grows_at_reload_and_the_view_stays(serve, open_tab, tmp_path):
    with Writing(tmp_path, "run") as training:
        training.snapshots(3)
        tab = open_tab(serve(tmp_path, "--reload_interval", "1"))
        assert "snapshot 3 of 3" in " ".join(tab.find(".position").inner_text().split())
        training.snapshots(2)
        reload(tab, lambda: "of 5" in tab.find(".position").inner_text())
        assert "snapshot 5 of 5" in " ".join(tab.find(".position").inner_text().split()), (
            "it follows the latest snapshot"
        )
        tab.find("body").click(position={"x": 2, "y": 300})
        tab.page.keyboard.press("Home")
        tab.page.keyboard.press("ArrowRight")
        training.snapshots(1)
        reload(tab, lambda: "of 6" in tab.find(".position").inner_text())
        assert "snapshot 2 of 6" in " ".join(tab.find(".position").inner_text().split()), "the chosen snapshot stays"


def test_runs_appear_while_the_tab_is_open(serve, open_tab, tmp_path):
    with Writing(tmp_path, "first") as first:
        first.snapshots(2)
        tab = open_tab(serve(tmp_path, "--reload_interval", "1"))
        expect(tab.find(".topbar .chip")).to_have_count(1)
        assert tab.find("nav button:text-is('Compare')").count() == 0
        with Writing(tmp_path, "second") as second:
            second.snapshots(2)
            reload(tab, lambda: tab.find(".topbar .chip").count() == 2)
        tab.find("nav button:text-is('Compare')").click()
        expect(tab.find("#chart-compare_layers h3")).to_have_text(["first", "second"])


def test_a_first_run_replaces_the_empty_state(serve, open_tab, tmp_path):
    tab = open_tab(serve(tmp_path, "--reload_interval", "1", runs=0))
    expect(tab.find(".notice h2")).to_contain_text("No CNN diagnostics")
    with Writing(tmp_path, "run") as training:
        training.snapshots(2)
        reload(tab, lambda: tab.find("[data-layer]").count() > 0)


def test_messages_that_cannot_be_read_are_counted(serve, open_tab, tmp_path):
    with Writing(tmp_path, "run") as training:
        training.snapshots(2)
    writer = SnapshotWriter(tmp_path / "run" / "cnndiag")
    curve = Measurement("training_curve", 999, 9, Scalars({"loss": 1.0}), table="made")
    writer.write(999, [(curve, encode(curve)[:-3])], {})
    writer.close()
    tab = open_tab(serve(tmp_path))
    expect(tab.find(".damage")).to_contain_text("1 message of this log could not be read")
    assert tab.find("[data-layer]").count() == 5


@pytest.fixture
def notebook(tmp_path):
    """A page on another port that holds TensorBoard in an iframe, as a notebook does.

    On another host it could not work: browsers keep storage from such frames, and TensorBoard itself does not start.
    """
    folder = tmp_path / "notebook"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.mark.parametrize("prefix", ["/", "/some/prefix/"])
def test_the_tab_works_in_a_notebook(serve, browser, notebook, tmp_path, prefix):
    logdir = tmp_path / "logs"
    with Writing(logdir, "run") as training:
        training.snapshots(3)
    flags = () if prefix == "/" else ("--path_prefix", prefix.rstrip("/"))
    server = serve(logdir, *flags, prefix=prefix)
    folder, address = notebook
    # What %tensorboard puts into the output of a cell.
    (folder / "index.html").write_text(
        f'<iframe id="tensorboard-frame-1" width="100%" height="800" frameborder="0" src="{server.url}#cnndiag">'
        "</iframe>"
    )
    page = browser.new_page(viewport={"width": 1100, "height": 860})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    plugin = page.frame_locator("#tensorboard-frame-1").frame_locator("iframe")
    plugin.locator("[data-layer]").first.click(timeout=30_000)
    expect(plugin.locator(".layer-heading h2")).to_contain_text("stem/conv")
    before = plugin.locator(".position").inner_text()
    plugin.locator("button[aria-label='Previous snapshot']").click()
    expect(plugin.locator(".position")).not_to_have_text(before)
    assert errors == []
    page.close()
