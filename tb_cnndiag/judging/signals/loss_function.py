"""Which loss a run has, and what it compares: from the class of a loss of Keras, from the numbers of any other one."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.payloads import LossFacts

Family: TypeAlias = Literal[
    "categorical", "binary", "divergence", "squared", "absolute", "distance", "count", "classes", "other"
]
# Parts of the name of a loss, without underscores, that say what it compares. The first that occurs counts.
_FAMILIES: tuple[tuple[Family, tuple[str, ...]], ...] = (
    ("binary", ("binarycrossentropy", "binaryfocal")),
    ("categorical", ("categoricalcrossentropy", "categoricalfocal", "sparsecategorical", "categoricalgeneralized")),
    ("divergence", ("kldivergence", "kullbackleibler")),
    ("squared", ("meansquarederror", "meansquaredlog")),
    ("absolute", ("meanabsolute", "huber", "logcosh")),
    ("count", ("poisson",)),
)
_SHORT = {
    "mse": "meansquarederror", "mae": "meanabsoluteerror", "mape": "meanabsolutepercentageerror",
    "msle": "meansquaredlogarithmicerror", "bce": "binarycrossentropy", "kld": "kldivergence",
}  # fmt: skip
# Losses that only Keras itself names so; the mean over outputs of the squared or absolute error.
_EXACT = {"meansquarederror": "squared", "meanabsoluteerror": "absolute"}


@dataclass(frozen=True)
class LossFunction:
    """What a loss compares.

    Attributes:
        name: Name without underscores, e.g. ``"meansquarederror"``; empty for an unknown loss.
        given: Its name as Keras has it, e.g. ``"mse"``.
        family: Whether it compares a distribution over classes that exclude each other, probabilities, two
            distributions, numbers (by squared, absolute or other errors), counts, or classes in another way.
        from_logits: Whether it turns logits into probabilities itself.
        sparse: Whether its targets are class numbers.
        ignores: Whether it ignores one class.
        facts: What its numbers show; None for a loss of Keras, and where it was not probed.
    """

    name: str = ""
    given: str = ""
    family: Family = "other"
    from_logits: bool = False
    sparse: bool = False
    ignores: bool = False
    facts: LossFacts | None = None

    @property
    def of_classes(self) -> bool:
        """Whether targets are classes."""
        return self.family in ("categorical", "binary", "classes")

    @property
    def of_numbers(self) -> bool:
        """Whether targets are numbers: a regression."""
        return self.family in ("squared", "absolute", "distance", "count")

    @property
    def factor(self) -> float | None:
        """What multiple of a loss of Keras it is; None where that is not known."""
        return 1.0 if self.facts is None else self.facts.factor

    @property
    def open_(self) -> str:
        """What is not known of the loss, and why; empty if what it needs is known."""
        if self.family not in ("other", "classes") or not self.given:
            return ""
        why = self.facts.unknown if self.facts else ""
        return f"what the loss {self.given} needs is not known" + (f": {why}" if why else "")

    @property
    def plain(self) -> bool:
        """Whether it is exactly the mean squared or the mean absolute error."""
        return self.name in _EXACT


def loss_function(signals: Signals) -> LossFunction:
    """The loss of the run; of a list or dictionary of losses, the only one."""
    return signals.once(_loss_function)  # type: ignore[no-any-return]


def _loss_function(signals: Signals) -> LossFunction:
    text, facts = signals.info.loss, signals.info.loss_facts
    try:
        loss = loss_of(json.loads(text) if text else "")
    except (ValueError, RecursionError):
        loss = LossFunction()
    return loss if facts is None else _by_facts(loss.given or "of your own", facts)


def _by_facts(given: str, facts: LossFacts) -> LossFunction:
    """What the numbers of a loss show; its name says nothing."""
    logits, sparse = bool(facts.from_logits), facts.sparse
    if facts.same_as:
        return replace(loss_of(facts.same_as), given=given, from_logits=logits, facts=facts)
    family: Family = "other"
    if facts.least_at_target:
        family = "distance"
    elif facts.falls and facts.from_logits is not None and facts.exclusive:
        family = "categorical"
    elif facts.falls and facts.from_logits is not None and facts.exclusive is False:
        family = "binary"
    elif facts.falls:
        family = "classes"
    return LossFunction("custom", given, family, logits, sparse, facts=facts)


def loss_of(value: Any) -> LossFunction:
    """The loss that a Keras config names: a string, an object, or a list or dictionary that holds one of these."""
    if isinstance(value, list):
        return loss_of(value[0]) if len(value) == 1 else LossFunction()
    if isinstance(value, dict) and "class_name" not in value:
        return loss_of(next(iter(value.values()))) if len(value) == 1 else LossFunction()
    config: dict[str, Any] = {}
    if isinstance(value, dict):
        config = value["config"] if isinstance(value.get("config"), dict) else {}
        value = value.get("class_name", "")
    given = str(value or "").rpartition(">")[2]
    name = given.replace("_", "").lower()
    name = _SHORT.get(name, name)
    families = (family for family, parts in _FAMILIES if any(part in name for part in parts))
    family: Family = next(families, "other")
    return LossFunction(
        name,
        given,
        family,
        bool(config.get("from_logits", False)),
        name.startswith("sparse"),
        config.get("ignore_class") is not None,
    )


def of_classes(signals: Signals) -> bool:
    """Whether the targets of the run are classes."""
    return loss_function(signals).of_classes
