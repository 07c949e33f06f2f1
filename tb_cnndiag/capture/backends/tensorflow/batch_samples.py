"""The first samples of the latest batch, kept in variables while the train step runs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from tb_cnndiag.capture.backends.base import SLOTS
from tb_cnndiag.capture.backends.tensorflow.arrays import to_host


class BatchSamples:
    """Keeps the first samples of a structure of tensors ``(samples, …)``; a part of the structure may be None.

    Axes of unknown length are allowed, except under XLA, which needs variables of a fixed shape.
    """

    def __init__(self, model: Any) -> None:
        self._fixed = bool(getattr(model, "jit_compile", False))
        self._variables: Any = None
        self._count: Any = None

    def keep(self, structure: Any) -> None:
        """Keep the samples of this batch; nothing if the structure holds anything but tensors of samples."""
        tensors = [tensor for tensor in keras.tree.flatten(structure) if tensor is not None]
        if not tensors or not all(self._can_keep(tensor) for tensor in tensors):
            return
        if self._variables is None:
            # Not tf.Variable: a function of the user that is traced again may not make one.
            with tf.init_scope():
                self._variables = keras.tree.map_structure(self._variable, structure)
                self._count = ResourceVariable(0, trainable=False, name="cnndiag_kept")
        variables = keras.tree.flatten(self._variables)
        values = keras.tree.flatten(structure)
        if len(variables) != len(values):  # called with another structure than at first
            return
        self._count.assign(tf.minimum(tf.shape(tensors[0])[0], SLOTS))
        for variable, tensor in zip(variables, values, strict=True):
            if variable is not None and tensor is not None:
                fixed = tf.gather(tensor, tf.range(SLOTS) % tf.shape(tensor)[0]) if self._fixed else tensor[:SLOTS]
                variable.assign(fixed)

    def read(self) -> Any:
        """The samples of the latest batch as arrays; None if none was kept since the last call."""
        count = 0 if self._variables is None else int(to_host(self._count))
        if not count:
            return None
        self._count.assign(0)  # a step that is not observed keeps nothing
        return keras.tree.map_structure(lambda v: None if v is None else np.array(to_host(v)[:count]), self._variables)

    def _can_keep(self, tensor: Any) -> bool:
        if not isinstance(tensor, tf.Tensor) or not tensor.shape.rank or tensor.dtype == tf.variant:
            return False
        return not self._fixed or (None not in tensor.shape[1:] and tensor.dtype != tf.string)

    def _variable(self, tensor: Any) -> Any:
        if tensor is None:
            return None
        rest = tensor.shape[1:]
        zeros = tf.zeros((SLOTS if self._fixed else 0, *(n or 0 for n in rest)), tensor.dtype)
        shape = zeros.shape if self._fixed else tf.TensorShape((None, *rest))
        return ResourceVariable(zeros, trainable=False, shape=shape, name="cnndiag_samples")
