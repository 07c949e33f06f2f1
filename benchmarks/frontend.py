"""How fast the tab is: real Chromium, real TensorBoard, 200 layers × 1,000 snapshots × ≤ 2,048 filters.

``python -m benchmarks.frontend [--layers N] [--snapshots N] [--loader fast|python|both]`` prints each figure with its
threshold and PASS or MISS. Exit code 1: a threshold is missed. Thresholds are meant for a machine of 2 cores without a
GPU. For comparison it measures TensorBoard's own Histograms tab on ``histogram_freq=1`` logs of the same model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from benchmarks.histogram_log import write as write_histograms
from benchmarks.synthetic_log import DIAGNOSTICS, Size, layer_table, write

VIEWPORT: ViewportSize = {"width": 1400, "height": 900}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
]
# Snapshots kept of each light and each heavy tag: by default TensorBoard drops most of them.
SAMPLES = "cnndiag=1000,cnndiag_heavy=100"
FRAMES = 60

# Resolves once what follows from `act` has been painted.
PAINTED = """(act) => new Promise((resolve) => {
  const start = performance.now();
  act();
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve(performance.now() - start);
    channel.port2.postMessage(0);
  });
})"""
PRESS = "document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{}', bubbles: true}}))"
STEP_BACK, HOME, PLAY, PREVIOUS_LAYER = map(PRESS.format, ("ArrowLeft", "Home", " ", "k"))
PLAYED_SECONDS = 20
LAYERS_VISITED = 60
UNTIL = """(selector) => new Promise((resolve) => {
  const start = performance.now();
  const check = () => (document.querySelector(selector)?.width > 0 && !document.querySelector('main > .skeleton')
    ? requestAnimationFrame(() => resolve(performance.now() - start)) : requestAnimationFrame(check));
  check();
})"""

# Zooms into the canvas CANVAS and out again, one step a frame.
ZOOM = """(frames) => new Promise((resolve) => {
  const canvas = document.querySelector('CANVAS');
  const { left, top, width, height } = canvas.getBoundingClientRect();
  let n = 0;
  const turn = () => {
    if (n++ === frames) return resolve();
    const at = { clientX: left + width / 3, clientY: top + height / 3, bubbles: true, cancelable: true };
    canvas.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY: n < frames / 2 ? -30 : 30, ctrlKey: true }));
    requestAnimationFrame(turn);
  };
  turn();
})"""


# Resolves once a histogram of TensorBoard's own tab is painted; it lives below several shadow roots.
HISTOGRAM_PAINTED = """() => new Promise((resolve) => {
  const painted = (root) => [...root.querySelectorAll('*')].some((element) => element.shadowRoot &&
    (element.tagName === 'VZ-HISTOGRAM-TIMESERIES' ? element.shadowRoot.querySelector('svg path[d]')
      : painted(element.shadowRoot)));
  const start = performance.now();
  location.hash = '#histograms';
  const check = () => painted(document) ? requestAnimationFrame(() => resolve(performance.now() - start))
    : setTimeout(check, 20);
  check();
})"""


class Figures:
    """What was measured, printed as it comes."""

    def __init__(self) -> None:
        self.missed = 0

    def report(self, name: str, value: float, limit: float, unit: str) -> None:
        """Print one figure with its verdict."""
        good = value <= limit
        self.missed += not good
        print(
            f"  {'PASS' if good else 'MISS'}  {name:<58}{value:>10.1f} {unit:<3} (limit {limit:g} {unit})", flush=True
        )

    def compare(self, name: str, value: float, ours: float, unit: str) -> None:
        """Print a figure of another tool, and how many times ours it is."""
        print(f"  compare {name:<56}{value:>10.1f} {unit:<3} ({value / ours:.1f} × ours)", flush=True)


@contextmanager
def process_of(logdir: Path, *flags: str) -> Iterator[str]:
    """A TensorBoard process on a free port; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--port", str(port)]
    process = subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def tensorboard(logdir: Path, *flags: str) -> Iterator[str]:
    """A TensorBoard over our log; its address, once it has read all of it."""
    with process_of(logdir, "--samples_per_plugin", SAMPLES, *flags) as url:
        wait_until_loaded(url)
        yield url


@contextmanager
def tensorboard_of_histograms(logdir: Path, *flags: str) -> Iterator[str]:
    """The same over a log of histograms, at TensorBoard's own settings."""
    with process_of(logdir, *flags) as url:
        deadline, tags = time.monotonic() + 600, 0
        while not tags and time.monotonic() < deadline:
            time.sleep(1.0)
            with suppress(OSError):
                tags = len(json.loads(get(f"{url}data/plugin/histograms/tags")))
        time.sleep(20)  # the log is still being read: let it come to the end
        yield url


def wait_until_loaded(url: str, patience: float = 300.0) -> None:
    """Wait until the runs are listed and no longer grow."""
    deadline, last = time.monotonic() + patience, -1
    while time.monotonic() < deadline:
        try:
            runs = json.loads(get(f"{url}data/plugin/cnndiag/runs"))["runs"]
        except OSError:
            runs = []
        newest = sum(tag["max_step"] for run in runs for tag in run["tags"])
        if runs and newest == last:
            return
        last = newest
        time.sleep(1.0)
    sys.exit("TensorBoard listed no runs. Is the plugin installed? Try: pip install -e .")


def get(url: str) -> bytes:
    """Body of a reply."""
    with urllib.request.urlopen(url, timeout=60) as response:
        return bytes(response.read())


def server(url: str, figures: Figures) -> None:
    """Time and size of what the overview asks for."""
    base, run = f"{url}data/plugin/cnndiag/", quote("run/cnndiag", safe="")
    asked = [
        "runs",
        f"measurements?run={run}&tag=cnndiag/run_info",
        f"measurements?run={run}&tag=cnndiag/findings&max=1",
        f"measurements?run={run}&tag=cnndiag/dead_units&column=dead_ratio&max=240",
    ]
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        size = sum(len(get(base + path)) for path in asked)
        rounds.append(time.perf_counter() - start)
    figures.report("server: replies for the overview", 1e3 * statistics.median(rounds), 300, "ms")
    figures.report("server: size of these replies, not compressed", size / 1e3, 1000, "kB")


def frame_of(page: Page) -> Any:
    """The plugin's frame."""
    return next(frame for frame in page.frames if "plugin_entry.html?name=cnndiag" in frame.url)


class Received:
    """What a page is sent by one plugin, compressed as it is sent."""

    def __init__(self, page: Page, plugin: str) -> None:
        self.kilobytes = 0.0
        self._path = f"data/plugin/{plugin}"
        page.on("requestfinished", self._count)

    def _count(self, request: Any) -> None:
        if self._path in request.url and "/static/" not in request.url:
            self.kilobytes += request.sizes()["responseBodySize"] / 1e3


def open_overview(page: Page, url: str) -> float:
    """Milliseconds from the moment the tab is chosen until its strips are painted."""
    page.goto(f"{url}#timeseries")
    page.wait_for_selector("tb-webapp")
    page.wait_for_timeout(2500)
    page.evaluate("() => { window.start = performance.now(); location.hash = '#cnndiag'; }")
    page.wait_for_function(
        "() => document.querySelector('iframe')?.contentDocument?.querySelector('#chart-layers canvas')?.width > 0",
        polling="raf",
    )
    return float(page.evaluate("() => performance.now() - window.start"))


def zooming(canvas: str) -> str:
    """A script that zooms the canvas of a selector in and out again."""
    return ZOOM.replace("CANVAS", canvas)


def frame_time(page: Page, script: str) -> float:
    """Milliseconds that the page works on each of ``FRAMES`` frames of a script that takes their number."""
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")
    before = busy_time(client)
    frame_of(page).evaluate(script, FRAMES)
    return 1e3 * (busy_time(client) - before) / FRAMES


def busy_time(client: Any) -> float:
    """Seconds that the page's thread has worked: our script, and layout and paint that follow from it."""
    metrics = {entry["name"]: entry["value"] for entry in client.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def histograms(page: Page, url: str) -> tuple[float, float]:
    """Milliseconds until TensorBoard's own tab has painted its first histogram, and the kB it was sent in 10 s."""
    received = Received(page, "histograms")
    page.goto(f"{url}#timeseries")
    page.wait_for_selector("tb-webapp")
    page.wait_for_timeout(2500)
    painted = float(page.evaluate(HISTOGRAM_PAINTED))
    page.wait_for_timeout(10_000)
    return painted, received.kilobytes


def page_figures(page: Page, url: str, size: Size, figures: Figures) -> tuple[float, float]:
    """Everything that is measured in the browser; milliseconds until the overview is painted, and the kB it took."""
    received = Received(page, "cnndiag")
    overview = open_overview(page, url)
    page.wait_for_timeout(2000)
    sent = received.kilobytes
    figures.report("overview painted after the tab opens", overview, 1000, "ms")
    figures.report("overview: received by the page", sent, 1000, "kB")
    frame = frame_of(page)
    steps = [frame.evaluate(f"() => ({PAINTED})(() => {{ {STEP_BACK}; }})") for _ in range(30)]
    figures.report("overview: step change to paint, median of 30", statistics.median(steps), 50, "ms")

    # The page opens at the chart of the measure that the overview shows.
    frame.locator("#measure").select_option("filter_similarity.twin_ratio")
    page.wait_for_timeout(1500)
    widest = layer_table(size)[-1].path
    frame.evaluate("() => document.querySelectorAll('.block-name[aria-expanded=false]').forEach((b) => b.click())")
    frame.locator(f"[data-layer='{widest}']").wait_for()
    opened = frame.evaluate(
        f"(p) => {{ document.querySelector(`[data-layer='${{p}}']`).click(); return ({UNTIL})('.heatmap canvas'); }}",
        widest,
    )
    figures.report("layer page of 2,048 filters, its heatmap painted", opened, 300, "ms")
    page.wait_for_timeout(1500)
    steps = [frame.evaluate(f"() => ({PAINTED})(() => {{ {STEP_BACK}; }})") for _ in range(30)]
    figures.report("layer page: step change to paint, median of 30", statistics.median(steps), 50, "ms")

    work = frame_time(page, zooming(".heatmap canvas"))
    figures.report("heatmap of 2,048 filters: all work of the page a frame", work, 16, "ms")

    heap = "() => { gc(); return performance.memory.usedJSHeapSize / 1e6; }"
    first = frame.evaluate(heap)
    for _ in range(min(size.snapshots, 240)):
        frame.evaluate(f"() => {{ {STEP_BACK}; }}")
    page.wait_for_timeout(500)
    figures.report("memory gained while stepping through all snapshots", frame.evaluate(heap) - first, 30, "MB")
    first = frame.evaluate(heap)
    frame.evaluate(f"() => {{ {HOME}; {PLAY}; }}")
    page.wait_for_timeout(PLAYED_SECONDS * 1000)
    frame.evaluate(f"() => {{ {PLAY}; }}")
    page.wait_for_timeout(500)
    figures.report(f"memory gained while playing for {PLAYED_SECONDS} s", frame.evaluate(heap) - first, 30, "MB")
    first = frame.evaluate(heap)
    for _ in range(LAYERS_VISITED):
        frame.evaluate(f"() => {{ {PREVIOUS_LAYER}; }}")
        page.wait_for_timeout(150)
    page.wait_for_timeout(500)
    figures.report(f"memory gained by {LAYERS_VISITED} more layer pages", frame.evaluate(heap) - first, 120, "MB")
    return overview, sent


def main() -> None:
    """Write the log, start TensorBoard with each loader, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=Size.layers)
    parser.add_argument("--snapshots", type=int, default=Size.snapshots)
    parser.add_argument("--loader", choices=("fast", "python", "both"), default="both")
    options = parser.parse_args()
    size = Size(layers=options.layers, snapshots=options.snapshots)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("No Chromium found. Install it: apt-get install chromium")
    loaders = {"fast": "true", "python": "false"}
    figures = Figures()
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as driver:
        ours, theirs = Path(directory) / "ours", Path(directory) / "theirs"
        written, histogram_bytes = write(ours / "run", size), write_histograms(theirs / "run", size)
        print(
            f"{size.layers} layers × {size.snapshots} snapshots, {len(DIAGNOSTICS)} diagnostics: {written / 1e6:.0f} MB"
        )
        print(f"the histograms of its kernels and biases: {histogram_bytes / 1e6:.0f} MB")

        def launched() -> Browser:
            return driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)

        for name, flag in loaders.items():
            if options.loader not in (name, "both"):
                continue
            print(f"\n{'Rust' if name == 'fast' else 'Python'} loader")
            with tensorboard(ours, f"--load_fast={flag}") as url:
                server(url, figures)
                with launched() as browser:
                    overview, sent = page_figures(browser.new_page(viewport=VIEWPORT), url, size, figures)
            with tensorboard_of_histograms(theirs, f"--load_fast={flag}") as url, launched() as browser:
                painted, received = histograms(browser.new_page(viewport=VIEWPORT), url)
            figures.compare("TensorBoard's Histograms tab: first histogram painted", painted, overview, "ms")
            figures.compare("TensorBoard's Histograms tab: received in 10 s", received, sent, "kB")
    sys.exit(1 if figures.missed else 0)


if __name__ == "__main__":
    main()
