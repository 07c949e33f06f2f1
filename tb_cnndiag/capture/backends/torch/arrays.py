"""Tensors of torch."""

from __future__ import annotations

from typing import Any

import keras


def to_host(structure: Any) -> Any:
    """Arrays for tensors and variables."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, structure)
