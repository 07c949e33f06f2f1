"""How fast the network map is: real Chromium, real TensorBoard, a residual network of 1,001 layers.

``python -m benchmarks.network_map [--blocks N]`` prints each figure with its threshold and PASS or MISS. Exit code 1: a
threshold is missed. Thresholds are meant for a machine of 2 cores without a GPU. The first figure contains loading the
map's own code.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.frontend import (
    ARGUMENTS,
    VIEWPORT,
    Figures,
    frame_of,
    frame_time,
    tensorboard,
    zooming,
)
from benchmarks.synthetic_log import DIAGNOSTICS
from tb_cnndiag.payloads import LayerColumns, LayerInfo, RunInfo
from tb_cnndiag.summaries.codec import Measurement, Payload, encode
from tb_cnndiag.summaries.writer import SnapshotWriter

STAGES, SNAPSHOTS, TABLE = 4, 60, "residual"

# Resolves to milliseconds once the map was painted after `act`.
MAP_PAINTED = """(act) => new Promise((resolve) => {
  const start = performance.now();
  const count = () => Number(document.querySelector('#chart-map canvas')?.dataset.painted ?? 0);
  const before = count();
  act();
  const check = () => (count() > before
    ? requestAnimationFrame(() => resolve(performance.now() - start)) : requestAnimationFrame(check));
  check();
})"""
PRESS_BUTTON = "[...document.querySelectorAll('button')].find((b) => b.textContent === '{}').click()"
PAN = """(frames) => new Promise((resolve) => {
  const canvas = document.querySelector('#chart-map canvas');
  const { left, top } = canvas.getBoundingClientRect();
  const send = (type, n) => canvas.dispatchEvent(new PointerEvent(type,
    { clientX: left + 300 - 3 * n, clientY: top + 300 - 3 * n, buttons: 1, pointerId: 1, bubbles: true }));
  let n = 0;
  send('pointerdown', 0);
  const turn = () => {
    if (n++ === frames) { send('pointerup', n); return resolve(); }
    send('pointermove', n);
    requestAnimationFrame(turn);
  };
  turn();
})"""


def residual_table(blocks: int) -> tuple[LayerInfo, ...]:
    """A stem, stages of blocks of two convolutions with a connection around each, and a classifier."""
    rows: list[LayerInfo] = []

    def add(path: str, inputs: tuple[int, ...]) -> int:
        rows.append(
            LayerInfo(
                path, "Conv2D", "conv", 64, 576, (3, 3, 64, 64), output_shape=(14, 14, 64), inputs=inputs, seen_at=path
            )
        )
        return len(rows) - 1

    stream: tuple[int, ...] = (add("conv1_conv", ()),)
    for stage in range(STAGES):
        for block in range(blocks // STAGES):
            name = f"conv{stage + 2}_block{block + 1}"
            last = add(f"{name}_2_conv", (add(f"{name}_1_conv", stream),))
            stream = (*stream, last) if block else (last,)
    add("predictions", stream)
    return tuple(rows)


def write(directory: Path, blocks: int) -> int:
    """Write a log of light columns; the number of layers."""
    layers = residual_table(blocks)
    rng = np.random.default_rng(0)
    writer = SnapshotWriter(directory / "cnndiag")
    for number in range(SNAPSHOTS):
        payloads: dict[str, Payload] = {"findings": ()}
        if number == 0:
            payloads["run_info"] = RunInfo(TABLE, layers, model="residual", diagnostics=DIAGNOSTICS, batch_size=64)
        payloads["gradient_flow"] = LayerColumns({"gradient_norm": 10 ** rng.normal(-2, 1, len(layers))})
        made = [Measurement(name, number, number, p, epoch=number, table=TABLE) for name, p in payloads.items()]
        writer.write(number, [(m, encode(m)) for m in made], {})
    writer.close()
    return len(layers)


def map_figures(page: Page, url: str, figures: Figures) -> None:
    """Everything that is measured in the browser."""
    page.goto(f"{url}#cnndiag&p.cnndiag.screen=relations")
    page.wait_for_function(
        "() => document.querySelector('iframe')?.contentDocument?.querySelector('table.numbers, .numbers td')"
    )
    page.wait_for_timeout(1500)
    frame = frame_of(page)

    def after(act: str) -> float:
        return float(frame.evaluate(f"() => ({MAP_PAINTED})(() => {{ {act}; }})"))

    figures.report("map folded: loaded, laid out and painted", after(PRESS_BUTTON.format("Overview")), 300, "ms")
    figures.report("map of every layer: laid out and painted", after(PRESS_BUTTON.format("Unfold all")), 1500, "ms")
    page.wait_for_timeout(500)
    for name, script in (("zoom", zooming("#chart-map canvas")), ("pan", PAN)):
        work = frame_time(page, script)
        figures.report(f"map of every layer, {name}: all work of the page a frame", work, 16, "ms")


def main() -> None:
    """Write the log, start TensorBoard, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=500)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("No Chromium found. Install it: apt-get install chromium")
    figures = Figures()
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as driver:
        print(f"{write(Path(directory) / 'run', options.blocks)} layers × {SNAPSHOTS} snapshots")
        with tensorboard(Path(directory)) as url:
            browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            map_figures(browser.new_page(viewport=VIEWPORT), url, figures)
            browser.close()
    sys.exit(1 if figures.missed else 0)


if __name__ == "__main__":
    main()
