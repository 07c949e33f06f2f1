"""Which backends are installed, without importing any of them."""

from __future__ import annotations

import json
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
    """Let Keras use an installed backend if the one that it would use is not installed."""
    if "KERAS_BACKEND" in os.environ or "keras" in sys.modules or find_spec(_configured()) is not None:
        return
    installed = [name for name in BACKENDS if find_spec(name) is not None]
    if installed:
        os.environ["KERAS_BACKEND"] = installed[0]


def _configured() -> str:
    """The backend in Keras' configuration file, which Keras writes itself when it is first imported."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    try:
        configured = json.loads((home / "keras.json").read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        return BACKENDS[0]
    return configured if configured in BACKENDS else BACKENDS[0]
