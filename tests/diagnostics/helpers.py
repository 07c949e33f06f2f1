"""Small looks for diagnostics to measure."""

from __future__ import annotations

import numpy as np

from tb_cnndiag.diagnostics import LayerLook, Look
from tb_cnndiag.payloads import LayerInfo


def layer_look(activation="", is_output=False, path="conv", kernel_shape=(), **data) -> LayerLook:
    info = LayerInfo(path, role="conv", activation=activation, output=is_output, kernel_shape=kernel_shape)
    return LayerLook(info, {name: np.asarray(values) for name, values in data.items()})


def model_look(*layers: LayerLook) -> Look:
    return Look(step=0, epoch=0, layers=layers, logs={})


def filters(units=24, fan_in=27, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(units, fan_in)).astype(np.float32)
