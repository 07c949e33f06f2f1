"""A real TensorBoard and a real Chromium: what the tests of this directory drive."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.made_log import write

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--disable-font-subpixel-positioning",
]
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Server:
    """A TensorBoard process over one logdir."""

    url: str
    process: subprocess.Popen[bytes]

    def runs(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}data/plugin/cnndiag/runs", timeout=30) as response:
            return list(json.load(response)["runs"])


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts TensorBoard on a logdir and waits until it has loaded ``runs`` runs; all are ended with the session."""
    servers: list[Server] = []

    def start(logdir: str | os.PathLike[str], *flags: str, runs: int = 1, prefix: str = "/") -> Server:
        port = _free_port()
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", os.fspath(logdir), "--port", str(port)]
        log = (tmp_path_factory.mktemp("tensorboard") / "log.txt").open("wb")
        process = subprocess.Popen([*command, *flags], stdout=log, stderr=log)
        server = Server(f"http://127.0.0.1:{port}{prefix}", process)
        servers.append(server)
        deadline = time.monotonic() + PATIENCE
        before, settled = None, 0
        while time.monotonic() < deadline:
            try:
                listed = server.runs()
            except OSError:
                listed = None
            # A log is loaded when its listing has stopped growing, also on a busy machine.
            settled = settled + 1 if listed is not None and len(listed) >= runs and listed == before else 0
            if settled == 3:
                return server
            before = listed
            if process.poll() is not None:
                break
            time.sleep(0.5)
        pytest.fail(f"TensorBoard did not list {runs} runs: {Path(log.name).read_text()[-2000:]}")

    yield start
    for server in servers:
        server.process.terminate()
    for server in servers:
        try:
            server.process.wait(timeout=20)
        except subprocess.TimeoutExpired:  # it finishes reading a log first, which takes long on a busy machine
            server.process.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.fail("No Chromium found. Install it: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@dataclass
class Tab:
    """The plugin's tab in a page of TensorBoard."""

    page: Any
    errors: list[str] = field(default_factory=list)

    @property
    def frame(self) -> Any:
        frame = next((frame for frame in self.page.frames if "plugin_entry.html?name=cnndiag" in frame.url), None)
        assert frame is not None, "the plugin's frame is not there"
        return frame

    def find(self, selector: str, **options: Any) -> Any:
        return self.frame.locator(selector, **options)

    def ready(self) -> None:
        self.find("[data-layer], .notice, .layer-heading, .figure").first.wait_for()
        self.page.wait_for_function(
            "() => !document.querySelector('iframe:not([hidden])')?.contentDocument?.querySelector('.skeleton')"
        )

    def parameters(self) -> dict[str, str]:
        """The view as the address holds it."""
        found = self.page.evaluate(
            "() => Object.fromEntries(location.hash.slice(1).split('&').map(p => p.split('='))"
            ".filter(([k]) => k.startsWith('p.cnndiag.')).map(([k, v]) => [k.slice(10), decodeURIComponent(v)]))"
        )
        return dict(found)

    def draw_everything(self) -> None:
        """Draws what is not near the window too, as for printing, and what appears from now on."""
        self.frame.evaluate("() => { setInterval(() => window.dispatchEvent(new Event('beforeprint')), 250); }")

    def violations(self) -> list[str]:
        """What axe-core finds, with every chart drawn and every fold open."""
        self.draw_everything()
        self.page.wait_for_timeout(300)
        self.frame.evaluate("() => document.querySelectorAll('details:not(.menu)').forEach(d => { d.open = true; })")
        self.frame.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.frame.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def overflows(self) -> bool:
        return bool(self.frame.evaluate("() => document.documentElement.scrollWidth > innerWidth"))


@pytest.fixture
def open_tab(browser: Any) -> Iterator[Callable[..., Tab]]:
    """Opens the tab, at a deep link when one is given; errors in the console fail the test."""
    contexts: list[Any] = []
    tabs: list[Tab] = []

    def open_(
        server: Server,
        view: dict[str, str] | None = None,
        *,
        width: int = 1400,
        height: int = 900,
        dark: bool = False,
        **options: Any,
    ) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        tab = Tab(page)
        tabs.append(tab)
        page.on("pageerror", lambda error: tab.errors.append(str(error)))
        page.on("console", lambda message: _note(tab, message))
        link = "".join(f"&p.cnndiag.{key}={quote(value, safe='')}" for key, value in (view or {}).items())
        page.goto(f"{server.url}#cnndiag{link}")
        page.wait_for_selector("iframe")
        page.wait_for_function("() => document.querySelector('iframe')?.contentDocument?.querySelector('.shell')")
        if dark:
            page.evaluate("() => document.body.classList.add('dark-mode')")
        tab.ready()
        return tab

    yield open_
    for context in contexts:
        context.close()
    for tab in tabs:
        assert tab.errors == []


def _note(tab: Tab, message: Any) -> None:
    """TensorBoard's own page logs errors too: only ours count."""
    if message.type == "error" and "cnndiag" in message.location.get("url", ""):
        tab.errors.append(message.text)


@pytest.fixture(scope="session")
def made_server(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The runs of ``made_log``: the same on every machine."""
    logdir = tmp_path_factory.mktemp("made")
    write(logdir)
    return serve(logdir, runs=3)


@pytest.fixture(scope="session")
def demo_server(serve: Callable[..., Server], demo_logdir: os.PathLike[str]) -> Server:
    return serve(demo_logdir, runs=2)
