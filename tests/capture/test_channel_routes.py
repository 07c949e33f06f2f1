"""Routes of channels against what changes when a unit is silenced."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tb_cnndiag.capture.channel_routes import channel_routes
from tb_cnndiag.capture.layers import find_kernel_layers
from tb_cnndiag.capture.probe import Observer
from tb_cnndiag.numerics.influence import MIXED

L = keras.layers


def _plain() -> keras.Model:
    inputs = L.Input((8, 8, 3))
    x = L.Conv2D(4, 3, padding="same", name="a")(inputs)
    x = L.BatchNormalization()(x)
    x = L.ReLU()(x)
    x = L.MaxPooling2D()(x)
    x = L.Conv2D(5, 3, name="b")(x)
    x = L.Flatten()(x)
    return keras.Model(inputs, L.Dense(3, name="c")(x))


def _joined() -> keras.Model:
    inputs = L.Input((8, 8, 3))
    a = L.Conv2D(4, 3, padding="same", name="a")(inputs)
    b = L.Conv2D(4, 3, padding="same", name="b")(inputs)
    added = L.Add()([a, b])
    both = L.Concatenate()([added, L.Conv2D(2, 1, name="c")(a)])
    x = L.DepthwiseConv2D(3, name="d")(both)
    x = L.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, L.Dense(3, name="e")(x))


def _mixing() -> keras.Model:
    inputs = L.Input((8, 8, 3))
    x = L.Conv2D(4, 3, name="a")(inputs)
    x = L.Reshape((18, 8))(x)
    x = L.Conv1D(3, 1, name="c")(x)
    x = L.Permute((2, 1))(x)
    return keras.Model(inputs, L.Conv1D(3, 3, name="b")(x))


def _routes(model: keras.Model):  # type: ignore[no-untyped-def]
    layers = find_kernel_layers(model)
    observer = Observer(model, layers)
    observer.trace()
    assert observer.recording is not None
    return {
        path: [(source, units.tolist()) for source, units in found]
        for path, found in channel_routes(observer.recording, layers).items()
    }


def test_channels_are_followed_through_layers() -> None:
    routes = _routes(_plain())
    assert routes["a"] == []
    assert routes["b"] == [("a", [0, 1, 2, 3])]
    assert routes["c"] == [("b", [0, 1, 2, 3, 4] * 4)]


def test_sums_join_channels_and_concatenation_places_them() -> None:
    routes = _routes(_joined())
    assert dict(routes["c"]) == {"a": [0, 1, 2, 3]}
    assert dict(routes["d"]) == {"a": [0, 1, 2, 3, -1, -1], "b": [0, 1, 2, 3, -1, -1], "c": [-1, -1, -1, -1, 0, 1]}
    assert dict(routes["e"]) == {"d": [0, 1, 2, 3, 4, 5]}


def test_what_moves_channels_about_mixes_them() -> None:
    routes = _routes(_mixing())
    assert routes["c"] == [("a", [0, 1, 2, 3] * 2)]
    assert routes["b"] == [("c", [MIXED] * 18)]


@pytest.mark.parametrize("make", [_plain, _joined])
def test_a_unit_reaches_the_channels_of_its_routes_and_no_others(make) -> None:  # type: ignore[no-untyped-def]
    model = make()
    routes = _routes(model)
    x = np.random.default_rng(0).random((4, 8, 8, 3)).astype(np.float32)
    for path, found in routes.items():
        layer = model.get_layer(path)
        view = keras.Model(model.input, layer.input)
        for source, units in found:
            kernel, *rest = model.get_layer(source).get_weights()
            before = view(x).numpy()
            for unit in range(max(units) + 1):
                changed = kernel.copy()
                if model.get_layer(source).__class__.__name__ == "DepthwiseConv2D":
                    changed[..., unit, 0] += 1
                else:
                    changed[..., unit] += 1
                model.get_layer(source).set_weights([changed, *rest])
                moved = np.abs(view(x).numpy() - before).reshape(-1, before.shape[-1]).max(axis=0) > 1e-6
                direct = {channel for channel, own in enumerate(units) if own == unit}
                through = {
                    channel
                    for channel in np.flatnonzero(moved)
                    if channel not in direct and not any(other != source and t[channel] >= 0 for other, t in found)
                }
                assert direct <= set(np.flatnonzero(moved)), (path, source, unit)
                assert not through, (path, source, unit)
            model.get_layer(source).set_weights([kernel, *rest])
