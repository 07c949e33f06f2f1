"""Small snapshots for diagnostics to measure."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics import LayerSnapshot, Snapshot
from tb_cnndiag.payloads import LayerInfo


def layer_snapshot(activation="", is_output=False, path="conv", kernel_shape=(), **data) -> LayerSnapshot:
    info = LayerInfo(path, role="conv", activation=activation, output=is_output, kernel_shape=kernel_shape)
    return LayerSnapshot(info, {name: np.asarray(values) for name, values in data.items()})


def model_snapshot(*layers: LayerSnapshot) -> Snapshot:
    return Snapshot(step=0, epoch=0, layers=layers, logs={})


def filters(units=24, fan_in=27, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(units, fan_in)).astype(np.float32)
