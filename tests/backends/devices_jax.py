"""Trains on eight devices of JAX with and without the callback; run by test_devices.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np

from tb_cnndiag import CNNDiagnostics
from tests.models import compiled, images, plain

x, y = images(np.random.default_rng(0))


def weights(kind: str, callbacks: list[Any]) -> list[Any]:
    keras.utils.set_random_seed(1)
    devices = keras.distribution.list_devices()
    assert len(devices) == 8
    if kind == "data":
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    elif kind == "model":
        mesh = keras.distribution.DeviceMesh((2, 4), ["batch", "model"], devices)
        layout = keras.distribution.LayoutMap(mesh)
        layout[".*conv_b.*kernel"] = (None, None, None, "model")
        parallel = keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")
        keras.distribution.set_distribution(parallel)
    else:
        keras.distribution.set_distribution(None)
    model = compiled(plain(regularizer=keras.regularizers.L2(0.1)), "sgd")
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, shuffle=False, callbacks=callbacks)
    if kind == "model":
        assert len({str(shard.index) for shard in model.get_layer("conv_b").kernel.value.addressable_shards}) == 4
    return list(model.get_weights())


home = Path(sys.argv[1])
assert jax.device_count() == 8
for kind in ("one", "data", "model"):
    bare = weights(kind, [])
    callback = CNNDiagnostics(home / kind, probe=(x, y), budget=None, verbose=0, on_finding=lambda _: None)
    assert all(np.array_equal(a, b) for a, b in zip(bare, weights(kind, [callback]), strict=True)), kind
