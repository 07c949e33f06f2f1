"""What surrounds a program: its data sets, downloads and helper packages are replaced from outside."""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import keras
import numpy as np

from benchmarks.field import arrays, files

# Packages that programs import to draw, to report or to download: anything may be called, nothing happens.
PLACEHOLDERS = tuple(
    "IPython seaborn tensorflow_docs tensorflow_examples tensorflow_probability kagglehub official pydot regex "
    "sentencepiece tokenizers tqdm statsmodels pretty_midi fluidsynth tensorflow_text torch timm transformers "
    "safetensors huggingface_hub pkg_resources notebooks google.colab keras_tuner imageio".split()
)


def prepare(samples: int, checkouts: Path) -> None:
    """Replace data sets, downloads, missing packages and plots, for the life of this process."""
    sys.meta_path.append(_Placeholders())
    sys.path[:0] = [str(folder) for folder in sorted(checkouts.glob("*/")) if (folder / "pyproject.toml").exists()]
    sys.modules["tensorflow_datasets"] = _data_sets(samples)
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import pandas as pd
    import sklearn.datasets

    for name in ("show", "savefig"):
        setattr(plt, name, lambda *_, **__: None)
    read = pd.read_csv
    pd.read_csv = functools.wraps(read)(lambda file, *args, **kwargs: _table(read, file, *args, **kwargs))
    sklearn.datasets.fetch_california_housing = files.california
    roots: list[Any] = [keras]
    try:  # the namespace of ``tf.keras``
        from keras import _tf_keras

        roots.append(_tf_keras.keras)
    except ImportError:
        pass
    for root in roots:
        for loader in arrays.LOADERS:
            module = getattr(root.datasets, loader.__name__, None)
            if module is not None:
                module.load_data = _loader(loader, samples)
                module.get_word_index = lambda: {f"word{number}": number for number in range(1, 9000)}
        root.utils.get_file = downloaded
        root.utils.plot_model = lambda *_, **__: None


def downloaded(fname: str | None = None, origin: str | None = None, *_: Any, **__: Any) -> str:
    """A path in the directory of the program, where its ``before`` has put the file."""
    name = fname or str(origin).rsplit("/", 1)[-1]
    return str(Path(name).absolute())


def _loader(loader: Any, samples: int) -> Any:
    def load_data(*_: Any, num_words: int | None = None, **__: Any) -> Any:
        if loader in (arrays.imdb, arrays.reuters):
            return loader(samples, samples // 4, num_words)
        return loader(samples, samples // 4)

    return load_data


def _table(read: Any, file: Any, *args: Any, **kwargs: Any) -> Any:
    if not str(file).startswith("http"):
        return read(file, *args, **kwargs)
    frame = files.table(str(file).rsplit("/", 1)[-1])
    names = kwargs.get("names") or (args[0] if args else None)
    if names:
        frame.columns = names
    return frame


class _Placeholders(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports of packages that are not installed."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if any(name == known or name.startswith(f"{known}.") for known in PLACEHOLDERS):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        if spec.name == "regex":
            import re

            return re
        module = _Placeholder(spec.name)
        if spec.name == "IPython":  # Matplotlib asks which version runs it
            module.__dict__.update(version_info=(9, 0, 0), get_ipython=lambda: None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Placeholder(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = MagicMock(name=f"{self.__name__}.{name}")
        if name == "tqdm":
            value.side_effect = lambda items, *_, **__: items
        setattr(self, name, value)
        return value


def _data_sets(samples: int) -> ModuleType:
    """A module that loads what programs load from ``tensorflow_datasets``."""
    module = _Placeholder("tensorflow_datasets")
    module.__dict__.update(load=functools.partial(_load, samples), __version__="stand-in")
    return module


def _load(samples: int, name: str, split: Any = None, as_supervised: bool = False, **options: Any) -> Any:
    import tensorflow as tf

    name = name.split(":")[0]
    if name.startswith("penguins"):
        rng = np.random.default_rng(15)
        y = rng.integers(0, 3, 334)
        x = (0.15 * rng.normal(size=(334, 4)) + 0.2 + 0.3 * np.eye(4)[y]).astype(np.float32)
    elif name == "mnist":
        (x, y), _ = arrays.mnist(samples, 1)
        x = x[..., None]
    elif name == "imdb_reviews":
        rng = np.random.default_rng(16)
        y = rng.integers(0, 2, samples)
        x = np.array([files.review(rng, bool(label)).encode() for label in y])
    else:  # photographs
        (x, y), _ = arrays.cifar10(samples, 1)
        x, y = x.repeat(3, axis=1).repeat(3, axis=2), y[:, 0] % 5
    y = y.astype(np.int64)

    def part(which: str) -> Any:
        low, high = _bounds(which, len(x))
        given = (x[low:high], y[low:high])
        return tf.data.Dataset.from_tensor_slices(given if as_supervised else {"image": given[0], "label": given[1]})

    if split is None:
        split = {key: key for key in ("train", "test")}
    chosen = keras.tree.map_structure(part, split)
    info = MagicMock()
    info.features["label"].num_classes = len(np.unique(y))
    info.features.__getitem__.return_value = MagicMock(num_classes=len(np.unique(y)))
    return (chosen, info) if options.get("with_info") else chosen


def _bounds(which: str, count: int) -> tuple[int, int]:
    """First and last sample of ``"train[20%:]"``; without a bound the first three quarters, the rest for a test."""
    if "[" not in which:
        return (0, 3 * count // 4) if which.startswith("train") else (3 * count // 4, count)
    low, high = which.split("[")[1].rstrip("]").replace("%", "").split(":")
    return int(low or 0) * count // 100, int(high or 100) * count // 100
