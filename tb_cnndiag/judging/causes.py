"""Which fault can cause which, why, and along which way through the layers: one graph, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeAlias

from tb_cnndiag.finding import SEVERITIES, Finding
from tb_cnndiag.payloads import LayerInfo


class Along(Enum):
    """How a cause reaches its effect."""

    SIGNALS = auto()
    """Forward: to the same layer and those that its output reaches."""

    GRADIENTS = auto()
    """Backward: to the same layer and those whose output reaches it."""

    BOTH = auto()
    """Forward or backward."""

    TRAINING = auto()
    """Through the training as a whole: to any layer."""

    OUTPUTS = auto()
    """Through the model's outputs: to the model as a whole, not to single layers."""


@dataclass(frozen=True)
class Cause:
    """One fault that can cause another.

    Attributes:
        cause, effect: Ids of faults.
        along: How the cause reaches the effect.
        reason: Why, as the end of "because".
    """

    cause: str
    effect: str
    along: Along
    reason: str


Graph: TypeAlias = Mapping[str, tuple[Cause, ...]]

SIGNALS, GRADIENTS, BOTH, TRAINING = Along.SIGNALS, Along.GRADIENTS, Along.BOTH, Along.TRAINING
OUTPUTS = Along.OUTPUTS
_OF_NAN = "arithmetic with NaN gives NaN, and comparisons with it are false"
_OF_INPUT = "signals and gradients of the first layers grow or shrink with the input"
_OF_LOSS = "the loss is computed from numbers with another meaning, and so are all gradients"
_OF_INIT = "signals and gradients are multiplied by the weights of each layer"
_OF_RATE = "updates that are too large replace what was learned"
_OF_EXPLOSION = "updates grow with the gradient"
_OF_SATURATION = "the slope of a saturated unit is nearly 0"
_OF_DEATH = "a dead layer passes neither signal nor gradient"
_OF_VANISHING = "layers without a gradient keep their initial weights"
_OF_FREEZING = "a layer that cannot learn passes on what its random weights make of the input"
_OF_CLIPPING = "probabilities that are exactly 0 or 1 are clipped, and the loss then has no slope"
_OF_SLOWNESS = "the weights are still nearly the initial ones"
_OF_COLLAPSE = "outputs that do not depend on the input need few different filters"
_OF_STATISTICS = "the statistics of the batch differ from those that are used after training"

# Per effect, the most fundamental cause first: the first one that was found, and that reaches the effect, is named.
_CAUSES: Mapping[str, Sequence[tuple[str, Along, str]]] = {
    "nan_or_inf": (
        ("unnormalised_input", SIGNALS, _OF_INPUT),
        ("output_loss_mismatch", GRADIENTS, _OF_LOSS),
        ("bad_init", BOTH, _OF_INIT),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("exploding_gradient", BOTH, _OF_EXPLOSION),
    ),
    "learning_rate_too_high": (
        ("output_loss_mismatch", TRAINING, _OF_LOSS),
        ("unnormalised_input", TRAINING, _OF_INPUT),
        ("bad_init", TRAINING, _OF_INIT),
    ),
    "exploding_gradient": (
        ("unnormalised_input", BOTH, _OF_INPUT),
        ("output_loss_mismatch", GRADIENTS, _OF_LOSS),
        ("bad_init", BOTH, _OF_INIT),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
    ),
    "saturated_activation": (
        ("nan_or_inf", BOTH, _OF_NAN),
        ("unnormalised_input", SIGNALS, _OF_INPUT),
        ("bad_init", BOTH, _OF_INIT),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("exploding_gradient", BOTH, _OF_EXPLOSION),
    ),
    "dead_units": (
        ("nan_or_inf", BOTH, _OF_NAN),
        ("unnormalised_input", SIGNALS, _OF_INPUT),
        ("bad_init", BOTH, _OF_INIT),
        ("output_loss_mismatch", GRADIENTS, _OF_LOSS),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("exploding_gradient", BOTH, _OF_EXPLOSION),
        ("saturated_activation", BOTH, _OF_SATURATION),
        ("vanishing_gradient", BOTH, _OF_VANISHING),
        ("dead_units", SIGNALS, _OF_DEATH),
    ),
    "vanishing_gradient": (
        ("nan_or_inf", BOTH, _OF_NAN),
        ("unnormalised_input", BOTH, _OF_INPUT),
        ("output_loss_mismatch", GRADIENTS, _OF_LOSS),
        ("bad_init", BOTH, _OF_INIT),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("saturated_activation", GRADIENTS, _OF_SATURATION),
    ),
    "frozen_layer": (
        ("nan_or_inf", BOTH, _OF_NAN),
        ("unnormalised_input", OUTPUTS, _OF_CLIPPING),
        ("bad_init", BOTH, _OF_INIT),
        ("output_loss_mismatch", GRADIENTS, _OF_LOSS),
        ("learning_rate_too_high", OUTPUTS, _OF_CLIPPING),
        ("exploding_gradient", OUTPUTS, _OF_CLIPPING),
        ("saturated_activation", GRADIENTS, _OF_SATURATION),
        ("dead_units", GRADIENTS, _OF_DEATH),
        ("batch_too_small_for_bn", BOTH, "a batch of one, normalized by itself, is constant"),
    ),
    "learning_rate_too_low": (
        ("nan_or_inf", TRAINING, _OF_NAN),
        ("output_loss_mismatch", TRAINING, _OF_LOSS),
        ("bad_init", TRAINING, _OF_INIT),
        ("frozen_layer", TRAINING, _OF_FREEZING),
        ("dead_units", TRAINING, _OF_DEATH),
        ("vanishing_gradient", TRAINING, _OF_VANISHING),
    ),
    "collapsed_output": (
        ("nan_or_inf", BOTH, _OF_NAN),
        ("output_loss_mismatch", BOTH, _OF_LOSS),
        ("dead_units", SIGNALS, _OF_DEATH),
        ("vanishing_gradient", SIGNALS, _OF_VANISHING),
        ("saturated_activation", SIGNALS, _OF_SATURATION),
        ("bad_init", SIGNALS, _OF_INIT),
        ("exploding_gradient", BOTH, _OF_EXPLOSION),
        ("unnormalised_input", SIGNALS, _OF_INPUT),
        ("frozen_layer", SIGNALS, _OF_FREEZING),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("learning_rate_too_low", TRAINING, _OF_SLOWNESS),
        ("stale_batch_statistics", SIGNALS, _OF_STATISTICS),
        ("batch_too_small_for_bn", SIGNALS, _OF_STATISTICS),
    ),
    "discriminator_overpowers": (
        ("nan_or_inf", TRAINING, _OF_NAN),
        ("dead_units", BOTH, _OF_DEATH),
        ("saturated_activation", BOTH, _OF_SATURATION),
    ),
    "mode_collapse": (
        ("nan_or_inf", TRAINING, _OF_NAN),
        ("dead_units", BOTH, _OF_DEATH),
        ("saturated_activation", BOTH, _OF_SATURATION),
        ("discriminator_overpowers", TRAINING, "a generator without a useful gradient repeats one image"),
    ),
    "batch_too_small_for_bn": (("nan_or_inf", BOTH, _OF_NAN),),
    "stale_batch_statistics": (
        ("nan_or_inf", BOTH, _OF_NAN),
        ("batch_too_small_for_bn", BOTH, _OF_STATISTICS),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
    ),
    "underfitting": (
        ("nan_or_inf", TRAINING, _OF_NAN),
        ("output_loss_mismatch", TRAINING, _OF_LOSS),
        ("unnormalised_input", TRAINING, _OF_INPUT),
        ("bad_init", TRAINING, _OF_INIT),
        ("missing_activation", TRAINING, "linear layers in series compute no more than one"),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("learning_rate_too_low", TRAINING, _OF_SLOWNESS),
        ("exploding_gradient", TRAINING, _OF_EXPLOSION),
        ("vanishing_gradient", TRAINING, _OF_VANISHING),
        ("saturated_activation", TRAINING, _OF_SATURATION),
        ("dead_units", TRAINING, _OF_DEATH),
        ("frozen_layer", TRAINING, _OF_FREEZING),
    ),
    "too_few_epochs": (
        ("learning_rate_too_low", TRAINING, _OF_SLOWNESS),
        ("output_loss_mismatch", TRAINING, _OF_LOSS),
        ("unnormalised_input", TRAINING, _OF_INPUT),
        ("bad_init", TRAINING, _OF_INIT),
        ("vanishing_gradient", TRAINING, _OF_VANISHING),
        ("dead_units", TRAINING, _OF_DEATH),
        ("frozen_layer", TRAINING, _OF_FREEZING),
    ),
    "overfitting": (
        ("nan_or_inf", TRAINING, _OF_NAN),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("exploding_gradient", TRAINING, _OF_EXPLOSION),
        ("stale_batch_statistics", TRAINING, _OF_STATISTICS),
        ("batch_too_small_for_bn", TRAINING, _OF_STATISTICS),
    ),
    "redundant_filters": (
        ("nan_or_inf", BOTH, _OF_NAN),
        ("bad_init", BOTH, _OF_INIT),
        ("dead_units", BOTH, _OF_DEATH),
        ("learning_rate_too_high", TRAINING, _OF_RATE),
        ("learning_rate_too_low", TRAINING, _OF_SLOWNESS),
        ("collapsed_output", GRADIENTS, _OF_COLLAPSE),
        ("underfitting", TRAINING, _OF_COLLAPSE),
    ),
}
CAUSES: Graph = {
    effect: tuple(Cause(cause, effect, along, reason) for cause, along, reason in causes)
    for effect, causes in _CAUSES.items()
}


def graph(follows: Mapping[str, Sequence[str]]) -> Graph:
    """The graph, with the causes that faults of other packages name, by effect."""
    others = {
        effect: tuple(Cause(cause, effect, BOTH, "the fault that follows says so") for cause in causes)
        for effect, causes in follows.items()
        if causes
    }
    return {**CAUSES, **{effect: (*CAUSES.get(effect, ()), *causes) for effect, causes in others.items()}}


def with_causes(known: Graph, cause: str, effects: Mapping[str, str]) -> Graph:
    """The graph in which ``cause`` is the first cause of ``effects`` (by the reason), and none of them causes it."""
    turned = dict(known)
    turned[cause] = tuple(each for each in known.get(cause, ()) if each.cause not in effects)
    for effect, reason in effects.items():
        turned[effect] = (Cause(cause, effect, TRAINING, reason), *turned.get(effect, ()))
    return turned


class Ways:
    """Which layers reach which, through the layer table."""

    def __init__(self, layers: Sequence[LayerInfo], model: str = "") -> None:
        self._row = {layer.path: row for row, layer in enumerate(layers)}
        several = ", " in model
        parts = [layer.path.partition("/")[0] if several else "" for layer in layers]
        known = {part for part, layer in zip(parts, layers, strict=True) if layer.inputs}
        latest: dict[str, int] = {}
        # For each layer the set of layers that reach it, itself included, as the bits of a number.
        self._before: list[int] = []
        for row, (part, layer) in enumerate(zip(parts, layers, strict=True)):
            # Without any known connection, a part is taken as a chain.
            sources = layer.inputs if part in known else _last(latest, part)
            reached = 1 << row
            for source in sources:
                if source < row:
                    reached |= self._before[source]
            self._before.append(reached)
            latest[part] = row

    def reach(self, cause: str | None, effect: str | None, along: Along) -> bool:
        """Whether something in the layer ``cause`` reaches the layer ``effect``; None is the whole model."""
        if along is Along.OUTPUTS:
            return effect is None
        if cause is None or effect is None or along is Along.TRAINING or cause == effect:
            return True
        first, second = self._row.get(cause), self._row.get(effect)
        if first is None or second is None:
            return False
        forward = bool(self._before[second] >> first & 1)
        backward = bool(self._before[first] >> second & 1)
        if along is Along.SIGNALS:
            return forward
        return backward if along is Along.GRADIENTS else forward or backward

    def row(self, path: str | None) -> int:
        """Row of a layer; −1 for the whole model."""
        return self._row.get(path or "", -1)


def _last(latest: Mapping[str, int], part: str) -> tuple[int, ...]:
    return (latest[part],) if part in latest else ()


def explained(found: Sequence[Finding], known: Graph, ways: Ways) -> tuple[Finding, ...]:
    """The findings with their causes: causes first, then by severity, then by depth.

    No finding is lost, and a cause is at least as severe as its gravest effect. Among possible causes the one that the
    graph names first is chosen; one that may be intended (an info) only if there is no other.
    """
    parents = _parents(found, known, ways)
    severity = [finding.rank() for finding in found]
    for index in range(len(found)):
        parent = parents[index]
        while parent is not None:
            severity[parent] = max(severity[parent], severity[index])
            parent = parents[parent]
    done: dict[int, Finding] = {}

    def resolved(index: int) -> Finding:
        if index not in done:
            parent = parents[index]
            done[index] = replace(
                found[index],
                severity=SEVERITIES[severity[index]],
                caused_by=None if parent is None else resolved(parent),
            )
        return done[index]

    return _ordered([resolved(index) for index in range(len(found))], ways)


def _parents(found: Sequence[Finding], known: Graph, ways: Ways) -> list[int | None]:
    of_fault: dict[str, list[int]] = {}
    for index, finding in enumerate(found):
        of_fault.setdefault(finding.fault, []).append(index)
    parents: list[int | None] = [None] * len(found)

    def descends(index: int | None, ancestor: int) -> bool:
        while index is not None:
            if index == ancestor:
                return True
            index = parents[index]
        return False

    for index, effect in enumerate(found):
        candidates = [
            other
            for cause in known.get(effect.fault, ())
            for other in of_fault.get(cause.cause, ())
            if _explains(found[other], effect, cause, ways) and not descends(other, index)
        ]
        candidates.sort(key=lambda other: found[other].severity == "info")  # stable
        parents[index] = candidates[0] if candidates else None
    return parents


def _explains(cause: Finding, effect: Finding, edge: Cause, ways: Ways) -> bool:
    if cause.first_step > effect.last_step:
        return False
    same = cause.layer is None or effect.layer is None or cause.layer == effect.layer
    if cause.fault == effect.fault and same:  # a fault spreads from layer to layer, and does not cause itself
        return False
    return ways.reach(cause.layer, effect.layer, edge.along)


def _ordered(found: Sequence[Finding], ways: Ways) -> tuple[Finding, ...]:
    def generation(finding: Finding) -> int:
        return 0 if finding.caused_by is None else 1 + generation(finding.caused_by)

    return tuple(sorted(found, key=lambda f: (generation(f), -f.rank(), ways.row(f.layer))))
