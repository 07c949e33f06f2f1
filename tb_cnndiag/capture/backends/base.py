"""The protocol that a backend fulfils: everything that needs TensorFlow, JAX or torch themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.payloads import FloatArray

if TYPE_CHECKING:
    from tb_cnndiag.capture.layers import KernelLayer

# Samples of each batch that are kept until the callback has read them.
SLOTS = 32

# Length of axes of unknown length in a pass without data.
BLANK_SIDE = 64

# Takes inputs ``x`` and labels ``y``; returns the gradient by each variable, the gradients' norms ``(variables,)`` and
# their shares of zeros ``(variables,)``.
Differentiated: TypeAlias = Callable[[Any, Any], tuple[list[Any], Any, Any]]


def blank_shape(declared: Any) -> tuple[int, ...]:
    """Shape of one sample of a declared input, in a pass without data."""
    return (1, *(n or BLANK_SIDE for n in declared.shape[1:]))


@dataclass(frozen=True)
class Fired:
    """Units that fired in the later half of the batches observed since the last snapshot.

    The weights change with each batch, so a unit that fired in an early batch may have died since. ``units`` has one
    ``(units,)`` bool array per layer, or None for a layer that was not observed. ``batches`` and ``samples`` count the
    batches and samples of the later half.
    """

    units: Sequence[NDArray[np.bool_] | None]
    batches: int
    samples: int


class TrainingTaps(Protocol):
    """What a training computes anyway, read between its steps."""

    not_collected: str
    """Why a part for which a probe is collected has none at the end."""

    def sync(self) -> None:
        """Bring the models up to date: some backends train on a state of their own."""

    def gradients(self) -> FloatArray | None:
        """Mean norm, finite and non-finite steps per kernel since the last call, ``(layers, 3)``; None if unknown."""

    def fired(self) -> Fired | None:
        """Which units fired in the batches observed since the last call; None if unknown."""

    def batch(self) -> dict[str, Any]:
        """The first samples of the latest batch as (x, y), by source; empty if unknown."""

    def stop_collecting(self) -> None:
        """The probe is complete: ``batch`` is not called any more."""

    def batch_size(self) -> int:
        """Samples in the largest batch so far; 0 if unknown."""


class NoTaps:
    """Taps of a training of which nothing can be read; those that can read something override it."""

    not_collected = "training has not called it"

    def sync(self) -> None:
        """The models are up to date."""

    def gradients(self) -> FloatArray | None:
        """Unknown."""
        return None

    def fired(self) -> Fired | None:
        """Unknown."""
        return None

    def batch(self) -> dict[str, Any]:
        """Unknown."""
        return {}

    def stop_collecting(self) -> None:
        """Nothing is collected."""

    def batch_size(self) -> int:
        """Unknown."""
        return 0


class FitTaps(TrainingTaps, Protocol):
    """Taps of a training under ``fit``. They stand in for the model's train function until ``stop``."""

    def arm(self) -> None:
        """Tap only the next call of the train function, so that an interrupt leaves nothing behind."""

    def stop(self) -> None:
        """Restore the model's own train function."""


class LoopTaps(TrainingTaps, Protocol):
    """Taps of a hand-written loop."""

    def after_step(self, gradients: Any, state: Any, batch: Mapping[str, Any]) -> None:
        """What the loop hands over after a step: see :meth:`tb_cnndiag.recording.watch.Watch.step`."""

    def stop(self) -> None:
        """Remove every patch."""


class Backend(Protocol):
    """A module of :mod:`tb_cnndiag.capture.backends`."""

    compilation_per_layer: float
    """Seconds that a compiled pass over the probe takes to make, at least, for each kernel layer."""

    def to_host(self, structure: Any) -> Any:
        """See :func:`tb_cnndiag.capture.backends.to_host`."""

    def computation(self) -> Any:
        """What identifies the graph or trace that is being made; None where operations run at once.

        It is equal at two places if tensors of one can be used at the other, unequal e.g. inside and behind a loop.
        """

    def constant_value(self, tensor: Any) -> Any:
        """The value of a tensor that is constant in a graph, as an array; None if it has none."""

    def every(self, x: Any, step: int) -> Any:
        """``x[::step]``."""

    def first_maximum(self, values: Any, indices: Any) -> Any:
        """Where along the last axis of ``indices``, ``(…, n)`` int32, the flat ``values`` are first largest: int32."""

    def shared(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function of tensors: in a graph, its operations are made once for arguments of the same shapes."""

    def search_if(self, wanted: Any, search: Callable[[Any, Any], Any], maxima: Any, most: int) -> Any:
        """``search(maxima, most)``, ``(units, most, 3)``; if it is not wanted, anything that takes next to no time.

        Args:
            wanted: A bool, of the graph where there is one.
            search: Takes maxima ``(samples, units)`` of some of the samples, and how many of them are searched.
            maxima: Those of all samples.
            most: How many samples are searched.
        """

    def compiled(
        self, model: Any, function: Callable[[Any, Any], Any], x: Any, samples: int | None
    ) -> Callable[[Any, bool], Any]:
        """``function(x, flag)``, which calls the model without changing its state, as fast as the backend can.

        Args:
            model: The model.
            function: Called inside a ``keras.StatelessScope``. Where it is compiled, the flag is a tensor.
            x: An example of the inputs, a structure of arrays.
            samples: Samples of every call; None: any number.
        """

    def trace(self, model: Any, function: Callable[[Any], Any], inputs: Sequence[Any]) -> None:
        """Call ``function`` without data, with stand-ins for the model's declared ``inputs``."""

    def differentiated(self, model: Any, variables: Sequence[Any], loss: Callable[[Any, Any], Any]) -> Differentiated:
        """The gradients of ``loss(x, y)`` by the variables, compiled; ``loss`` is called in a ``StatelessScope``."""

    def gradients(self, loss: Callable[[], Any], variables: Sequence[Any]) -> tuple[float, list[Any]]:
        """The loss now and its gradient by each variable, as arrays."""

    def input_gradient(
        self, function: Callable[..., tuple[Any, Any]], *, few: bool = False
    ) -> Callable[..., tuple[Any, Any]]:
        """What ``function(x, *arguments) → (total, more)`` returns besides the total, and the total's gradient by x.

        It takes and returns tensors. A compiled pass leaves out what the total does not depend on, so a model is cut
        behind the layer that is used. For ``few`` passes, compiling may take longer than they do.
        """

    def tap_fit(
        self,
        model: Any,
        layers: Sequence[KernelLayer],
        *,
        collect: bool,
        parts: Mapping[str, Any],
        charged: Callable[..., AbstractContextManager[None]],
    ) -> FitTaps:
        """Tap a training that ``fit`` is about to start.

        Args:
            model: The model; it has a train function.
            layers: The kernel layers.
            collect: Keep samples of each batch.
            parts: Models by name whose own inputs are kept, too.
            charged: Context in which time counts as a cost of the diagnostics; ``first=True``: of their beginning.
        """

    def tap_loop(
        self, models: Sequence[Any], layers: Sequence[KernelLayer], optimizers: Sequence[Any], parts: Mapping[str, Any]
    ) -> LoopTaps:
        """Tap a hand-written loop; the arguments are as in :meth:`tap_fit`."""

    def in_one_piece(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A small function of tensors, without state: compiled where the backend compiles each operation by itself."""

    def random_state(self) -> Callable[[], None]:
        """Remember the backend's own random state; the function that is returned restores it."""

    def spans_machines(self, model: Any) -> bool:
        """Whether several processes train the model together."""

    def writes_the_log(self, model: Any) -> bool:
        """Whether this process takes the snapshots and writes the log."""
