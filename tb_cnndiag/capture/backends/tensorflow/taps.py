"""Records gradients, firing units and samples inside the train step that Keras compiles.

A tapped copy of the model's train function is made once and kept with the original. It patches ``train_step`` and the
optimizers' ``apply`` only while it runs, so an interrupt leaves no patch behind.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tb_cnndiag.capture.backends.base import Fired, NoTaps
from tb_cnndiag.capture.backends.tensorflow.arrays import to_host
from tb_cnndiag.capture.backends.tensorflow.batch_samples import BatchSamples
from tb_cnndiag.capture.backends.tensorflow.distribution import (
    local_parts,
    local_variable,
    scope,
    set_local,
    summed_over_replicas,
)
from tb_cnndiag.capture.backends.tensorflow.firing import Firing
from tb_cnndiag.capture.backends.tensorflow.graph import same_graph
from tb_cnndiag.capture.guard import BATCHES, GRADIENTS, Guard, inputs_of
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.optimizers import find_optimizers
from tb_cnndiag.payloads import FloatArray


class Taps:
    """Gradient norms per kernel, summed over steps; the units that fired; and the first samples of the latest batch.

    Gradients are those of the data loss, without loss scaling and without the regularizer's gradient. Under
    ``tf.distribute`` they are summed over the replicas, as the optimizer applies them.
    """

    def __init__(
        self,
        model: Any,
        layers: Sequence[KernelLayer],
        *,
        collect: bool,
        parts: Mapping[str, Any] | None = None,
        units: bool = True,
    ) -> None:
        """Make the variables.

        Args:
            model: The model.
            layers: The kernel layers.
            collect: Keep samples of each batch.
            parts: Models by name whose own inputs are kept, too.
            units: Observe which units fire.
        """
        self._model = model
        # A model that is trained alone has no name: its inputs are the data.
        self._parts = {name: part for name, part in (parts or {}).items() if collect and name}
        self._rows: dict[int, list[int]] = {}
        for row, layer in enumerate(layers):
            self._rows.setdefault(id(layer.variable), []).append(row)
        self._data = BatchSamples(model) if collect else None
        # The graph in which each part was called last: a step may be traced more than once.
        self._called: dict[str, weakref.ref[Any]] = {}
        self._calls = {name: BatchSamples(model) for name in self._parts}
        self.firing = Firing(model, layers) if units else None
        self._guard = Guard()
        with scope(model):
            # Per kernel: Σ‖g‖ over steps with a finite gradient, number of these steps, number of all other steps.
            self._sums = local_variable(tf.zeros((len(layers), 3)), "cnndiag_gradients")
            self._batch_size = local_variable(0, "cnndiag_batch_size")

    def read(self) -> FloatArray:
        """Mean ‖gradient‖, number of finite and of non-finite steps per kernel since the last call, ``(layers, 3)``."""
        sums: FloatArray = np.array(to_host(local_parts(self._sums)), np.float64).sum(axis=0)
        set_local(self._sums, np.zeros(sums.shape, np.float32))
        with np.errstate(invalid="ignore", divide="ignore"):
            sums[:, 0] = np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)
        return sums

    def batch_size(self) -> int:
        """Number of samples in the largest batch so far; 0 before the first batch."""
        return sum(map(int, to_host(local_parts(self._batch_size))))

    def read_batch(self) -> dict[str, Any]:
        """The first samples of the latest batch as (x, y): the data under ``""``, each part's inputs under its name.

        What was not kept is missing.
        """
        self._called.clear()
        kept = {"": self._data.read() if self._data else None}
        kept |= {name: None if (x := calls.read()) is None else (x, None) for name, calls in self._calls.items()}
        return {source: samples for source, samples in kept.items() if samples is not None}

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Context in which the taps are in place: all training steps traced or run inside it are tapped."""
        self._model.__dict__["train_step"] = self._tapped_step(self._model.train_step)
        try:
            with self.tapped(find_optimizers(self._model)), self.calls_kept():
                yield
        finally:
            self._model.__dict__.pop("train_step", None)

    @contextmanager
    def tapped(self, optimizers: Sequence[Any]) -> Iterator[None]:
        """Context in which the norms of the gradients that these optimizers apply are summed."""
        inner = [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in optimizers]
        try:
            for optimizer in inner:
                optimizer.__dict__["apply"] = self._tapped_apply(optimizer.apply)
            yield
        finally:
            for optimizer in inner:
                optimizer.__dict__.pop("apply", None)

    @contextmanager
    def calls_kept(self) -> Iterator[None]:
        """Keep the inputs of each part's first call in a step, for calls that are traced or run inside the ``with``."""
        patched = [part for part in self._parts.values() if "call" not in part.__dict__]
        names = {id(part): name for name, part in self._parts.items()}
        try:
            for part in patched:
                part.__dict__["call"] = self._kept_call(part.call, names[id(part)])
            yield
        finally:
            for part in patched:
                part.__dict__.pop("call", None)

    def _kept_call(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(call)
        def kept(*args: Any, **kwargs: Any) -> Any:
            inputs = args[0] if args else next(iter(kwargs.values()), None)
            graph, last = tf.compat.v1.get_default_graph(), self._called.get(name)
            if last is None or last() is not graph:
                self._guard.run(inputs_of(name), self._keep_call, name, inputs, graph)
            return call(*args, **kwargs)

        return kept

    def _keep_call(self, name: str, inputs: Any, graph: Any) -> None:
        if _in_this_graph(inputs):
            self._called[name] = weakref.ref(graph)
            self._calls[name].keep(inputs)

    def _tapped_step(self, train_step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def step(data: Any) -> Any:
            self._called.clear()
            self._guard.run(BATCHES, self._see_batch, data)
            return observed_step(data)

        observed_step = self.firing.wrap(train_step) if self.firing else train_step
        return step

    def _tapped_apply(self, apply: Callable[..., Any]) -> Callable[..., Any]:
        def tapped(grads: Any, trainable_variables: Any = None) -> Any:
            grads = list(grads)
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
                self._guard.run(GRADIENTS, self._add, grads, trainable_variables)
            return apply(grads, trainable_variables=trainable_variables)

        return tapped

    def _add(self, grads: Sequence[Any], variables: Sequence[Any]) -> None:
        halves: dict[int, Any] = {}
        for gradient, variable in zip(grads, variables, strict=False):
            for row in self._rows.get(id(variable), ()):
                if gradient is not None:
                    # ‖g‖² / 2 is a single operation: a step of a large network must not compile for longer.
                    halves[row] = tf.nn.l2_loss(_data_gradient(gradient, variable))
        if not halves:
            return
        rows = self._sums.shape[0]
        absent = tf.constant(np.nan, tf.float32)
        norm = tf.sqrt(2 * tf.stack([halves.get(row, absent) for row in range(rows)]))
        present = tf.constant([float(row in halves) for row in range(rows)], tf.float32)
        finite = tf.cast(tf.math.is_finite(norm), tf.float32)
        total = tf.where(finite > 0, norm, tf.zeros_like(norm))
        self._sums.assign_add(tf.stack([total, finite, present * (1 - finite)], axis=1))

    def _see_batch(self, data: Any) -> None:
        if self._data:
            x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
            self._data.keep((x, y))
        tensors = [t for t in keras.tree.flatten(data) if tf.is_tensor(t) and t.shape.rank]
        if tensors:
            self._batch_size.assign(tf.maximum(self._batch_size, tf.shape(tensors[0])[0]))


def _in_this_graph(structure: Any) -> bool:
    return all(same_graph(tensor) for tensor in keras.tree.flatten(structure) if tensor is not None)


def _data_gradient(gradient: Any, variable: Any) -> Any:
    """The dense float32 gradient, summed over replicas, minus the gradient of the variable's regularizer."""
    if isinstance(gradient, tf.IndexedSlices):
        gradient = tf.convert_to_tensor(gradient)
    gradient = summed_over_replicas(tf.cast(gradient, tf.float32))
    regularizer = getattr(variable, "regularizer", None)
    if regularizer is None:
        return gradient
    value = tf.cast(tf.convert_to_tensor(variable.value), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(value)
        penalty = regularizer(value)
    regularization = tape.gradient(penalty, value)
    return gradient if regularization is None else gradient - regularization


class TappedTraining(NoTaps):
    """Replaces a model's train function by a tapped one, and restores it later.

    The tapped function is stored as an attribute of the original. A later ``fit`` therefore does not trace it again,
    and ``compile``, which drops the original, drops both.
    """

    def __init__(
        self, model: Any, layers: Sequence[KernelLayer], *, collect: bool, parts: Mapping[str, Any] | None = None
    ) -> None:
        self._model = model
        self._original = model.train_function
        kept = getattr(self._original, "_cnndiag_tapped", None)
        key = (tuple(id(layer.variable) for layer in layers), collect)
        if kept is None or kept.key != key:
            kept = _TappedFunction(model, Taps(model, layers, collect=collect, parts=parts), key)
            self._original._cnndiag_tapped = kept
        self.taps: Taps = kept.taps
        self.taps.read()
        self.fired()
        kept.original = self._original
        model.train_function = kept

    def arm(self) -> None:
        """Tap only the next call of the train function."""
        function = self._model.train_function
        if isinstance(function, _TappedFunction):
            function.armed = True

    def stop(self) -> None:
        """Restore the model's original train function."""
        tapped = self._model.train_function
        if isinstance(tapped, _TappedFunction):
            self._model.train_function = tapped.original

    def gradients(self) -> FloatArray | None:
        """From the optimizers."""
        return self.taps.read()

    def fired(self) -> Fired | None:
        """From the train step."""
        return self.taps.firing.read() if self.taps.firing else None

    def batch(self) -> dict[str, Any]:
        """From the train step."""
        return self.taps.read_batch()

    def batch_size(self) -> int:
        """From the train step."""
        return self.taps.batch_size()


class _TappedFunction:
    """Stands in for ``model.train_function``."""

    def __init__(self, model: Any, taps: Taps, key: object) -> None:
        self.taps = taps
        self.key = key
        self.armed = False
        self._model = model
        self.original: Any = model.train_function
        with taps.patched():
            model.make_train_function(force=True)
        self._tapped = model.train_function
        model.train_function = self.original

    def __call__(self, iterator: Any) -> Any:
        if not self.armed:  # training was interrupted before the original could be restored: restore it now
            self._model.train_function = self.original
            return self.original(iterator)
        self.armed = False
        with self.taps.patched():
            return self._tapped(iterator)
