"""What the backends without a tapped graph share: observations of single steps, kept until they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends.base import SLOTS, Fired
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.positions import by_position
from tb_cnndiag.capture.recorder import Recording
from tb_cnndiag.capture.reductions import sample_max
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.payloads import FloatArray

# Number of observed batches that are kept.
HISTORY = 1024


class FiringLog:
    """Which units fired in each observed batch."""

    def __init__(self, layers: int) -> None:
        """``layers``: Number of kernel layers."""
        self._layers = layers
        self._batches: deque[tuple[Mapping[int, Any], int]] = deque(maxlen=HISTORY)

    def add(self, fired: Mapping[int, Any], samples: int) -> None:
        """One batch: row of each observed layer → ``(units,)`` bool."""
        if fired and samples:
            self._batches.append((fired, samples))

    def read(self, to_host: Any) -> Fired | None:
        """What was observed since the last call, in the later half of it; None if that is nothing."""
        late = list(self._batches)[len(self._batches) // 2 :]
        self._batches.clear()
        if not late:
            return None
        arrays = to_host([fired for fired, _ in late])
        units = [
            np.any([each[row] for each in arrays], axis=0) if all(row in each for each in arrays) else None
            for row in range(self._layers)
        ]
        return Fired(units, len(late), sum(samples for _, samples in late))


class NormLog:
    """The norm of each kernel's gradient in each observed step, on the device until it is read."""

    def __init__(self) -> None:
        self._steps: list[tuple[Any, Any]] = []

    def add(self, norms: Any, present: Any) -> None:
        """One step: norms, and 1 where there was a gradient, else 0, ``(layers,)`` each."""
        self._steps.append((norms, present))

    def read(self, to_host: Any) -> FloatArray | None:
        """As from :func:`mean_norms` since the last call; None if no step was observed."""
        steps, self._steps = self._steps, []
        if not steps:
            return None
        norms, present = zip(*to_host(steps), strict=True)
        return mean_norms(np.stack(norms), np.stack(present))


def units_that_fire(record: Recording, layers: Sequence[KernelLayer]) -> dict[int, Any]:
    """Row of each rectified layer → whether each unit fired in any call, sample and position, ``(units,)`` bool."""
    ops = keras.ops
    fired: dict[int, Any] = {}
    for row, layer in enumerate(layers):
        calls = record.of(layer.layer)
        seen = [record.observe(layer, call) for call in calls if call.in_this_graph]
        if seen and len(seen) == len(calls) and all(each.activation in RECTIFIED for each in seen):
            maxima = [ops.max(sample_max(ops, by_position(layer, each.tensor)), axis=0) for each in seen]
            fired[row] = ops.any(ops.stack(maxima) > 0, axis=0)
    return fired


def mean_norms(norms: FloatArray, present: FloatArray) -> FloatArray:
    """Mean norm, number of finite and of non-finite steps, ``(layers, 3)``.

    Args:
        norms: The norm in each step, ``(steps, layers)``.
        present: 1 where a step had a gradient, else 0, ``(steps, layers)``.
    """
    finite = np.isfinite(norms) & (present > 0)
    count = finite.sum(axis=0)
    total = np.where(finite, norms, 0).sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, total / count, np.nan)
    return np.stack([mean, count, (present > 0).sum(axis=0) - count], axis=1)


def first_samples(structure: Any) -> Any:
    """The first samples of a structure of tensors ``(samples, …)``, with None where it has None."""
    return keras.tree.map_structure(lambda a: None if a is None else a[:SLOTS], structure)


def samples_in(data: Any) -> int:
    """Number of samples in a batch; 0 if it has no arrays."""
    lengths = [a.shape[0] for a in keras.tree.flatten(data) if len(getattr(a, "shape", ()))]
    return int(lengths[0]) if lengths else 0
