"""The distribution of the activations of single units over the probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.positions import by_position
from tb_cnndiag.numerics.activations import RANGE
from tb_cnndiag.numerics.density import densities
from tb_cnndiag.payloads import DiagnosticInfo, FloatArray, LayerInfo, UnitDensities
from tb_cnndiag.unit_images.passes import Passes

# Images of the probe, and values of a unit, of which the density is estimated.
SAMPLES, MOST_VALUES = 256, 1 << 15
# Points of a curve.
POINTS = 64

UNIT_DENSITIES = DiagnosticInfo(
    "unit_densities",
    "Densities of units",
    "How the activations of a single unit are distributed over the probe. A unit that is selective is near its lowest "
    "value for most images and positions and far above it for a few.",
)


def unit_densities(
    passes: Passes, chosen: Sequence[tuple[KernelLayer, Sequence[int]]], table: Mapping[str, LayerInfo]
) -> dict[str, UnitDensities]:
    """Densities of some units of layers, by path, from the first images of the probe.

    Each image gives as many evenly drawn positions, as many as ``MOST_VALUES`` allow.
    """
    samples = np.arange(min(len(passes.inputs.pictures), SAMPLES))
    size = passes.inputs.batch(len(samples))
    parts: dict[str, list[FloatArray]] = {layer.path: [] for layer, _ in chosen}
    for start in range(0, len(samples), size):
        record = passes.recorded(samples[start : start + size])
        for layer, units in chosen:
            tensor = by_position(layer, record.observe(layer, record.of(layer.layer)[0]).tensor)
            parts[layer.path].append(np.asarray(to_host(_some(tensor, units, len(samples))), np.float32))
    found = {}
    for layer, units in chosen:
        values = np.concatenate(parts[layer.path])
        order = np.argsort(units)
        bounds = RANGE.get(table[layer.path].activation, (None, None))
        curves = densities([values[:, :, i] for i in order], bounds=[bounds] * len(units), points=POINTS)
        found[layer.path] = UnitDensities(np.asarray(units, np.int64)[order], tuple(curves))
    return found


def _some(tensor: Any, units: Sequence[int], samples: int) -> Any:
    """Activations ``(samples, positions, units)`` of some units at some positions, the same for every image."""
    own = keras.ops.take(tensor, np.asarray(units, np.int32), axis=2)
    positions = int(own.shape[1])
    most = max(1, MOST_VALUES // samples)
    if positions > most:
        drawn = np.sort(np.random.default_rng(0).choice(positions, most, replace=False)).astype(np.int32)
        own = keras.ops.take(own, drawn, axis=1)
    return keras.ops.cast(own, "float32")
