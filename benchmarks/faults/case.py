"""What a case is, and how it is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from benchmarks.faults.data import Data
from benchmarks.faults.symptoms import Symptom


@dataclass
class Trial:
    """A compiled model and all that ``fit`` is given."""

    model: Any
    x: Any
    y: Any
    validation: tuple[Any, Any] | None = None
    epochs: int = 8
    batch: int = 32
    callbacks: Sequence[Any] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A training with a known fault, or none.

    Attributes:
        name: Says what is done, where.
        make: Builds it anew.
        symptom: Whether it shows what it claims, by other means than ours.
        fault: Id of the fault that a diagnosis should name first; None for a healthy one.
        layers: Layers any of which is the right place; empty where a fault has none.
        also: Other names that say the same of this case.
        round: The set it was written in, when that is not one of the two halves of the known ones.
    """

    name: str
    make: Callable[[], Trial]
    symptom: Symptom
    fault: str | None = None
    layers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    round: str = ""

    @property
    def half(self) -> str:
        """``"tune"`` or ``"report"``, fixed by the name alone; the round of a case that has one."""
        if self.round:
            return self.round
        return ("tune", "report")[hashlib.blake2b(self.name.encode(), digest_size=2).digest()[0] % 2]

    @property
    def probe_given(self) -> bool:
        """Half of the cases leave the probe to the callback."""
        return hashlib.blake2b(self.name.encode(), digest_size=2).digest()[1] % 2 == 0


@dataclass(frozen=True)
class Round:
    """Writes down the cases of one blind round, whose name their names begin with."""

    name: str

    def faulty(
        self,
        name: str,
        make: Callable[[], Trial],
        symptom: Symptom,
        fault: str,
        layers: tuple[str, ...] = (),
        also: tuple[str, ...] = (),
    ) -> Case:
        """A training with this fault, in one of these layers."""
        return Case(f"{self.name}: {name}", make, symptom, fault, layers, also, round=self.name)

    def healthy(self, name: str, make: Callable[[], Trial], symptom: Symptom) -> Case:
        """A training that is well."""
        return Case(f"{self.name}: healthy: {name}", make, symptom, round=self.name)


def trial(
    data: Data,
    model: Any,
    optimizer: Any = None,
    *,
    loss: Any = "sparse_categorical_crossentropy",
    x: Callable[[Any], Any] = lambda x: x,
    y: Callable[[Any], Any] = lambda y: y,
    samples: int | None = None,
    metrics: Sequence[Any] = ("accuracy",),
    validate: bool = True,
    compile_options: dict[str, Any] | None = None,
    **options: Any,
) -> Trial:
    """A trial on ``data`` with ``x`` and ``y`` put through functions of the case's own."""
    optimizer = keras.optimizers.Adam(2e-3) if optimizer is None else optimizer
    model.compile(optimizer, loss, metrics=list(metrics), **(compile_options or {}))
    known = {name: options.pop(name) for name in ("epochs", "batch", "callbacks") if name in options}
    held_out = (x(data.xv), y(data.yv)) if validate else None
    return Trial(model, x(data.x[:samples]), y(data.y[:samples]), held_out, options=options, **known)
