"""Renews the picture of units.md: ``python docs/unit_picture.py``. Needs scikit-image, scikit-learn and Chromium.

A small CNN learns which of eight photographs a tile of 40 × 40 pixels is from; the packages ship the photographs.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import skimage
from keras import layers
from PIL import Image
from playwright.sync_api import sync_playwright
from skimage.io import imread
from skimage.transform import resize
from sklearn.datasets import load_sample_images

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.recording.schedule import every
from tb_cnndiag.report.html import report

TILE, TILES, PROBE, EPOCHS = 40, 260, 400, 12
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "ihc.png", "motorcycle_left.png", "rocket.jpg")
PAGE = "screen=unit&layer=conv2&unit=21"


def tiles() -> tuple[Any, Any]:
    """Tiles between −1 and 1, shuffled, and the number of the photograph that each is from."""
    rng = np.random.default_rng(0)
    home = Path(skimage.__file__).parent / "data"
    pictures = [imread(home / name)[..., :3] for name in PHOTOGRAPHS] + load_sample_images().images
    x, y = [], []
    for label, picture in enumerate(pictures):
        scale = 320 / min(picture.shape[:2])
        size = [int(side * scale) for side in picture.shape[:2]]
        small = resize(picture, size, anti_aliasing=True)
        for _ in range(TILES):
            row, column = (rng.integers(0, side - TILE) for side in size)
            x.append(small[row : row + TILE, column : column + TILE])
            y.append(label)
    order = rng.permutation(len(x))
    return (2 * np.array(x, np.float32) - 1)[order], np.array(y)[order]


def network() -> Any:
    """Four convolutions."""
    return keras.Sequential(
        [
            keras.Input((TILE, TILE, 3)),
            layers.Conv2D(16, 7, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", use_bias=False, name="conv2"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(48, 3, padding="same", activation="relu", name="conv3"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu", name="conv4"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(8, activation="softmax", name="head"),
        ]
    )


def main() -> None:
    """Train, write a report, and take the picture."""
    keras.utils.set_random_seed(0)
    x, y = tiles()
    model = network()
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as home:
        callback = CNNDiagnostics(home, probe=(x[:PROBE], y[:PROBE]), budget=None, schedule=every(1), verbose=0)
        model.fit(x, y, epochs=EPOCHS, batch_size=32, validation_split=0.2, verbose=0, callbacks=[callback])
        path = Path(home) / "report.html"
        path.write_text(report(home), encoding="utf-8")
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
            page.goto(f"{path.as_uri()}#{PAGE}")
            page.locator(".unit-growth canvas").first.wait_for()
            page.wait_for_timeout(500)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            browser.close()
    target = Path(__file__).parent / "images" / "unit.png"
    picture.quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main()
