"""Which backends are installed, without importing any of them."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# In the order of Keras' own preference.
BACKENDS = ("tensorflow", "jax", "torch")


def has_tensorflow() -> bool:
    """Whether TensorFlow is installed: ``keras.callbacks.TensorBoard`` needs it on every backend."""
    return find_spec("tensorflow") is not None


def choose_backend() -> None:
    """Let Keras use an installed backend if the user chose none and TensorFlow, Keras' default, is not installed."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules or (home / "keras.json").exists():
        return
    installed = [name for name in BACKENDS if find_spec(name) is not None]
    if installed and installed[0] != "tensorflow":
        os.environ["KERAS_BACKEND"] = installed[0]
