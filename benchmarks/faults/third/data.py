"""Data of the third round: tables and pictures that come with scikit-learn, scikit-image and mlxtend."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.faults.data import Data, load


@functools.cache
def third(name: str) -> Data:
    """Data by name.

    ``"prints"`` (24 × 24 grey patches of four pictures), ``"views"`` (24 × 24 × 3 patches of five photographs); tables,
    each column with mean 0 and deviation 1: ``"cancer"`` (30 columns, two classes), ``"wine"`` (13, three),
    ``"circles"`` (2, two); to be regressed on: ``"cars"`` (7 columns, miles per gallon), ``"cars_named"``
    (with a column of NaN), ``"diabetes"`` (10, progression of the disease).
    A table's name with ``"_raw"`` behind it has its columns in their own units.
    ``"mnist"`` and ``"digits"`` are those of the other rounds.
    """
    if name in ("mnist", "digits"):
        return load(name)
    if name in ("prints", "views"):
        return _prints() if name == "prints" else _views()
    table = name.removesuffix("_raw")
    makers = {
        "cancer": _cancer, "wine": _wine, "circles": _circles, "cars": _cars, "cars_named": _named_cars,
        "diabetes": _diabetes,
    }  # fmt: skip
    x, y = makers[table]()
    order = np.random.default_rng(41).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order]
    border = 3 * len(x) // 4
    if not name.endswith("_raw"):
        x = (x - x[:border].mean(axis=0)) / x[:border].std(axis=0)
    classes = 1 if y.dtype.kind == "f" else int(y.max()) + 1
    y = y.astype(np.float32 if classes == 1 else np.int64)
    return Data(x[:border], y[:border], x[border:], y[border:], classes)


def _cancer() -> tuple[Any, Any]:
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(return_X_y=True)  # type: ignore[no-any-return]


def _wine() -> tuple[Any, Any]:
    from sklearn.datasets import load_wine

    return load_wine(return_X_y=True)  # type: ignore[no-any-return]


def _circles() -> tuple[Any, Any]:
    from sklearn.datasets import make_circles

    return make_circles(1200, noise=0.1, factor=0.5, random_state=1)  # type: ignore[no-any-return]


def _diabetes() -> tuple[Any, Any]:
    from sklearn.datasets import load_diabetes

    return load_diabetes(return_X_y=True, scaled=False)  # type: ignore[no-any-return]


def _cars() -> tuple[Any, Any]:
    """Cylinders, displacement, power, weight, acceleration, year and origin, and miles per gallon."""
    x, y = _named_cars()
    return x[:, :7], y


def _named_cars() -> tuple[Any, Any]:
    """The same with the column of names, which a reader of numbers has turned into NaN."""
    from mlxtend.data import autompg_data

    return autompg_data()  # type: ignore[no-any-return]


def patches(pictures: list[Any], size: int, each: int, seed: int, tile: int = 40) -> Data:
    """Random squares within tiles of pictures, scaled to 0 … 1; those held out are from a quarter of the tiles."""
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


def _prints() -> Data:
    from skimage import data

    pictures = (data.page(), data.coins(), data.grass(), data.brick())
    return patches([picture[..., None] for picture in pictures], 24, 280, 42)


def _views() -> Data:
    from skimage import data
    from sklearn.datasets import load_sample_images

    china, flower = load_sample_images().images
    pictures = [china[::2, ::2], flower[::2, ::2], data.retina()[300:1100:2, 300:1100:2], data.coffee()[::2, ::2]]
    return patches([*pictures, data.stereo_motorcycle()[0][::2, ::2]], 24, 220, 43)


@functools.cache
def coins(samples: int = 320, size: int = 24) -> tuple[Any, Any]:
    """Patches of the coins ``(samples, size, size, 1)``, 0 … 1, and where there is a coin in them, by Otsu's method.

    The last quarter of them is from the right quarter of the picture, the others are from what is left of it.
    """
    from scipy import ndimage
    from skimage import data, filters

    whole = data.coins()[10:, :].astype(np.float32)
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
    return x / 255, y
