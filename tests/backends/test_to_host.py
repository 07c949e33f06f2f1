"""Arrays leave a device by one function of each backend, a few times per snapshot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.capture.backends import backend
from tests.models import compiled, images

PACKAGE = Path(__file__).parents[2] / "tb_cnndiag"
CONVERSIONS = re.compile(r"convert_to_numpy|\.numpy\(\)|device_get|\.cpu\(\)|\.tolist\(\).*tensor")
# Calls of a snapshot with everything: counters, the probe and its labels, weights, gradients, taps, the optimizer.
MOST = 16


def test_nothing_else_converts_arrays_of_a_device() -> None:
    allowed = {PACKAGE / "capture" / "backends" / name / "arrays.py" for name in ("tensorflow", "jax", "torch")}
    found = {
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in PACKAGE.rglob("*.py")
        if path not in allowed
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if CONVERSIONS.search(line)
    }
    assert not found


@pytest.mark.parametrize("depth", [2, 8])
def test_the_calls_of_a_snapshot_do_not_grow_with_the_network(
    depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    original = backend().to_host

    def counted(structure: Any) -> Any:
        calls.append(structure)
        return original(structure)

    monkeypatch.setattr(backend(), "to_host", counted)
    x, y = images(np.random.default_rng(0))
    convolutions = [layers.Conv2D(4, 3, padding="same", activation="relu") for _ in range(depth)]
    model = compiled(keras.Sequential([keras.Input((12, 12, 1)), *convolutions, layers.Flatten(), layers.Dense(4)]))
    seen = []

    class Counts(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(len(calls))
            calls.clear()

    ours = CNNDiagnostics(tmp_path, probe=(x, y), budget=None, verbose=0, on_finding=lambda _: None)
    model.fit(x, y, epochs=3, batch_size=32, verbose=0, callbacks=[ours, Counts()])
    assert 0 < seen[1] <= MOST
