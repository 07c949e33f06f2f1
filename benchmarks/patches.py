"""What the page of a unit and the clusters cost: time of a snapshot, bytes of the log, time until the page is painted.

``python -m benchmarks.patches [vgg] [resnet50] [efficientnetb0] [--no-browser]`` prints, for each network on a probe
of 256 images: the time that top patches, class selectivity, the atlas and unit clusters add to a snapshot, relative to
one bare compiled forward pass of the probe; the bytes that they add; and, with a browser, how long the page of another
unit takes in a report. All times are medians of interleaved runs.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from benchmarks.overhead import NETWORKS, interleaved, made
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.capture.reductions import REDUCTIONS
from tb_cnndiag.diagnostics import BUILTIN
from tb_cnndiag.diagnostics.base import Diagnostic
from tb_cnndiag.diagnostics.class_selectivity import ClassSelectivity
from tb_cnndiag.diagnostics.probe_atlas import ProbeAtlas
from tb_cnndiag.diagnostics.top_patches import TopPatches
from tb_cnndiag.diagnostics.unit_clusters import UnitClusters
from tb_cnndiag.recording.inspection import Inspection, Tapped
from tb_cnndiag.recording.measurer import Measurer
from tb_cnndiag.recording.schedule import every
from tb_cnndiag.recording.session import Moment, Session
from tb_cnndiag.report.html import report
from tb_cnndiag.summaries.codec import encode

ROUNDS = 9
KINDS: tuple[type[Diagnostic], ...] = (TopPatches, ClassSelectivity, ProbeAtlas, UnitClusters)
PAGES = 12
# Presses a key, and resolves when the page of the next unit is painted.
PAINTED = """() => new Promise((resolve) => {
  const heading = document.querySelector('.layer-heading h2');
  const before = heading.textContent;
  const start = performance.now();
  document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'n', bubbles: true}));
  const check = () => {
    const done = document.querySelector('.layer-heading h2').textContent !== before
      && document.querySelectorAll('.unit-strong canvas').length > 0;
    requestAnimationFrame(() => (done ? resolve(performance.now() - start) : check()));
  };
  check();
})"""


def measured(name: str, home: Path) -> tuple[dict[str, float], str]:
    """Times in forward passes, and kilobytes; and the path of the second layer."""
    model, x, y = made(name)
    chunk = tf.constant(x)
    bare = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
    inspector = ModelInspector({"": model})
    inspector.set_probe("", Samples(x, y, "given"))
    needs = {need for kind in BUILTIN for need in kind.needs}
    reductions = sorted(needs & REDUCTIONS.keys())
    times = interleaved(
        ROUNDS,
        fwd=lambda: bare(chunk).numpy(),
        without=lambda: inspector.activations(reductions, costly=False),
        costly=lambda: inspector.activations(reductions, costly=True),
    )
    snapshot = Inspection(inspector, (), needs).capture(0, 0, {}, Tapped(), needs)
    result = {"capture": (times["costly"] - times["without"]) / times["fwd"]}
    for kind in KINDS:
        spent = []
        for _ in range(ROUNDS):  # each time anew: an atlas is stored once
            begin = time.perf_counter()
            found, _ = Measurer([kind()]).measure(snapshot, 0, "table", [kind()])
            spent.append(time.perf_counter() - begin)
        result[f"{kind.name}, time"] = statistics.median(spent) / times["fwd"]
        result[f"{kind.name}, kB"] = sum(len(encode(one)) for one in found) / 1e3
    session = Session(home / name, inspector, [kind() for kind in BUILTIN], every(1), step=0)
    for step in (0, 1):
        session.take_snapshot(Moment(step, step, "last"), {"loss": 1.0}, Tapped())
    session.close()
    return result, inspector.layers[1].path


def painted(log_dir: Path, layer: str) -> tuple[float, float]:
    """Milliseconds from a key to the page of the next unit, in a report: median and largest."""
    from playwright.sync_api import sync_playwright

    from benchmarks.frontend import ARGUMENTS, VIEWPORT

    path = log_dir / "report.html"
    path.write_text(report(log_dir), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport=VIEWPORT)
        page.goto(f"{path.as_uri()}#screen=unit&layer={layer}&unit=0")
        page.locator(".unit-strong canvas").first.wait_for()
        times = [float(page.evaluate(PAINTED)) for _ in range(PAGES)]
        browser.close()
    return statistics.median(times), max(times)


def main(arguments: list[str]) -> None:
    """Print the figures of each network."""
    names = [name for name in arguments if not name.startswith("-")] or list(NETWORKS)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        for name in names:
            print(name)
            figures, layer = measured(name, home)
            for what, value in figures.items():
                print(f"  {what:24} {value:10.3f}" if "kB" not in what else f"  {what:24} {value:10.1f}")
            if "--no-browser" not in arguments:
                median, most = painted(home / name, layer)
                print(f"  {'page, ms':24} {median:10.0f}   at most {most:.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
