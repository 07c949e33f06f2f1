"""Layers of one kind and shape share the operations of their reductions."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag.capture.backends.tensorflow import passes
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.capture.reductions import REDUCTIONS

# Of a layer: 7 of the model and its variables, the call, and one for each of what it returns.
MOST_OPERATIONS = 24


def _operations(depth: int, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> int:
    """Operations of the graph of a pass through so many convolutions."""
    inputs = x = keras.Input((8, 8, 4))
    for _ in range(depth):
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    inspector = ModelInspector({"": keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))})
    inspector.set_probe("", Samples(rng.normal(size=(16, 8, 8, 4)).astype(np.float32), None, "given"))
    traced: list[Any] = []
    compiled_for = passes._compiled_for

    def noticed(*arguments: Any) -> Any:
        traced.append(compiled_for(*arguments))
        return traced[-1]

    with monkeypatch.context() as patched:
        patched.setattr(passes, "_compiled_for", noticed)
        found = inspector.activations(tuple(REDUCTIONS))
    assert len(found) == depth + 1
    return len(traced[0].graph.get_operations())


def test_a_further_layer_of_a_known_kind_adds_few_operations(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    few, many = (_operations(depth, monkeypatch, rng) for depth in (4, 24))
    assert many - few <= 20 * MOST_OPERATIONS
