"""Reads gradients, firing units and samples from training steps that torch runs operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import keras
import torch

from tb_cnndiag.capture.backends.base import Fired, NoTaps
from tb_cnndiag.capture.backends.eager import FiringLog, first_samples, samples_in, units_that_fire
from tb_cnndiag.capture.backends.torch.arrays import to_host
from tb_cnndiag.capture.backends.torch.calls import KeptCalls
from tb_cnndiag.capture.backends.torch.norms import GradientNorms
from tb_cnndiag.capture.guard import FIRING, Guard
from tb_cnndiag.capture.layers import KernelLayer
from tb_cnndiag.capture.optimizers import find_optimizers
from tb_cnndiag.capture.recorder import Recording, recording
from tb_cnndiag.payloads import FloatArray

# The first batches after each snapshot are observed, then every 16th batch.
FIRST_BATCHES = 8
BATCH_INTERVAL = 16


class TappedTraining(NoTaps):
    """Stands in for a model's train function under ``fit``. A step that torch compiles is left alone."""

    def __init__(self, model: Any, layers: Sequence[KernelLayer], parts: Mapping[str, Any]) -> None:
        """``parts``: models by name whose own inputs are kept, too."""
        self._model = model
        self._layers = list(layers)
        self._original = model.train_function
        self._tappable = not getattr(model, "jit_compile", False)
        self._norms = GradientNorms(layers)
        self._firing = FiringLog(len(layers))
        self._guard = Guard()
        # A model that is trained alone has no name: its inputs are the data.
        self._calls = KeptCalls({name: part for name, part in parts.items() if name})
        self._steps = 0
        self._data: Any = None
        self._largest = 0
        self._armed = False
        model.train_function = self._step

    def arm(self) -> None:
        """Tap only the next step."""
        self._armed = True

    def stop(self) -> None:
        """Restore the model's own train function."""
        if getattr(self._model.train_function, "__self__", None) is self:
            self._model.train_function = self._original
        self._data = None

    def gradients(self) -> FloatArray | None:
        """From the optimizers; None if torch compiles the step."""
        return self._norms.read() if self._tappable else None

    def fired(self) -> Fired | None:
        """From the train step."""
        self._steps = 0
        return self._firing.read(to_host)

    def batch(self) -> dict[str, Any]:
        """The data of the latest step, and what each part was called with in it."""
        if self._data is None:
            return {}
        x, y, _ = keras.utils.unpack_x_y_sample_weight(self._data)
        data = keras.tree.map_structure(lambda a: None if a is None else to_host(a), first_samples((x, y)))
        return {"": data} | self._calls.read()

    def stop_collecting(self) -> None:
        """Let the parts be called as they are."""
        self._calls.stop()

    def batch_size(self) -> int:
        """Of all steps."""
        return self._largest

    def _step(self, data: Any) -> Any:
        if not self._armed:  # training was interrupted before the original could be restored: restore it now
            self._model.train_function = self._original
            return self._original(data)
        self._armed = False
        self._data = data[0]
        self._largest = max(self._largest, samples_in(self._data))
        if not self._tappable:
            return self._original(data)
        self._calls.begin()
        with self._norms.tapped(find_optimizers(self._model)), self._calls.kept(), self._observed():
            return self._original(data)

    @contextmanager
    def _observed(self) -> Iterator[None]:
        due = not self._guard.failed(FIRING) and (self._steps < FIRST_BATCHES or self._steps % BATCH_INTERVAL == 0)
        self._steps += 1
        with recording(self._model, guard=self._guard) if due else nullcontext() as record:
            yield
        if record is not None:
            self._guard.run(FIRING, self._observe, record)

    def _observe(self, record: Recording) -> None:
        with torch.no_grad():
            fired = units_that_fire(record, self._layers)
        self._firing.add(fired, samples_in(self._data))


class TappedLoop(NoTaps):
    """Gradients from the loop's optimizers, if it names any, and samples from the calls of its models."""

    def __init__(self, layers: Sequence[KernelLayer], optimizers: Sequence[Any], parts: Mapping[str, Any]) -> None:
        self._norms = GradientNorms(layers)
        self._has_optimizers = bool(optimizers)
        self._patches = ExitStack()
        keras_optimizers = [each for each in optimizers if isinstance(each, keras.optimizers.Optimizer)]
        inner = [getattr(each, "inner_optimizer", each) for each in keras_optimizers]
        self._patches.enter_context(self._norms.tapped(inner))
        for optimizer in optimizers:
            if isinstance(optimizer, torch.optim.Optimizer):
                handle = optimizer.register_step_pre_hook(self._hook())
                self._patches.callback(handle.remove)
        self._calls = KeptCalls(parts)
        self._patches.enter_context(self._calls.kept())

    def after_step(self, gradients: Any, state: Any, batch: Mapping[str, Any]) -> None:
        """The next calls belong to another step; the optimizers have shown everything else."""
        self._calls.begin()

    def gradients(self) -> FloatArray | None:
        """From the optimizers."""
        return self._norms.read() if self._has_optimizers else None

    def batch(self) -> dict[str, Any]:
        """From the calls of the models; a single model has no name."""
        return self._calls.read()

    def stop_collecting(self) -> None:
        """Let the models be called as they are."""
        self._calls.stop()

    def stop(self) -> None:
        """Remove every patch."""
        self._patches.close()

    def _hook(self) -> Callable[..., None]:
        def before_step(optimizer: Any, _args: Any, _kwargs: Any) -> None:
            self._norms.add_parameters([p for group in optimizer.param_groups for p in group["params"]])

        return before_step
