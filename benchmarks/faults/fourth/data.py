"""Data of the fourth round: pictures of the size of CIFAR, grey ones of the size of MNIST, houses and irises."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.faults.data import Data, load
from benchmarks.faults.first.data import first
from benchmarks.faults.second.data import second
from benchmarks.faults.third.data import patches, third

_OF_OTHER_ROUNDS = {
    **dict.fromkeys(("mnist", "digits", "shapes"), load),
    **dict.fromkeys(("faces", "materials", "photos"), first),
    **dict.fromkeys(("glyphs", "toys"), second),
    **dict.fromkeys(("prints", "views", "cancer", "wine"), third),
}


@functools.cache
def fourth(name: str) -> Data:
    """Data by name.

    ``"snaps"`` (32 × 32 × 3 patches of five photographs), ``"grounds"`` (28 × 28 grey patches of five pictures);
    tables, each column with mean 0 and deviation 1: ``"housing"`` (13 columns, price in thousands of dollars),
    ``"iris"`` (4, three classes); ``"housing_raw"`` has its columns in their own units. Others are of earlier rounds.
    """
    if name in _OF_OTHER_ROUNDS:
        return _OF_OTHER_ROUNDS[name](name)
    if name in ("snaps", "grounds"):
        return _snaps() if name == "snaps" else _grounds()
    return _table(name)


def _table(name: str) -> Data:
    from mlxtend.data import boston_housing_data, iris_data

    x, y = iris_data() if name == "iris" else boston_housing_data()
    order = np.random.default_rng(71).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order]
    border = 3 * len(x) // 4
    if not name.endswith("_raw"):
        x = (x - x[:border].mean(axis=0)) / x[:border].std(axis=0)
    y = y.astype(np.int64 if name == "iris" else np.float32)
    return Data(x[:border], y[:border], x[border:], y[border:], 3 if name == "iris" else 1)


def _snaps() -> Data:
    from skimage import data

    kinds = (data.chelsea, data.coffee, data.rocket, data.astronaut, data.immunohistochemistry)
    pictures: list[Any] = [kind()[::2, ::2] for kind in kinds]
    return patches(pictures, 32, 160, 72, tile=36)


def _grounds() -> Data:
    from skimage import data

    kinds = (data.camera, data.gravel, data.grass, data.brick, data.coins)
    return patches([kind()[..., None] for kind in kinds], 28, 200, 73, tile=40)
