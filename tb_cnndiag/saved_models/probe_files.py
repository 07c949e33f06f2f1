"""Samples for a probe: from ``.npz`` and ``.npy`` files, a directory of images, or a function."""

from __future__ import annotations

import re
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
# Most images that are read from a directory, evenly from its classes.
MOST_IMAGES = 512
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class ProbeError(ValueError):
    """The probe cannot be read; the message says why and what to do."""


def load_probe(given: str, shape: tuple[int | None, ...] | None = None) -> Any:
    """The samples ``x`` or ``(x, y)`` that a command line names.

    Args:
        given: An ``.npz`` file with ``x`` and perhaps ``y``, an ``.npy`` file with ``x``, a directory of images whose
            folders are classes, or ``module:function``, a function of your own that returns ``x`` or ``(x, y)``.
        shape: ``(height, width, channels)`` that images are given; None: that of the first image.

    Raises:
        ProbeError: If there is nothing to read, or not of these kinds.
    """
    path = Path(given)
    if path.is_dir():
        return _images(path, shape)
    if not path.exists() and _FUNCTION.fullmatch(given):
        return _called(given)
    try:
        loaded = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ProbeError(
            f"{path} is not an .npz or .npy file of numbers ({error}). Save it by np.savez(path, x=x)."
        ) from None
    except OSError as error:
        raise ProbeError(str(error)) from None
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded as arrays:
        if "x" not in arrays:
            raise ProbeError(
                f"{path} has {', '.join(arrays) or 'no arrays'}, but not x. Save it by np.savez(path, x=x)."
            )
        try:
            return (arrays["x"], arrays["y"]) if "y" in arrays else arrays["x"]
        except (ValueError, zipfile.BadZipFile) as error:
            raise ProbeError(
                f"{path} is not an .npz or .npy file of numbers ({error}). Save it by np.savez(path, x=x)."
            ) from None


def _called(given: str) -> Any:
    module, _, name = given.partition(":")
    try:
        function = getattr(import_module(module), name)
        return function()
    except Exception as error:  # the user's function may raise anything
        raise ProbeError(f"--probe {given}: {type(error).__name__}: {error}") from None


def _images(folder: Path, shape: tuple[int | None, ...] | None) -> Any:
    """Images of a directory as ``x``; of its folders, if it has some, as ``(x, y)`` with their numbers in y."""
    folders = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    classes = [_named(each) for each in folders] if folders else [_named(folder)]
    if not any(classes):
        raise ProbeError(f"{folder} has no images. Images are files that end in {', '.join(IMAGES)}.")
    each = max(MOST_IMAGES // len(classes), 1)
    x, y = [], []
    for number, files in enumerate(classes):
        for file in files[:each]:
            x.append(_image(file, shape))
            y.append(number)
            shape = shape if shape is not None and None not in shape else x[0].shape
    stacked = np.stack(x)
    return (stacked, np.array(y)) if folders else stacked


def _named(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.suffix.lower() in IMAGES)


def _image(file: Path, shape: tuple[int | None, ...] | None) -> NDArray[np.float32]:
    """One image as 0..255, ``(height, width, channels)``."""
    import keras

    height, width, channels = shape if shape is not None and len(shape) == 3 else (None, None, None)
    mode = "grayscale" if channels == 1 else "rgb"
    size = (height, width) if height and width else None
    try:
        return np.asarray(keras.utils.img_to_array(keras.utils.load_img(file, color_mode=mode, target_size=size)))
    except ImportError as error:
        raise ProbeError(f"Reading images needs Pillow: pip install pillow ({error}).") from None
    except Exception as error:  # an image can be broken in any way
        raise ProbeError(f"{file} is not an image that can be read ({type(error).__name__}).") from None
