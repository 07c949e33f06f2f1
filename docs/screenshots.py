"""Renew the pictures of the README from the demo: ``make screenshots``."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
PICTURES = {
    "overview": ("p.cnndiag.run=faulty%2Fcnndiag", 1360, 900, False),
    "layer": ("p.cnndiag.run=healthy%2Fcnndiag&p.cnndiag.screen=layer&p.cnndiag.layer=conv3", 1360, 1400, True),
}


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
        browser.close()


if __name__ == "__main__":
    main()
