"""Update the pictures of ``docs/faults.md``: ``python -m docs.fault_pictures``.

For each fault, train a case of ``benchmarks/corpus`` (kept below ``--work``), write its report, and take a screenshot
of the finding with its chart.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

import tb_cnndiag
from benchmarks.corpus.cases import CASES
from benchmarks.faults.__main__ import home_of
from benchmarks.faults.game import FAULTY, play
from benchmarks.faults.train import train
from benchmarks.faults.unsettled import UNSETTLED, train_digits
from tb_cnndiag.cli import main as command_line
from tb_cnndiag.judging.faults import BUILTIN

IMAGES = Path(__file__).parent / "images" / "faults"
MAX_BYTES = 25_000
WIDTH, HEIGHT, HEADER = 1200, 640, 46
PICTURED = {
    "nan_or_inf": "fresh: log of silence in signals, Conv1D",
    "unnormalised_input": "fresh: signals in millivolts on an offset, RMSprop",
    "output_loss_mismatch": "fresh: scores without softmax, residual net on photos",
    "bad_init": "fresh: unit normal in every Conv3D",
    "learning_rate_too_high": "fresh: learning rate: RMSprop 0.2 on volumes",
    "exploding_gradient": "fresh: masks of 0 and 255 under cross-entropy, U-Net",
    "saturated_activation": "fresh: saturated: a hard sigmoid far from its slope, volumes",
    "dead_units": "fresh: dead: two thirds of a Conv3D",
    "vanishing_gradient": "fresh: vanishing: eight sigmoid Conv1D, RMSprop",
    "missing_activation": "fresh: no activation: the second of three Conv1D",
    "frozen_layer": "fresh: frozen: rounded in the middle of signals",
    "learning_rate_too_low": "fresh: learning rate: SGD 1e-5 on volumes",
    "collapsed_output": "fresh: collapsed: sample weights of one class, signals",
    "batch_too_small_for_bn": "batch of 2 with batch normalization on shapes",
    "underfitting": "fresh: underfitting: dropout of 0.97 before the head",
    "overfitting": "fresh: overfitting: 36 photographs, wide and long",
    "redundant_filters": "fresh: alike: c2 tiled 3 times, signals",
}


def main() -> None:
    """Train, report and take a screenshot, for each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="FAULT", help="update only this picture; can be repeated")
    parser.add_argument("--work", type=Path, default=Path("logs/faults"), help="directory for the logs")
    options = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    cases = {case.name: case for case in CASES}
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        browser_options: dict[str, Any] = {
            "executable_path": shutil.which("chromium"),
            "args": ["--no-sandbox", "--disable-gpu"],
        }
        browser = playwright.chromium.launch(**browser_options)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for fault in BUILTIN:
            if options.only and fault.id not in options.only:
                continue
            report = Path(home, f"{fault.id}.html")
            if fault.id in FAULTY:
                log = options.work / fault.id
                generator, discriminator = FAULTY[fault.id]
                play(
                    log,
                    np.random.default_rng(0),
                    generator_rate=generator,
                    discriminator_rate=discriminator,
                )
            elif fault.id in UNSETTLED:
                log = options.work / fault.id
                train_digits(log, **UNSETTLED[fault.id])
            elif fault.of_audits:
                log = Path(home, fault.id)
                _audit(log, fault.id)
            else:
                log = home_of(options.work, PICTURED[fault.id], 0)
                train(cases[PICTURED[fault.id]], 0, log)
            command_line(["report", str(log), "-o", str(report)])
            page.goto(report.as_uri())
            _write(IMAGES / f"{fault.id}.webp", _screenshot(page, fault.title))
        browser.close()


def _audit(log: Path, fault: str) -> None:
    """Audit a small network: half of its second layer never fires, or that layer is untrained."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(16 * n, 3, activation="relu", name=f"conv{n}") for n in (1, 2, 3)]
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255), *layers])
    for number, layer in enumerate(layers):
        kernel, bias = layer.get_weights()
        if fault == "units_without_effect" and number == 1:
            bias[::2] = -100
        untouched = fault == "untrained_layer" and number == 1
        layer.set_weights([kernel if untouched else kernel * 1.5, bias if untouched else bias + 0.01])
    tb_cnndiag.audit(model, log_dir=log)


def _screenshot(page: Any, title: str) -> bytes:
    """The first finding with this title, and its chart, as PNG."""
    heading = page.locator(".finding-title b", has_text=title).first
    card = heading.locator("xpath=ancestor::li[1]")
    details = card.locator("details").first
    details.wait_for()
    details.evaluate("element => { element.open = true }")
    card.get_by_role("button", name="Show").first.click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1_500)
    clip = {"x": 0, "y": HEADER, "width": WIDTH, "height": HEIGHT - HEADER - HEADER}
    picture: bytes = page.screenshot(clip=clip)
    return picture


def _write(path: Path, png: bytes) -> None:
    """Write a WebP file of the best quality that is small enough."""
    image = Image.open(io.BytesIO(png))
    for quality in (*range(80, 10, -10), 5):
        image.save(path, quality=quality, method=6)
        if path.stat().st_size <= MAX_BYTES:
            return
    raise ValueError(f"{path} has {path.stat().st_size} bytes, more than {MAX_BYTES} at the lowest quality")


if __name__ == "__main__":
    main()
