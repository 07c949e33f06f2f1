"""Stands in for a model's train function on JAX, and takes a shadow step next to some of its steps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras

from tb_cnndiag.capture.backends.base import Fired, NoTaps
from tb_cnndiag.capture.backends.eager import FiringLog, NormLog, first_samples, samples_in
from tb_cnndiag.capture.backends.jax.arrays import to_host
from tb_cnndiag.capture.backends.jax.calls import KeptCalls
from tb_cnndiag.capture.backends.jax.shadow import ShadowStep
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.warning import warn

# The first executions after each snapshot are observed, then every 64th: each costs another forward and backward pass.
FIRST_STEPS = 2
STEP_INTERVAL = 64


class TappedTraining(NoTaps):
    """Observes some steps of a training under ``fit``.

    The shadow step is kept with the model's train function, so a later ``fit`` does not compile it again, and
    ``compile``, which drops the train function, drops both.
    """

    def __init__(
        self,
        model: Any,
        layers: Sequence[KernelLayer],
        parts: Mapping[str, Any],
        charged: Callable[..., AbstractContextManager[None]],
    ) -> None:
        """Stand in for the train function.

        Args:
            model: The model.
            layers: The kernel layers.
            parts: Models by name whose own inputs are kept, too.
            charged: Context in which time counts as a cost of the diagnostics; ``first=True``: of their beginning.
        """
        self._model = model
        self._charged = charged
        original = model.train_function
        kept = getattr(original, "_cnndiag_shadow", None)
        key = tuple(id(layer.variable) for layer in layers)
        # A model that is trained alone has no name: its inputs are the data.
        named = {name: part for name, part in parts.items() if name}
        if kept is None or kept[0] != key or not kept[1].calls.knows(named):
            kept = original._cnndiag_shadow = (key, ShadowStep(model, layers, named))
        self._shadow: ShadowStep | None = kept[1]
        self._calls: KeptCalls = kept[1].calls
        self._calls.start() if named else self._calls.stop()
        self._firing = FiringLog(len(layers))
        self._norms = NormLog()
        self._steps = 0
        self._data: Any = None
        self._largest = 0
        self._function = _TappedFunction(model, original, self._observe)
        model.train_function = self._function

    def arm(self) -> None:
        """Tap only the next call of the train function."""
        self._function.armed = True

    def stop(self) -> None:
        """Restore the model's own train function."""
        if self._model.train_function is self._function:
            self._model.train_function = self._function.original
        self._data = None

    def sync(self) -> None:
        """Give the model the state that it trains on."""
        self._model.jax_state_sync()

    def gradients(self) -> FloatArray | None:
        """From the shadow steps."""
        self._steps = 0
        return self._norms.read(to_host)

    def fired(self) -> Fired | None:
        """From the shadow steps."""
        return self._firing.read(to_host)

    def batch(self) -> dict[str, Any]:
        """The data of the latest step; and what parts were called with, if that step has a shadow."""
        if self._data is None:
            return {}
        x, y, _ = keras.utils.unpack_x_y_sample_weight(self._data)
        data = keras.tree.map_structure(lambda a: None if a is None else to_host(a), first_samples((x, y)))
        return {"": data} | self._calls.read()

    def stop_collecting(self) -> None:
        """The shadow steps keep nothing more of what the parts are called with."""
        self._calls.stop()

    def batch_size(self) -> int:
        """Of all steps."""
        return self._largest

    def _observe(self, state: Any, batches: Sequence[Any]) -> None:
        self._data = batches[-1]
        self._largest = max(self._largest, samples_in(batches[0]))
        due = self._steps < FIRST_STEPS or self._steps % STEP_INTERVAL == 0
        self._steps += 1
        if self._shadow is None or not due:
            return
        try:
            with self._charged(first=not self._shadow.compiled):
                norms, present, fired = self._shadow(state, batches[0])
        except Exception as error:  # no model may fail to train because of this
            self._shadow = None
            warn(
                f"Training steps cannot be observed ({type(error).__name__}: {str(error)[:200]}). Gradients are not "
                "recorded; all other diagnostics continue."
            )
            return
        self._norms.add(norms, present)
        self._firing.add(fired, samples_in(batches[0]))


class _TappedFunction:
    """Stands in for ``model.train_function``."""

    def __init__(self, model: Any, original: Any, observe: Callable[[Any, Sequence[Any]], None]) -> None:
        self.original = original
        self.armed = False
        self._model = model
        self._observe = observe

    def __call__(self, state: Any, iterator: Iterator[Any]) -> Any:
        if not self.armed:  # training was interrupted before the original could be restored: restore it now
            self._model.train_function = self.original
            return self.original(state, iterator)
        self.armed = False
        batches = list(itertools.islice(iterator, self._model.steps_per_execution))
        if batches:
            self._observe(state, batches)
        return self.original(state, iter(batches))
