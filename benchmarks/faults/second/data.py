"""Data of the second round: letters, spectra, heartbeats, gratings, toys, clips, sounds; and what is regressed on."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.faults.data import Data


@functools.cache
def second(name: str) -> Data:
    """Data by name, three quarters of it to train on.

    ``"glyphs"`` (20 × 20, eight letters), ``"spectra"`` (128, five substances), ``"heartbeats"`` (96, three kinds),
    ``"gratings"`` (20 × 20, six directions), ``"toys"`` (16 × 16 × 3, four shapes), ``"clips"`` (6 × 12 × 12, a dot
    that moves in four directions), ``"sounds"`` (24 × 24 spectrograms, five kinds).
    """
    makers = {
        "glyphs": _glyphs, "spectra": _spectra, "heartbeats": _heartbeats, "gratings": _gratings, "toys": _toys,
        "clips": _clips, "sounds": _sounds,
    }  # fmt: skip
    x, y = makers[name]()
    x, y = x.astype(np.float32), y.astype(np.int64)
    border = 3 * len(x) // 4
    return Data(x[:border], y[:border], x[border:], y[border:], int(y.max()) + 1)


def _glyphs(samples: int = 1280, size: int = 20) -> tuple[Any, Any]:
    """Letters of Pillow's own font, turned, moved, larger and smaller, in noise."""
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
    return x.clip(0, 1), y


def _spectra(samples: int = 1200, length: int = 128) -> tuple[Any, Any]:
    """Three peaks a substance, of any height and slightly moved, on a sloping ground."""
    rng = np.random.default_rng(22)
    y = rng.integers(0, 5, samples)
    peaks = np.random.default_rng(5).uniform(15, length - 15, (5, 3))
    at = np.arange(length)
    x = rng.uniform(-0.3, 0.3, (samples, 1)) * at / length + rng.uniform(0.1, 0.4, (samples, 1))
    for i in range(3):
        middle = peaks[y, i, None] + rng.normal(0, 1.5, (samples, 1))
        x += rng.uniform(0.2, 0.9, (samples, 1)) * np.exp(-((at - middle) ** 2) / rng.uniform(4, 30, (samples, 1)))
    return (x + rng.normal(0, 0.04, x.shape))[..., None], y


def _heartbeats(samples: int = 1200, length: int = 96) -> tuple[Any, Any]:
    """Two beats each: regular, the second one early and broad, or with the ground raised behind the peak."""
    rng = np.random.default_rng(23)
    y = rng.integers(0, 3, samples)
    at = np.arange(length)
    first = rng.uniform(12, 25, (samples, 1))
    early = (y == 1)[:, None]
    behind = first + np.where(early, rng.uniform(20, 26, (samples, 1)), rng.uniform(38, 48, (samples, 1)))
    x = 0.2 * np.sin(2 * np.pi * (at / length + rng.uniform(0, 1, (samples, 1))))
    for middle, broad in ((first, False), (behind, early)):
        x += np.exp(-((at - middle) ** 2) / np.where(broad, 18, 3)) + 0.2 * np.exp(-((at - middle - 12) ** 2) / 20)
        x += 0.3 * (y == 2)[:, None] * ((at > middle + 2) & (at < middle + 11))
    return (x + rng.normal(0, 0.05, x.shape))[..., None], y


def _striped(turn: Any, rng: Any, size: int = 20) -> Any:
    """Gratings ``(samples, size, size, 1)`` in these directions (radians), of any pitch and phase."""
    row, column = np.mgrid[:size, :size] / size
    turn = turn[:, None, None]
    along = row * np.sin(turn) + column * np.cos(turn)
    pitch, phase = rng.uniform(2.5, 4.5, turn.shape), rng.uniform(0, 1, turn.shape)
    x = 0.5 + 0.4 * np.sin(2 * np.pi * (pitch * along + phase)) + rng.normal(0, 0.1, (len(turn), size, size))
    return x[..., None]


def _gratings(samples: int = 1200) -> tuple[Any, Any]:
    rng = np.random.default_rng(24)
    y = rng.integers(0, 6, samples)
    return _striped(np.pi / 6 * (y + rng.uniform(-0.3, 0.3, samples)), rng), y


def _shape(kind: int, row: Any, column: Any) -> Any:
    """Square, triangle, ring or cross about the origin of these coordinates."""
    far = np.sqrt(row**2 + column**2)
    return (
        (abs(row) < 3) & (abs(column) < 3),
        (row < 3) & (row > -4) & (abs(column) < (row + 4) / 2),
        (far > 1.8) & (far < 3.6),
        ((abs(row) < 1) & (abs(column) < 4)) | ((abs(column) < 1) & (abs(row) < 4)),
    )[kind]


def _toys(samples: int = 1200) -> tuple[Any, Any]:
    return coloured(samples)[0], coloured(samples)[1]


@functools.cache
def coloured(samples: int = 1200, size: int = 16) -> tuple[Any, Any, Any]:
    """Images of one shape on a dark ground, which of four shapes, and whether red, green or blue."""
    rng = np.random.default_rng(25)
    kind, colour = rng.integers(0, 4, samples), rng.integers(0, 3, samples)
    row, column = np.mgrid[:size, :size]
    x = rng.normal(0.15, 0.05, (samples, size, size, 3))
    for image, k, c in zip(x, kind, colour, strict=True):
        r, s = rng.uniform(4, size - 5, 2)
        image[_shape(k, row - r, column - s)] += 0.2 + 0.6 * np.eye(3)[c] * rng.uniform(0.6, 1)
    return x.clip(0, 1).astype(np.float32), kind, colour


@functools.cache
def scenes(samples: int = 1200, size: int = 20) -> tuple[Any, Any, Any]:
    """Images of several shapes, which of the four are in them ``(samples, 4)``, and the class of each pixel (0 … 4)."""
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


def _clips(samples: int = 900, frames: int = 6, size: int = 12) -> tuple[Any, Any]:
    """A dot that moves up, down, left or right, a pixel a frame."""
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
    return x, y


def _sounds(samples: int = 1200, size: int = 24) -> tuple[Any, Any]:
    """Spectrograms: a tone that rises, falls, stays or warbles, or clicks."""
    rng = np.random.default_rng(28)
    y = rng.integers(0, 5, samples)
    frequency, time = np.mgrid[:size, :size]
    x = rng.exponential(0.08, (samples, size, size))
    for image, kind in zip(x, y, strict=True):
        middle, slope = rng.uniform(8, 16), rng.uniform(0.25, 0.6)
        line = middle + (
            slope * (time - 12), -slope * (time - 12), 0 * time, 3 * np.sin(time * rng.uniform(0.7, 1.2)), 0 * time
        )[kind]  # fmt: skip
        tone = np.exp(-((frequency - line) ** 2) / 2)
        image += rng.uniform(0.5, 1) * (tone if kind < 4 else (time % rng.integers(5, 9) == 0))
    return x[..., None].clip(0, 1.5), y


@functools.cache
def turned(samples: int = 1000) -> tuple[Any, Any]:
    """Gratings and their directions in radians, 0 … π."""
    rng = np.random.default_rng(29)
    turn = rng.uniform(0, np.pi, samples)
    return _striped(turn, rng).astype(np.float32), turn.astype(np.float32)


@functools.cache
def crowds(samples: int = 1000, size: int = 20, most: int = 8) -> tuple[Any, Any]:
    """Images ``(samples, size, size, 1)`` of 0 … ``most`` spots and how many there are ``(samples, 1)``."""
    rng = np.random.default_rng(30)
    y = rng.integers(0, most + 1, samples)
    row, column = np.mgrid[:size, :size]
    x = rng.normal(0.1, 0.05, (samples, size, size, 1))
    for image, many in zip(x, y, strict=True):
        for r, c in rng.uniform(1, size - 2, (many, 2)):
            image[..., 0] += 0.8 * np.exp(-((row - r) ** 2 + (column - c) ** 2) / 1.5)
    return x.astype(np.float32), y[:, None].astype(np.float32)


@functools.cache
def spots(samples: int = 1000, size: int = 16) -> tuple[Any, Any]:
    """Images of one spot and its place ``(samples, 2)``, 0 … 1."""
    rng = np.random.default_rng(31)
    y = rng.uniform(0.1, 0.9, (samples, 2))
    row, column = np.mgrid[:size, :size]
    away = (row - size * y[:, :1, None]) ** 2 + (column - size * y[:, 1:, None]) ** 2
    x = np.exp(-away / 3) + rng.normal(0, 0.08, away.shape)
    return x[..., None].astype(np.float32), y.astype(np.float32)


@functools.cache
def pictures(samples: int = 700, size: int = 16) -> Any:
    """Squares ``(samples, size, size, 3)`` of two photographs of scikit-learn, halved in size, 0 … 1."""
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(32)
    whole = [image[::2, ::2] / 255 for image in load_sample_images().images]
    squares = []
    for i in range(samples):
        image = whole[i % 2]
        r, c = rng.integers(0, image.shape[0] - size), rng.integers(0, image.shape[1] - size)
        squares.append(image[r : r + size, c : c + size])
    return np.stack(squares).astype(np.float32)
