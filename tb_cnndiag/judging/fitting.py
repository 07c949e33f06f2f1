"""How an output layer, its loss and its targets must fit: one check per way in which they do not.

What a loss needs follows from its family, which for a loss of Keras follows from its class, and for any other one from
its numbers: a distribution over classes that exclude each other, independent probabilities, or numbers. Each check is
given the output layer and the thresholds; the first mismatch is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tb_cnndiag.judging.signals.targets import Head
from tb_cnndiag.numerics.activations import RECTIFIED
from tb_cnndiag.wording import number

# Activations of one output each that are no distribution over classes.
_BOUNDED = ("sigmoid", "tanh")


class Mismatch(NamedTuple):
    """What does not fit, as a sentence, and the one change that makes it fit."""

    severity: str
    message: str
    parameter: str
    current: str
    proposed: str
    reason: str


Limits = Mapping[str, float]


def mismatch(head: Head, limits: Limits) -> Mismatch | None:
    """The first way in which the output does not fit its loss and targets; None if they fit."""
    return next((found for check in CHECKS for found in check(head, limits)), None)


def is_distribution(head: Head, limits: Limits) -> bool:
    """Whether the outputs of each sample were measured to sum to 1."""
    return head.row_sum_error <= limits["row_sum_error"]


def no_distribution(head: Head, limits: Limits) -> bool:
    """Whether the outputs of the samples were measured not to sum to 1."""
    return head.row_sum_error > limits["row_sum_error"]


def stuck(head: Head, limits: Limits) -> bool:
    """Whether nothing was learned: the last loss is not below the prior loss."""
    return head.relative_loss >= limits["stuck"]


def too_few_outputs(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Fewer outputs than classes."""
    layer, labels = head.layer, len(head.counts)
    if head.loss.family == "categorical" and 1 < layer.units < labels:
        classes = f"the {layer.units:,} outputs of {layer.path} stand for classes 0 to {layer.units - 1:,}"
        why = f"Labels go up to {labels - 1:,}, but {classes}."
        yield Mismatch("error", why, "units", str(layer.units), str(labels), "one output per class")
    if head.loss.family == "binary" and layer.units == 1 and head.classes > 2:
        why = f"The single output of {layer.path} cannot distinguish {head.classes:,} classes."
        yield Mismatch("error", why, "units", "1", str(head.classes), "one output per class")


def impossible_labels(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Labels outside the range of what the loss compares."""
    targets, loss, path = head.targets, head.loss, head.layer.path
    if targets is None:
        return
    span = f"{targets.low:.4g} … {targets.high:.4g}"
    labels = f"labels lie {_between(targets.low, targets.high)}"
    slack = limits["row_sum_error"]
    if loss.sparse and loss.family == "categorical" and ((targets.low < 0 and not loss.ignores) or not targets.whole):
        why = f"The loss of {path} expects class indices, but {labels}."
        proposed = f"0 … {head.layer.units - 1}"
        yield Mismatch("error", why, "labels", span, proposed, "each label is the number of a class")
    if loss.family == "binary" and (targets.low < -slack or targets.high > 1 + slack):
        why = f"The loss of {path} expects labels between 0 and 1, but {labels}."
        yield Mismatch("error", why, "labels", span, "0 or 1", "binary cross-entropy compares probabilities")
    if loss.family == "count" and targets.low < 0:
        why = f"The loss of {path} expects counts, but {labels}."
        yield Mismatch("error", why, "labels", span, "not negative", "a count is not negative")


def several_labels(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Samples with several labels or none under a loss for exactly one."""
    targets, loss = head.targets, head.loss
    if targets is None or loss.family != "categorical" or loss.sparse or not head.several:
        return
    if targets.whole and not targets.distribution:
        compete = f"but softmax makes the outputs of {head.layer.path} compete for one label"
        why = f"Samples have several labels or none, {compete}."
        yield Mismatch("error", why, "loss", loss.given, "binary_crossentropy", "each label is independent")


def compared_with_one_target(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Several outputs that a regression compares with a single target."""
    layer, targets = head.layer, head.targets
    if targets is None or not head.loss.of_numbers or layer.role != "dense" or layer.units < 2:
        return
    if layer.output_shape != (layer.units,) or targets.shape not in ((), (1,)):
        return
    why = f"The loss compares each of the {layer.units:,} outputs of {layer.path} with the same single target."
    if layer.activation == "softmax" and head.classes == layer.units:
        proposed = "sparse_categorical_crossentropy"
        yield Mismatch("error", why, "loss", head.loss.given, proposed, "targets are class numbers")
    yield Mismatch("error", why, "units", str(layer.units), "1", "one output for one target")


def competing_numbers(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A softmax for targets that do not sum to 1."""
    layer, targets = head.layer, head.targets
    if targets is None or not head.loss.of_numbers or layer.activation != "softmax" or not head.several:
        return
    if not targets.distribution:
        why = f"The softmax outputs of {layer.path} sum to 1, but the targets of a sample do not."
        proposed = "sigmoid" if targets.low >= 0 and targets.high <= 1 else "linear"
        yield Mismatch("error", why, "activation", "softmax", proposed, "lets outputs differ freely")


def out_of_range(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Targets outside the range of the activation."""
    targets, layer = head.targets, head.layer
    if targets is None or not head.loss.of_numbers or head.outside <= limits["outside"]:
        return
    produced = _between(head.low, head.high) if head.high < math.inf else f"above {number(head.low)}"
    lie = f"Targets lie {_between(targets.low, targets.high)}"
    why = f"{lie}, but the {layer.activation} of {layer.path} only produces values {produced}."
    severity = "error" if head.outside >= limits["wasted"] else "warning"
    yield Mismatch(severity, why, "activation", layer.activation, "linear", "can take any value")


def negative_cross_entropy(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A cross-entropy of probabilities that is negative: labels are outside 0 … 1."""
    if head.loss.family == "binary" and head.last_loss < -limits["row_sum_error"]:
        why = f"The loss of {head.layer.path} is negative, so labels lie outside 0 … 1."
        reason = "binary cross-entropy compares probabilities"
        yield Mismatch("error", why, "labels", "outside 0 … 1", "0 or 1", reason)


def wrong_for_classes(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """An activation that gives no distribution, or logits, to a categorical loss."""
    layer, from_logits = head.layer, head.loss.from_logits
    activation, distribution = layer.activation, is_distribution(head, limits)
    if head.loss.family != "categorical":
        return
    if layer.units == 1:
        why = f"The single output of {layer.path} cannot distinguish classes under categorical cross-entropy."
        yield Mismatch("error", why, "units", "1", "number of classes", "one output per class")
    if activation in RECTIFIED:
        why = f"The {activation} of {layer.path} cuts off negative logits."
        fitting = "linear" if from_logits else "softmax"
        yield Mismatch("error", why, "activation", activation, fitting, "allows logits of both signs")
    if from_logits and (activation == "softmax" or distribution):
        yield _applied_twice(head, "softmax", "the outputs are probabilities already")
    if activation == "linear" and not from_logits and not distribution:
        yield _unread_logits(head)
    if activation in _BOUNDED and from_logits:
        why = f"The {activation} of {layer.path} bounds the logits: no class can be predicted with certainty."
        yield Mismatch("warning", why, "activation", activation, "linear", "the loss applies softmax itself")
    if activation in _BOUNDED and not from_logits and not distribution:
        expects = "but categorical cross-entropy expects that"
        why = f"The {activation} outputs of {layer.path} do not sum to 1, {expects}."
        severity = "error" if activation == "tanh" else "warning"
        yield Mismatch(severity, why, "activation", activation, "softmax", "gives a distribution over classes")


def wrong_for_a_divergence(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Outputs that are no distribution under a divergence of distributions."""
    layer = head.layer
    if head.loss.family == "divergence" and not is_distribution(head, limits) and layer.activation != "softmax":
        compares = "but the divergence compares distributions"
        why = f"The {layer.activation} outputs of {layer.path} do not sum to 1, {compares}."
        yield Mismatch("error", why, "activation", layer.activation, "softmax", "gives a distribution over classes")


def wrong_for_probabilities(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """An activation that gives no independent probabilities, or logits, to a binary loss."""
    layer, from_logits = head.layer, head.loss.from_logits
    activation = layer.activation
    if head.loss.family != "binary":
        return
    if layer.units == 1 and activation == "softmax":
        yield Mismatch("error", always_one(head), "activation", "softmax", "sigmoid", "gives a probability")
    if layer.units > 1 and activation == "softmax":
        why = f"The loss treats each output of {layer.path} as independent, but softmax makes the outputs compete."
        proposed = "categorical_crossentropy"
        yield Mismatch("warning", why, "loss", head.loss.given, proposed, "fits outputs that exclude each other")
    if activation in RECTIFIED or (activation == "tanh" and not from_logits):
        why = f"The {activation} outputs of {layer.path} are not probabilities."
        yield Mismatch("error", why, "activation", activation, "sigmoid", "gives a probability")
    if activation == "sigmoid" and from_logits:
        yield _applied_twice(head, "sigmoid", "the output is a probability already")
    if activation == "linear" and not from_logits and (layer.units == 1 or not is_distribution(head, limits)):
        yield _unread_logits(head)


def softmax_of_one(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A softmax over a single output, with any other loss."""
    if head.layer.units == 1 and head.layer.activation == "softmax":
        yield Mismatch("error", always_one(head), "activation", "softmax", "linear", "can take any value")


def another_axis(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A softmax over positions or samples: the outputs for one sample do not sum to 1."""
    layer = head.layer
    if head.loss.family == "categorical" and layer.activation == "softmax" and no_distribution(head, limits):
        axis = f"The softmax of {layer.path} runs over an axis other than the classes"
        why = f"{axis}: the outputs of a sample do not sum to 1."
        yield Mismatch("error", why, "axis", "another", "-1", "gives a distribution over classes")


def wrong_sign(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A custom loss that is larger where predictions are better: its numbers show it."""
    layer, facts, loss = head.layer, head.loss.facts, head.loss
    if facts is None:
        return
    negative = facts.factor is not None and facts.factor < 0
    if not negative and not (facts.falls is False and layer.units > 1 and layer.activation == "softmax"):
        return
    proposed = facts.same_as or ("sparse_categorical_crossentropy" if facts.sparse else "categorical_crossentropy")
    why = f"The loss {loss.given} is larger where {layer.path} is closer to the targets: it rewards wrong predictions."
    yield Mismatch("error", why, "loss", loss.given, proposed, "is minimal for correct predictions")


def reversed_loss(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A custom loss that falls below 0 while the output collapses to one class: its sign is wrong."""
    layer = head.layer
    if head.loss.family != "other" or head.loss.facts or layer.units < 2 or layer.activation != "softmax":
        return
    balanced = 2 * max(head.counts, default=0) <= sum(head.counts)
    if not balanced or not head.top_share > limits["one_class"]:
        return
    if not head.last_loss < min(head.first_loss, 0.0):
        return
    falls = f"The loss falls to {number(head.last_loss)} while {layer.path} predicts one class for all samples"
    why = f"{falls}: the loss rewards wrong predictions."
    proposed = "categorical_crossentropy"
    yield Mismatch("error", why, "loss", head.loss.given, proposed, "is minimal for correct predictions")


def negative_rates(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Outputs that can be negative under a loss that takes their logarithm."""
    if head.loss.family == "count" and head.low < 0:
        activation, path = head.layer.activation, head.layer.path
        why = f"The loss takes the logarithm of the output of {path}, but its {activation} can be negative."
        yield Mismatch("warning", why, "activation", activation, "softplus", "is always positive")


def rectified_answers(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A rectified output for targets that are 0 or 1: where it is 0, it has no gradient."""
    targets, layer = head.targets, head.layer
    if targets is None or not head.loss.of_numbers or layer.activation not in RECTIFIED:
        return
    if targets.whole and (targets.low, targets.high) == (0, 1):
        why = f"Targets are 0 or 1, but the {layer.activation} of {layer.path} has no gradient where it is 0."
        severity = "error" if stuck(head, limits) else "warning"
        yield Mismatch(severity, why, "activation", layer.activation, "sigmoid", "gives a probability")


def squared_error_of_classes(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """A squared or absolute error of one-hot classes: its gradient vanishes where a prediction is wrong."""
    targets, layer = head.targets, head.layer
    if targets is None or not head.loss.plain or layer.activation not in ("softmax", "sigmoid"):
        return
    if head.several and targets.distribution and targets.whole:
        why = f"Targets are classes, but the {head.loss.given} of {layer.path} has little gradient for wrong answers."
        severity = "warning" if stuck(head, limits) else "info"
        yield Mismatch(severity, why, "loss", head.loss.given, "categorical_crossentropy", "fits classes")


def exclusive_classes(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Independent probabilities for classes that exclude each other."""
    targets, layer = head.targets, head.layer
    if targets is None or head.loss.family != "binary" or layer.units < 3 or layer.activation == "softmax":
        return
    if head.several and targets.distribution and targets.whole:
        why = f"Classes exclude each other, but the loss treats each output of {layer.path} as independent."
        severity = "warning" if stuck(head, limits) else "info"
        yield Mismatch(severity, why, "loss", head.loss.given, "categorical_crossentropy", "one class per sample")


def unscaled_targets(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Targets that are so large that an output of the order of 1 does not reach them in time."""
    targets, path = head.targets, head.layer.path
    if targets is None or not head.loss.plain or head.layer.activation != "linear":
        return
    size = max(abs(targets.low), abs(targets.high))
    if size >= limits["target_size"] and head.loss_to_spread >= limits["stuck"] and stuck(head, limits):
        why = f"Targets lie {_between(targets.low, targets.high)}: the output of {path} does not reach them."
        span = f"{targets.low:.4g} … {targets.high:.4g}"
        yield Mismatch("warning", why, "targets", span, "mean 0, deviation 1", "the output starts at the order of 1")


def dropped_answers(head: Head, limits: Limits) -> Iterator[Mismatch]:
    """Dropout behind the output layer: a part of the answers is set to 0 in training."""
    layer = head.layer
    if layer.dropout > 0 and (head.loss.of_classes or head.loss.of_numbers):
        why = f"The dropout {layer.dropout_at} sets outputs of {layer.path} to 0: training compares them with targets."
        yield Mismatch("warning", why, "dropout", f"{layer.dropout:g}", "before the output layer", "outputs stay whole")


def _unread_logits(head: Head) -> Mismatch:
    why = f"The loss reads the logits of {head.layer.path} as probabilities."
    if head.loss.facts is None:
        return Mismatch("error", why, "from_logits", "False", "True", "the output is logits")
    fitting = "softmax" if head.loss.family == "categorical" else "sigmoid"
    return Mismatch("error", why, "activation", "linear", fitting, "the loss expects probabilities")


def _applied_twice(head: Head, function: str, reason: str) -> Mismatch:
    named = "Softmax" if function == "softmax" else "The sigmoid"
    why = f"{named} is applied twice: in {head.layer.path} and in the loss."
    if head.loss.facts is None:
        return Mismatch("warning", why, "from_logits", "True", "False", reason)
    if head.layer.activation == function:
        return Mismatch("warning", why, "activation", function, "linear", f"the loss applies {function} itself")
    return Mismatch("warning", why, function, "twice", "once", f"the loss applies {function} itself")


def always_one(head: Head) -> str:
    """What a softmax of one output is."""
    return f"The softmax of the single output of {head.layer.path} is always 1."


def _between(low: float, high: float) -> str:
    return f"between {number(low)} and {number(high)}"


CHECKS: tuple[Callable[[Head, Limits], Iterator[Mismatch]], ...] = (
    wrong_sign,
    too_few_outputs,
    impossible_labels,
    several_labels,
    compared_with_one_target,
    competing_numbers,
    out_of_range,
    negative_cross_entropy,
    wrong_for_classes,
    wrong_for_a_divergence,
    wrong_for_probabilities,
    softmax_of_one,
    another_axis,
    reversed_loss,
    negative_rates,
    rectified_answers,
    unscaled_targets,
    dropped_answers,
    squared_error_of_classes,
    exclusive_classes,
)
