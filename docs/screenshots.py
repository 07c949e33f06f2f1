"""Renew the pictures of the README from the demo, one of them animated: ``make screenshots``."""

from __future__ import annotations

import io
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "images"
PICTURES = {
    "overview": ("p.cnndiag.run=faulty%2Fcnndiag", 1360, 900, False),
    "layer": ("p.cnndiag.run=healthy%2Fcnndiag&p.cnndiag.screen=layer&p.cnndiag.layer=conv3", 1360, 1400, True),
}

TOUR_SIZE, TOUR_SHOWN, TOUR_LIMIT = (1200, 780), (900, 585), 1_000_000


def main() -> None:
    """Train the demo, open TensorBoard on it, take the pictures."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        subprocess.run([sys.executable, "-m", "tb_cnndiag.cli", "demo", home, "--no-serve"], check=True)
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", home, "--port", str(port)]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait(f"http://127.0.0.1:{port}/data/plugin/cnndiag/runs")
            _take(f"http://127.0.0.1:{port}/")
        finally:
            server.terminate()
            server.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if len(json.load(urllib.request.urlopen(url))["runs"]) == 2:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise TimeoutError(url)


def _take(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (query, width, height, dark) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{url}#cnndiag&{query}")
            page.frame_locator("iframe").get_by_role("slider").first.wait_for()
            if dark:
                page.evaluate("document.body.classList.add('dark-mode')")
            page.wait_for_timeout(2_500)
            page.screenshot(path=IMAGES / f"{name}.png")
        page = browser.new_page(viewport=ViewportSize(width=TOUR_SIZE[0], height=TOUR_SIZE[1]))
        _film(page, url)
        browser.close()


def _film(page: Page, url: str) -> None:
    """The way from a finding to its cause: play the training, open the finding, read the layer, compare the runs."""
    frames: list[Image.Image] = []
    shown: list[int] = []

    def show(milliseconds: int) -> None:
        page.wait_for_timeout(350)
        frames.append(Image.open(io.BytesIO(page.screenshot())).resize(TOUR_SHOWN, Image.Resampling.LANCZOS))
        shown.append(milliseconds)

    def then(act: Callable[[], Any], milliseconds: int = 900) -> None:
        act()
        show(milliseconds)

    page.goto(f"{url}#cnndiag&p.cnndiag.run=faulty%2Fcnndiag")
    tab = page.frame_locator("iframe")
    tab.get_by_role("slider").first.wait_for()
    page.wait_for_timeout(2_500)
    tab.locator("body").click(position={"x": 2, "y": 300})
    then(lambda: page.keyboard.press("Home"), 600)
    for _ in range(10):
        then(lambda: page.keyboard.press("ArrowRight"), 200)
    then(lambda: tab.locator("#chart-layers canvas").first.hover(position={"x": 300, "y": 40}), 1500)
    then(lambda: tab.get_by_role("button", name="Show in the layer").first.click(), 1800)
    then(lambda: tab.locator("#chart-filter_images").evaluate("e => e.scrollIntoView()"), 1800)
    then(lambda: tab.locator("#chart-filter_similarity").evaluate("e => e.scrollIntoView()"), 1200)
    tab.get_by_role("radio", name="healthy").evaluate("e => e.click()")
    page.wait_for_timeout(1_200)
    then(lambda: tab.locator("#chart-filter_similarity").evaluate("e => e.scrollIntoView()"), 1500)
    then(lambda: tab.locator("#chart-filter_images").evaluate("e => e.scrollIntoView()"), 1800)
    page.evaluate("document.body.classList.add('dark-mode')")
    show(1500)
    tab.get_by_role("button", name="Compare").click()
    page.wait_for_timeout(1_200)
    show(2500)
    target = IMAGES / "tour.webp"
    frames[0].save(target, save_all=True, append_images=frames[1:], duration=shown, loop=0, quality=72, method=6)
    if target.stat().st_size > TOUR_LIMIT:
        raise ValueError(
            f"{target} has {target.stat().st_size} bytes, more than the {TOUR_LIMIT} that a page should load"
        )


if __name__ == "__main__":
    main()
