"""From a file to a model: the model as it was saved or, if Keras cannot build it, its weights alone."""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras

from tb_cnndiag.saved_models.training_config import compile_as_saved
from tb_cnndiag.saved_models.weights_only import NoKernelsError, weights_only

ENDINGS = (".keras", ".h5", ".hdf5")
# What a serialized layer or function has that is code: its bytecode, which safe mode does not load.
_CODE = ("__lambda__",)


class LoadError(ValueError):
    """The file cannot be loaded; the message says why and what to do."""


@dataclass(frozen=True)
class SavedModel:
    """A loaded model.

    Attributes:
        model: A Keras model, compiled as it was saved where that is known.
        notes: What the file has that could not be loaded, one sentence each.
        callable: Whether the model can be called; False if only its weights were loaded.
    """

    model: Any
    notes: tuple[str, ...] = ()
    callable: bool = True


def load(path: Path) -> SavedModel:
    """Load a model without executing code from its file, and without warnings of Keras.

    Raises:
        LoadError: If the file does not exist, is not a model, is cut off, or has no kernels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # e.g. that the optimizer has no variables yet
        return _load(path)


def _load(path: Path) -> SavedModel:
    if not path.is_file():
        raise LoadError(f"{path} does not exist. Give a model saved by model.save(): a .keras or .h5 file.")
    try:
        if zipfile.is_zipfile(path):
            return _load_keras(path)
        if h5py.is_hdf5(path):
            return _load_hdf5(path)
    except NoKernelsError as error:
        raise LoadError(f"{path}: {error}") from None
    except (OSError, zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise LoadError(f"{path} is damaged ({in_short(error)}). Save the model again.") from None
    raise LoadError(f"{path} cannot be loaded: {_what(path)}")


def _what(path: Path) -> str:
    """What a file is instead of a model, and what to do."""
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        return "it is empty."
    if head[:1] == b"\x80" and 2 <= head[1] <= 5:
        return "it is a pickle, which can execute code and is not read. Save the model by model.save('model.keras')."
    if head.startswith(b"PK"):
        return "the zip archive is cut off. Copy it again."
    if path.suffix == ".pb":
        return (
            "SavedModel directories are not supported. Load it in Python and pass the model: tb_cnndiag.audit(model)."
        )
    return "it is neither a .keras archive nor an HDF5 file. Save the model by model.save('model.keras')."


def _load_keras(path: Path) -> SavedModel:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "config.json" not in names:
            raise LoadError(f"{path} cannot be loaded: it is a zip archive, but not a Keras model (no config.json).")
        if (damaged := archive.testzip()) is not None:
            raise LoadError(f"{path} is damaged: {damaged} in it is cut off. Copy it again.")
        config = json.loads(archive.read("config.json"))
    reason = _refusal(config)
    if not reason:
        try:
            return SavedModel(keras.models.load_model(path, safe_mode=True))
        except Exception as error:  # Keras passes on any error of its parts
            reason = in_short(error)
        try:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
            note = f"The training configuration of {path.name} cannot be loaded ({reason}): its loss is not known."
            return SavedModel(model, (note,))
        except Exception as error:
            reason = in_short(error)
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file, h5py.File(file, "r") as weights:
        return SavedModel(weights_only(weights, path.stem), (_weights_note(path, reason),), callable=False)


def _load_hdf5(path: Path) -> SavedModel:
    with h5py.File(path, "r") as file:
        text = _attribute(file, "model_config")
        if text is None:
            note = f"{path.name} has weights without a model: only its weights are audited."
            return SavedModel(weights_only(file, path.stem), (note,), callable=False)
        training = _attribute(file, "training_config")
        reason = _refusal(json.loads(text))
        if not reason:
            try:
                model = keras.models.load_model(path, compile=False)
            except Exception as error:  # Keras passes on any error of its parts
                reason = in_short(error)
            else:
                return SavedModel(model, compile_as_saved(model, training, path.name))
        return SavedModel(weights_only(file, path.stem), (_weights_note(path, reason),), callable=False)


def _weights_note(path: Path, reason: str) -> str:
    return (
        f"Keras {keras.__version__} cannot build {path.name} ({reason}): only its weights are audited. If the model "
        "has layers of its own, name the module that registers them: --import my_package.layers."
    )


def _attribute(file: Any, name: str) -> str | None:
    value = file.attrs.get(name)
    return value.decode() if isinstance(value, bytes) else value


def _refusal(config: Any) -> str:
    """Why a config is not loaded: it holds code; empty if it holds none. Older versions of Keras would execute it."""
    for found in _dictionaries(config):
        if found.get("class_name") in _CODE:
            return "it holds the bytecode of a function, which is not executed"
        if found.get("class_name") == "Lambda" and isinstance(
            (found.get("config") or {}).get("function"), list | tuple
        ):
            return "it holds the bytecode of a Lambda layer, which is not executed"
    return ""


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    open_ = [value]
    while open_:
        each = open_.pop()
        if isinstance(each, dict):
            yield each
            open_ += each.values()
        elif isinstance(each, list | tuple):
            open_ += each


def in_short(error: Exception) -> str:
    """The kind of an error and the first lines of its message, without terminal colors."""
    lines = [line.strip() for line in re.sub("\x1b\\[[0-9;]*m", "", str(error)).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])[:200].rstrip('.')}"
