"""Data of the first round: photographs, faces, signals and volumes, none of which the other cases train on."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.faults.data import Data


@functools.cache
def first(name: str) -> Data:
    """Data by name, split so that no held-out patch or mirrored face is also trained on.

    ``"faces"`` (25 × 25, face or not), ``"materials"`` (20 × 20, brick, grass, gravel), ``"photos"`` (20 × 20 × 3
    patches of six pictures), ``"signals"`` (64 × 2, five shapes of wave), ``"volumes"`` (10 × 10 × 10, four bodies).
    """
    makers = {"faces": _faces, "materials": _materials, "photos": _photos, "signals": _signals, "volumes": _volumes}
    x, y, held_out = makers[name]()
    rng = np.random.default_rng(7)
    parts = []
    for chosen in (~held_out, held_out):
        order = rng.permutation(np.flatnonzero(chosen))
        parts += [x[order].astype(np.float32), y[order].astype(np.int64)]
    return Data(parts[0], parts[1], parts[2], parts[3], int(y.max()) + 1)


def _faces() -> tuple[Any, Any, Any]:
    """Labeled Faces in the Wild as kept by scikit-image, each also mirrored."""
    from skimage.data import lfw_subset

    x = lfw_subset()[..., None]
    y = np.repeat([1, 0], 100)
    held_out = np.arange(200) % 5 == 0
    return np.concatenate([x, x[:, :, ::-1]]), np.tile(y, 2), np.tile(held_out, 2)


def _patches(pictures: list[Any], size: int, each: int) -> tuple[Any, Any, Any]:
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
    return np.stack(x), np.array(y), np.array(held_out)


def _materials() -> tuple[Any, Any, Any]:
    from skimage import data

    return _patches([p[..., None] for p in (data.brick(), data.grass(), data.gravel())], 20, 480)


def _photos() -> tuple[Any, Any, Any]:
    from skimage import data

    kinds = (data.astronaut, data.coffee, data.chelsea, data.rocket, data.hubble_deep_field, data.immunohistochemistry)
    return _patches([kind() for kind in kinds], 20, 240)


def _signals(samples: int = 1500, length: int = 64) -> tuple[Any, Any, Any]:
    """Sine, square, saw-tooth, chirp and burst, of any pitch and phase; the second channel is a noisy echo."""
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
    return x, y, np.arange(samples) % 5 == 0


def _volumes(samples: int = 900, size: int = 10) -> tuple[Any, Any, Any]:
    """Ball, cube, shell and cross, anywhere in an empty cube with little noise."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 4, samples)
    grid = np.mgrid[:size, :size, :size]
    x = rng.normal(0, 0.05, (samples, size, size, size, 1))
    for body, kind in zip(x, y, strict=True):
        away = np.abs(grid - rng.integers(3, size - 3, 3).reshape(3, 1, 1, 1))
        far = np.sqrt((away**2).sum(axis=0))
        masks = (far < 2.6, away.max(axis=0) < 2, (far > 1.7) & (far < 3.2), np.sort(away, axis=0)[1] < 1)
        body[masks[kind] & (away.max(axis=0) < 4), 0] += rng.uniform(0.6, 1.0)
    return x, y, np.arange(samples) % 4 == 0


@functools.cache
def masks(samples: int = 320, size: int = 24) -> tuple[Any, Any]:
    """Noisy images of blobs ``(samples, size, size, 1)`` and the masks to be found in them."""
    from skimage.data import binary_blobs

    y = np.stack([binary_blobs(size, blob_size_fraction=0.25, volume_fraction=0.4, rng=i) for i in range(samples)])
    x = 0.35 + 0.3 * y + np.random.default_rng(5).normal(0, 0.12, y.shape)
    return x[..., None].astype(np.float32), y[..., None].astype(np.float32)


@functools.cache
def pitches() -> tuple[Any, Any]:
    """Sines ``(1000, 64, 1)`` in noise and how many turns each takes ``(1000,)``, from 2 to 10."""
    rng = np.random.default_rng(6)
    turns = rng.uniform(2, 10, 1000)
    time = np.linspace(0, 1, 64)
    x = np.sin(2 * np.pi * (turns[:, None] * time + rng.uniform(0, 1, (1000, 1)))) + rng.normal(0, 0.1, (1000, 64))
    return x[..., None].astype(np.float32), turns.astype(np.float32)
