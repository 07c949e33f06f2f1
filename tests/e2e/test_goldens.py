"""Every screen is compared with its stored picture: ``make goldens`` renews the pictures in ``goldens/``.

Pictures are compared by the mean color of blocks, which may be shifted a little. Another rasterizer or hinting changes
nothing therefore; a missing chart, a wrong color or a shifted column does. Another font shifts everything: the test is
then skipped and says why.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_opening

from tb_cnndiag.report.html import report
from tests.e2e.conftest import Tab
from tests.e2e.made_log import write

GOLDENS = Path(__file__).parent / "goldens"
FONT = GOLDENS / "font.json"
RENEW = os.environ.get("RENEW_GOLDENS") == "1"

# Pictures are stored at half their size and compared in blocks of so many stored pixels a side.
SCALE, BLOCK = 2, 4
# With fewer colors the small red marks of findings come out brown, and differ from themselves.
COLORS = 256
# A block differs when a channel's mean does by more than this, of 255. Lone ones are the edges of letters; of those
# that stand two by two so many may: another hinting makes at most 14, one strip that is missing makes 48.
LEVELS, ALLOWED = 24, 24
# Blocks may have moved by so many stored pixels: rounded text pushes what follows by one or two.
SHIFT = 2
# Text wider or narrower than this share is set in another font.
FONT_SLACK = 0.01

SCREENS = {
    "overview": {"run": "faulty/cnndiag"},
    "layer": {"screen": "layer", "layer": "stem/conv", "run": "faulty/cnndiag"},
    "unit": {"screen": "unit", "layer": "body/conv_a", "unit": "7", "run": "healthy/cnndiag"},
    "neuron": {"screen": "unit", "layer": "hidden", "unit": "2", "run": "healthy/cnndiag"},
    "relations": {"screen": "relations", "run": "healthy/cnndiag"},
    "samples": {"screen": "samples", "run": "healthy/cnndiag"},
    "compare": {"screen": "compare", "run": "faulty/cnndiag"},
    "compare_layer": {"screen": "compare", "layer": "body/conv_b", "run": "faulty/cnndiag"},
    "unknown_layer": {"screen": "layer", "layer": "no/such", "run": "faulty/cnndiag"},
}
SIZES = {"wide": (1280, 1500), "narrow": (360, 1200)}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_matches_its_picture(made_server, open_tab, tmp_path, screen, size, dark):
    width, height = SIZES[size]
    tab = open_tab(made_server, SCREENS[screen], width=width, height=height, dark=dark, reduced_motion="reduce")
    _compare(tab, f"{screen}-{size}-{'dark' if dark else 'light'}", tmp_path)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_units_of_other_runs_match_their_picture(made_server, open_tab, tmp_path, size, dark):
    width, height = SIZES[size]
    tab = open_tab(made_server, SCREENS["unit"], width=width, height=height, dark=dark, reduced_motion="reduce")
    tab.draw_everything()
    tab.find("#chart-unit-runs").scroll_into_view_if_needed()
    tab.find("#chart-unit-runs .synthetic-pair").first.wait_for()
    _compare(tab, f"unit_runs-{size}-{'dark' if dark else 'light'}", tmp_path, at="#chart-unit-runs")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_empty_state_matches_its_picture(serve, open_tab, tmp_path, dark):
    tab = open_tab(serve(tmp_path, runs=0), width=1280, height=700, dark=dark, reduced_motion="reduce")
    _compare(tab, f"empty-{'dark' if dark else 'light'}", tmp_path)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_report_matches_its_picture(browser, tmp_path, dark):
    write(tmp_path / "logs")
    path = tmp_path / "report.html"
    path.write_text(report(tmp_path / "logs"), encoding="utf-8")
    page = browser.new_page(
        viewport={"width": 1280, "height": 1200},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page.goto(f"{path.as_uri()}#run=faulty")
    page.locator("#chart-layers canvas").first.wait_for()
    page.wait_for_timeout(500)
    _same_font(page)
    _same_picture(page.screenshot(), f"report-{'dark' if dark else 'light'}", tmp_path)
    page.close()


def _compare(tab: Tab, name: str, tmp_path: Path, *, at: str = "") -> None:
    """The frame alone, from this chart on: what surrounds it is TensorBoard's."""
    tab.page.wait_for_function(
        "() => document.querySelector('iframe').contentDocument.fonts.status === 'loaded'", timeout=10_000
    )
    tab.page.mouse.move(1, 1)
    tab.page.wait_for_timeout(700)
    tab.ready()
    if at:  # when everything above it has its height
        tab.find(at).evaluate("chart => chart.scrollIntoView({ block: 'start' })")
        tab.page.wait_for_timeout(300)
    _same_font(tab.frame)
    _same_picture(tab.page.locator("iframe").first.screenshot(animations="disabled"), name, tmp_path)


def _same_font(frame) -> None:
    measured = frame.evaluate("""() => {
        const pen = document.createElement('canvas').getContext('2d');
        pen.font = `20px ${getComputedStyle(document.body).fontFamily}`;
        return pen.measureText('Sphinx of black quartz, judge my vow 0123456789').width;
    }""")
    if RENEW:
        FONT.write_text(json.dumps({"width of a sentence at 20 px": measured}) + "\n")
        return
    (stored,) = json.loads(FONT.read_text()).values()
    if abs(measured / stored - 1) > FONT_SLACK:
        pytest.skip(
            f"The font here is not that of the goldens: a sentence is {measured:.0f} px wide, not {stored:.0f}. "
            "They were made with DejaVu Sans (apt-get install fonts-dejavu-core)."
        )


def _same_picture(screenshot: bytes, name: str, tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    picture = picture.resize((picture.width // SCALE, picture.height // SCALE), Image.Resampling.BOX)
    stored = GOLDENS / f"{name}.png"
    if RENEW:
        picture.quantize(COLORS, dither=Image.Dither.NONE).save(stored, optimize=True)
        return
    assert stored.exists(), f"There is no {stored}. Make it with: make goldens"
    golden = Image.open(stored).convert("RGB")
    found = tmp_path / f"{name}-found.png"
    picture.save(found)
    hint = f"Found: {found}. Stored: {stored}. If the change is meant: make goldens, look at it, commit."
    assert picture.size == golden.size, f"{name} is {picture.size}, not {golden.size} pixels. {hint}"
    differing = binary_opening(_differences(picture, golden) > LEVELS, np.ones((2, 2)))
    marked = tmp_path / f"{name}-difference.png"
    mask = Image.fromarray((~differing * 255).astype(np.uint8)).resize(picture.size, Image.Resampling.NEAREST)
    Image.composite(picture, Image.new("RGB", picture.size, (255, 0, 0)), mask.convert("L")).save(marked)
    count = int(differing.sum())
    assert count <= ALLOWED, f"{count} blocks of {name} have changed, {ALLOWED} may. Marked in red: {marked}. {hint}"


def test_a_missing_strip_and_a_wrong_color_are_detected(tmp_path):
    golden = Image.open(GOLDENS / "overview-wide-light.png").convert("RGB")
    width = golden.width
    gone = golden.copy()
    gone.paste((255, 255, 255), (width // 5, golden.height // 8, int(width * 0.7), golden.height // 8 + 17))
    swapped = Image.merge("RGB", [golden.getchannel(channel) for channel in "RBG"])
    moved = Image.new("RGB", golden.size, (255, 255, 255))
    moved.paste(golden, (1, 2))
    for picture, seen in ((golden, False), (moved, False), (gone, True), (swapped, True)):
        differing = binary_opening(_differences(picture, golden) > LEVELS, np.ones((2, 2)))
        assert (differing.sum() > ALLOWED) == seen


def _differences(picture, golden) -> np.ndarray:
    """Largest difference of a channel's mean in each block, ``(rows, columns)``, at the shift at which it is least."""
    pixels = np.asarray(picture, np.float32)
    stored = _blocks(np.asarray(golden, np.float32))
    return np.min(
        [
            np.abs(_blocks(np.roll(pixels, (down, right), (0, 1))) - stored).max(axis=2)
            for down in range(-SHIFT, SHIFT + 1)
            for right in range(-SHIFT, SHIFT + 1)
        ],
        axis=0,
    )


def _blocks(pixels: np.ndarray) -> np.ndarray:
    """Mean color of each block, ``(rows, columns, 3)``."""
    rows, columns = (side // BLOCK for side in pixels.shape[:2])
    return pixels[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, 3).mean(axis=(1, 3))
