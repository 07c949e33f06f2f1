"""Gradients of the data loss on small chunks of the probe, to see how well the chunks agree about each kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import backend, to_host
from tb_cnndiag.capture.code_state import RefusedError
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.loss_probe import own_losses, undisturbed
from tb_cnndiag.numerics.weights import norm as norm_of
from tb_cnndiag.payloads import FloatArray

# Samples per gradient: a common batch size.
CHUNK_SAMPLES = 32
# Names of the arrays measured for each kernel.
NAMES = frozenset({"chunk_gradient_norms", "mean_gradient_norm", "gradient_zero_share"})


class ProbeGradients:
    """Differentiates a compiled model's loss by its kernels, one chunk of the probe at a time.

    As for activations, the model is called with ``training=False`` inside a ``keras.StatelessScope``.
    """

    def __init__(self, model: Any, layers: Sequence[KernelLayer]) -> None:
        self._model = model
        self.layers = layers
        self._trained = [layer for layer in layers if layer.layer.trainable and layer.variable.trainable]
        variables = [layer.variable for layer in self._trained]
        self._gradients = backend().differentiated(model, variables, self._data_loss)
        self.refused = ""
        """Why the loss is not called between training steps."""

    def measure(self, x: Any, y: Any) -> dict[str, dict[str, FloatArray]]:
        """Path → the arrays named in :data:`NAMES`, for trainable kernels.

        Empty if the model has no compiled loss yet or overrides ``compute_loss``, if calling a loss of the user might
        change something, if there are no labels, or if there are fewer than two chunks.
        """
        loss = getattr(self._model, "_compile_loss", None)
        samples = len(keras.tree.flatten(x)[0])
        chunks = samples // CHUNK_SAMPLES
        if chunks < 2 or y is None or not getattr(loss, "built", False):
            return {}
        try:
            if type(self._model).compute_loss is not keras.Model.compute_loss:
                raise RefusedError("the model has its own compute_loss")
            with undisturbed(own_losses(self._model)):
                return self._measured(x, y, chunks)
        except RefusedError as error:
            self.refused = str(error)
            return {}

    def _measured(self, x: Any, y: Any, chunks: int) -> dict[str, dict[str, FloatArray]]:
        total: list[Any] | None = None
        norms: list[Any] = []
        zeros: list[Any] = []
        for start in range(0, chunks * CHUNK_SAMPLES, CHUNK_SAMPLES):
            chunk = keras.tree.map_structure(lambda a, s=start: None if a is None else a[s : s + CHUNK_SAMPLES], (x, y))
            gradients, norm, zero = self._gradients(*chunk)
            total = gradients if total is None else [t + g for t, g in zip(total, gradients, strict=True)]
            norms.append(norm)
            zeros.append(zero)
        norms, zeros, total = to_host((norms, zeros, total or []))
        means = [norm_of(t.reshape(1, -1)) / chunks for t in total]
        return {
            layer.path: {
                "chunk_gradient_norms": np.stack(norms)[:, row],
                "mean_gradient_norm": np.asarray(means[row]),
                "gradient_zero_share": np.asarray(np.mean(zeros, axis=0)[row]),
            }
            for row, layer in enumerate(self._trained)
        }

    def _data_loss(self, x: Any, y: Any) -> Any:
        return self._model._compile_loss(y, self._model(x, training=False))
