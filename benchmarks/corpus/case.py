"""What a case is, and how its training is written down."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np

from benchmarks.corpus.data import Data, load
from benchmarks.corpus.lazy import made
from benchmarks.corpus.optimizers import adam
from benchmarks.corpus.symptoms import Symptom, learns

# What the names of a round's cases begin with: faulty ones, healthy ones.
ROUNDS = {
    "known": ("", ""),
    "first": ("fresh: ", "fresh healthy: "),
    **{name: (f"{name}: ", f"{name}: healthy: ") for name in ("second", "third", "fourth")},
}
FROM_LOGITS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


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
class Training:
    """How a trial is built, and what it shows when it is trained: a case without its name."""

    make: Callable[[], Trial]
    claim: Claim | None = None


@dataclass(frozen=True)
class Claim:
    """What a training shows, where, and which other faults are right names for it."""

    symptom: Symptom
    layers: tuple[str, ...]
    also: tuple[str, ...]

    def of(self, training: Training) -> Training:
        """The training with this claim."""
        return replace(training, claim=self)


def shows(symptom: Symptom, layers: str = "", also: str = "") -> Claim:
    """A claim whose layers and other faults are words; ``{…}`` in layers as in a shell."""
    return Claim(symptom, words(layers), tuple(also.split()))


@dataclass(frozen=True)
class Case:
    """A training with a known fault, or none.

    ``fault`` is the id that a diagnosis should name first, None for a healthy case; ``also`` are ids that are right
    too, ``layers`` those any of which is the right place, ``round`` the set it was written in.
    """

    name: str
    make: Callable[[], Trial]
    symptom: Symptom
    fault: str | None
    layers: tuple[str, ...]
    also: tuple[str, ...]
    round: str

    @property
    def half(self) -> str:
        """``"tune"`` or ``"report"`` for a known case, fixed by the name alone; the round of any other."""
        return ("tune", "report")[self._digest[0] % 2] if self.round == "known" else self.round

    @property
    def probe_given(self) -> bool:
        """Half of the cases leave the probe to the callback."""
        return self._digest[1] % 2 == 0

    @property
    def _digest(self) -> bytes:
        return hashlib.blake2b(self.name.encode(), digest_size=2).digest()


def faulty(fault: str, **rounds: Mapping[str, Training]) -> tuple[Case, ...]:
    """Cases of one fault by round and name; each training has a claim."""
    return tuple(
        Case(ROUNDS[name][0] + title, t.make, t.claim.symptom, fault, t.claim.layers, t.claim.also, name)
        for name, table in rounds.items()
        for title, t in table.items()
        if t.claim
    )


def healthy(**rounds: Mapping[str, Training]) -> tuple[Case, ...]:
    """Healthy cases by round and name; without a claim they reach an accuracy of 80 %, in the first two rounds 75 %."""
    usual = {"known": learns(0.75), "first": learns(0.75)}
    return tuple(
        Case(
            ROUNDS[name][1] + title, t.make, t.claim.symptom if t.claim else usual.get(name, learns(0.8)), None, (), (),
            name,
        )
        for name, table in rounds.items()
        for title, t in table.items()
    )  # fmt: skip


def words(text: str) -> tuple[str, ...]:
    """Words, with ``c{1..3}`` for ``c1 c2 c3`` and ``r{a,b}`` for ``ra rb``."""
    found: list[str] = []
    for word in text.split():
        parts = [_choices(part) for part in re.split(r"(\{[^}]*\})", word)]
        found += ["".join(chosen) for chosen in itertools.product(*parts)]
    return tuple(found)


def _choices(part: str) -> Sequence[str]:
    if span := re.fullmatch(r"\{(\d+)\.\.(\d+)\}", part):
        return [str(i) for i in range(int(span[1]), int(span[2]) + 1)]
    return part[1:-1].split(",") if part.startswith("{") else [part]


def itself(x: Any) -> Any:
    """The target of an autoencoder."""
    return x


def is_even(y: Any) -> Any:
    """Whether labels are even, as 0 and 1."""
    return (y % 2 == 0).astype("float32")


def one_hot(classes: int) -> Callable[[Any], Any]:
    """Labels as rows of 0 and 1."""
    return lambda y: np.eye(classes, dtype="float32")[y]


def fit(
    data: str | Callable[[], Data],
    network: Callable[[Data], Any],
    optimizer: Any = None,
    *,
    loss: Any = None,
    metrics: Sequence[Any] | None = None,
    x: Callable[[Any], Any] = itself,
    y: Callable[[Any], Any] = itself,
    target: Callable[[Any], Any] | None = None,
    pick: Callable[[Any], Any] | None = None,
    samples: int | None = None,
    held_out: int | None = None,
    validate: bool = True,
    policy: str | None = None,
    compile_options: Mapping[str, Any] | None = None,
    epochs: int = 8,
    batch: int = 32,
    callbacks: Sequence[Any] = (),
    **options: Any,
) -> Training:
    """A training of ``network`` on the data of this name, by Adam 0.002 unless it says otherwise.

    ``optimizer`` is made anew for each trial if it is lazy. By default ``loss`` is squares for a regression, binary
    cross-entropy for two classes by one unit, else sparse categorical cross-entropy; ``metrics`` are absolute errors
    for a regression, none for a ``target``, else accuracy. ``x`` and ``y`` are applied to inputs and labels; ``target``
    makes targets from inputs, in place of labels; ``pick`` chooses and orders training samples by their labels;
    ``samples`` and ``held_out`` limit training and validation samples. Options of ``fit`` that are functions are
    called with the training labels.
    """

    def make() -> Trial:
        if policy:
            keras.config.set_dtype_policy(policy)
        known = load(data) if isinstance(data, str) else data()
        model = network(known)
        usual = "sparse_categorical_crossentropy"
        if known.classes < 3 and model.output_shape[-1] == 1:
            usual = "mse" if known.classes == 1 else "binary_crossentropy"
        judged = metrics
        if judged is None:
            judged = () if target else ("mae",) if usual == "mse" else ("accuracy",)
        model.compile(
            made(adam(2e-3) if optimizer is None else optimizer),
            usual if loss is None else loss,
            metrics=list(judged),
            **(compile_options or {}),
        )
        answer = (lambda x, _: target(x)) if target else (lambda _, labels: y(labels))
        validation = (x(known.xv[:held_out]), answer(known.xv[:held_out], known.yv[:held_out])) if validate else None
        chosen = slice(samples) if pick is None else pick(known.y)
        xs, labels = known.x[chosen], known.y[chosen]
        given = {name: value(labels) if callable(value) else value for name, value in options.items()}
        return Trial(model, x(xs), answer(xs, labels), validation, epochs, batch, callbacks, given)

    return Training(make)
