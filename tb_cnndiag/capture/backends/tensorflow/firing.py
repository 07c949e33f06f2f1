"""Records which rectified units fire during training, from the outputs that the train step computes anyway.

While the train step is traced, every layer's output is recorded. The same graph computes their maxima on some of the
batches. This happens outside the step's gradient tape, and nothing in the step depends on it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tb_cnndiag.capture.backends.base import Fired
from tb_cnndiag.capture.backends.tensorflow.arrays import to_host
from tb_cnndiag.capture.backends.tensorflow.distribution import local_parts, local_variable, scope, set_local
from tb_cnndiag.capture.guard import FIRING, Guard
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.positions import channels_last
from tb_cnndiag.capture.recorder import Recording, ReplicaRecorder
from tb_cnndiag.numerics.activations import RECTIFIED

# The first batches after each snapshot are observed, then every 16th batch.
FIRST_BATCHES = 8
BATCH_INTERVAL = 16
# Number of observed batches whose sizes are kept.
SIZE_HISTORY = 1024


class Firing:
    """Keeps the number of the last observed batch in which each unit fired.

    It observes layers that are called directly in the step's graph, not layers called inside a loop, a branch or a
    nested ``tf.function``. Of several replicas each keeps this for its own part of the batch; they are joined when they
    are read, so no step waits for another replica because of it.
    """

    def __init__(self, model: Any, layers: Sequence[KernelLayer]) -> None:
        self._layers = list(layers)
        self._ends = np.cumsum([layer.units for layer in layers])
        self._seen: set[int] = set()
        self._guard = Guard()
        self._recorder = ReplicaRecorder(model)
        with scope(model):
            # float32 throughout: every device and XLA keep it on the device that computes.
            self._steps = local_variable(0.0, "cnndiag_count")
            self._batches = local_variable(0.0, "cnndiag_count")
            self._sizes = local_variable(tf.zeros(SIZE_HISTORY), "cnndiag_sizes")
            self._fired_at = local_variable(tf.zeros(int(self._ends[-1])), "cnndiag_fired")

    def read(self) -> Fired | None:
        """What was observed since the last call; None if no batch was observed."""
        batches = int(to_host(local_parts(self._batches)[0]))  # the replicas take each step together
        set_local(self._steps, 0.0)
        if not batches or not self._seen or self._guard.failed(FIRING):
            return None
        late = min(-(-batches // 2), SIZE_HISTORY)
        sizes, fired_at = to_host((local_parts(self._sizes), local_parts(self._fired_at)))
        samples = np.sum(sizes, axis=0)[np.arange(batches - late, batches) % SIZE_HISTORY]
        fired = np.split(np.max(fired_at, axis=0) > batches - late, self._ends[:-1])
        set_local(self._batches, 0.0)
        set_local(self._fired_at, np.zeros(self._fired_at.shape, np.float32))
        units = [units if row in self._seen else None for row, units in enumerate(fired)]
        return Fired(units, late, int(samples.sum()))

    def wrap(self, train_step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The train step, followed by the observation of its batch."""

        def step(data: Any) -> Any:
            due = self._due()
            if self._guard.failed(FIRING) or (tf.executing_eagerly() and not due):
                return train_step(data)
            with self._recorder.recording() as record:
                result = train_step(data)
            self._guard.run(FIRING, self._observe, record, data, due)
            return result

        return step

    def _observe(self, record: Recording, data: Any, due: Any) -> None:
        outputs = self._outputs(record)
        samples = _samples(data)
        if outputs and samples is not None:
            tf.cond(due, lambda: self._add(outputs, samples), lambda: tf.constant(0.0))
            self._seen |= outputs.keys()

    def _due(self) -> Any:
        steps = tf.identity(self._steps)
        self._steps.assign(steps + 1)
        return tf.logical_or(steps < FIRST_BATCHES, tf.equal(steps % BATCH_INTERVAL, 0))

    def _outputs(self, record: Recording) -> Mapping[int, list[Any]]:
        """Row of each rectified layer → the outputs of all its calls, as the next layer receives them."""
        outputs = {}
        for row, layer in enumerate(self._layers):
            calls = record.of(layer.layer)
            seen = [record.observe(layer, call) for call in calls if call.in_this_graph]
            if seen and len(seen) == len(calls) and all(each.activation in RECTIFIED for each in seen):
                outputs[row] = [each.tensor for each in seen]
        return outputs

    def _add(self, outputs: Mapping[int, list[Any]], samples: Any) -> Any:
        now = self._batches + 1
        maxima = [
            _unit_max(layer, outputs[row]) if row in outputs else tf.zeros(layer.units)
            for row, layer in enumerate(self._layers)
        ]
        self._fired_at.assign(tf.where(tf.concat(maxima, 0) > 0, now, self._fired_at))
        slot = tf.equal(tf.range(SIZE_HISTORY, dtype=tf.float32), (now - 1) % SIZE_HISTORY)
        self._sizes.assign(tf.where(slot, tf.cast(samples, tf.float32), self._sizes))
        self._batches.assign(now)
        return tf.constant(0.0)


def _unit_max(layer: KernelLayer, tensors: Sequence[Any]) -> Any:
    """Maximum of each unit over all calls, samples and positions, ``(units,)`` float32."""
    rows = [tf.reshape(channels_last(layer, tensor), (-1, layer.units)) for tensor in tensors]
    maxima = [tf.reduce_max(each, axis=0) for each in rows]
    return tf.cast(functools.reduce(tf.maximum, maxima), tf.float32)


def _samples(data: Any) -> Any:
    """Number of samples in a batch; None if the batch has no tensors."""
    tensors = [t for t in keras.tree.flatten(data) if tf.is_tensor(t) and t.shape.rank]
    return tf.shape(tensors[0])[0] if tensors else None
