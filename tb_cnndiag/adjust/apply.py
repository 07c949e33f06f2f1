"""From findings to a model with what they propose carried out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras

from tb_cnndiag.adjust.compiling import compiled
from tb_cnndiag.adjust.fit import merge_by
from tb_cnndiag.adjust.rebuild import RebuildError, copy, keep_weights, rebuild
from tb_cnndiag.adjust.surgery import Cut, Merge, SurgeryError, chain_of, cut
from tb_cnndiag.capture.layers import walk
from tb_cnndiag.finding import Adjustment, Finding

TRAINING = ("learning_rate", "clipnorm", "from_logits", "loss", "weight_decay")
IN_CONFIG = (
    "activation",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "filters",
    "units",
    "trainable",
    "rate",
)
SURGERY = ("redundant_filters", "dead_units")
RESCALING = re.compile(r"Rescaling\(1/(\d+)\)")


class Adjusted(NamedTuple):
    """The new model, and what could not be done: a line each, as a change of config to be made by hand."""

    model: Any
    left: tuple[str, ...]


@dataclass
class _Plan:
    """What is done to each layer, by its name."""

    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, list[Any]] = field(default_factory=dict)
    behind: dict[str, str] = field(default_factory=dict)
    group_norm: bool = False
    cuts: list[Cut] = field(default_factory=list)
    training: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def apply(model: Any, findings: Sequence[Finding], *, weights: bool = True, samples: Any = None) -> Adjusted:
    """A new compiled model with the adjustments of the findings carried out; the given one is not changed.

    Of findings that another one explains nothing is carried out: the cause comes first. Of several proposals for the
    same parameter the first counts.

    Args:
        model: Sequential or Functional, built and compiled.
        findings: As from ``tb_cnndiag.diagnose``.
        weights: Keep weights where shapes allow; redundant and dead filters are then taken out by surgery, which
            hardly changes what the network computes. Otherwise every weight is drawn anew.
        samples: Inputs of the model, a few hundred, as it is trained on. With them more twins can be taken out: what
            the next layer was given of them is fitted by least squares through those that stay. Without, only those
            go whose weights are next to the same.

    Raises:
        ValueError: When ``samples`` do not fit the model.
    """
    layers = dict(walk(model))
    plan = _planned(model, layers, findings, weights=weights, samples=samples)
    try:
        new = rebuild(model, lambda layer: _pieces(layer, plan))
    except RebuildError as error:
        lines = [_line(a) for finding in _causes(findings) for a in finding.adjustments]
        return Adjusted(model, (str(error), *lines))
    if weights:
        fresh = {
            name for name, config in plan.configs.items() if {"kernel_initializer", "bias_initializer"} & set(config)
        }
        initial = {layer.name: layer.get_weights() for layer in new._flatten_layers(include_self=False)}
        keep_weights(model, new)
        for layer in new._flatten_layers(include_self=False):
            if layer.name in fresh:
                layer.set_weights(initial[layer.name])
            for done in plan.cuts:
                if layer.name in done.weights:
                    layer.set_weights(done.weights[layer.name])
    compiled(model, new, plan.training)
    return Adjusted(new, tuple(plan.left))


def _causes(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.caused_by is None and finding.severity != "info"]


def _planned(model: Any, layers: dict[str, Any], findings: Sequence[Finding], *, weights: bool, samples: Any) -> _Plan:
    plan = _Plan()
    done: set[tuple[str | None, str]] = set()
    for finding in _causes(findings):
        operated = weights and _operate(plan, model, layers, finding, samples)
        for adjustment in finding.adjustments:
            key = (adjustment.layer, adjustment.parameter)
            if key in done or (operated and adjustment.layer == finding.layer):
                continue
            done.add(key)
            if not _plan_one(plan, layers, finding, adjustment):
                plan.left.append(_line(adjustment))
    return plan


def _operate(plan: _Plan, model: Any, layers: dict[str, Any], finding: Finding, samples: Any) -> bool:
    """Take redundant or dead filters out by surgery; False when the finding is about others, or it is not possible."""
    layer = layers.get(finding.layer or "")
    touched = {name for done in plan.cuts for name in done.weights}
    if finding.fault not in SURGERY or layer is None or not finding.units or layer.name in touched:
        return False
    groups = [group for group in finding.units if isinstance(group, tuple)]
    dead = [unit for unit in finding.units if isinstance(unit, int)]
    if len(dead) == getattr(layer, "filters", getattr(layer, "units", 0)):
        return False  # of a layer that is dead as a whole nothing would be left: it has to be mended
    try:
        done = cut(layer, groups, dead, _fit(model, layer, groups, samples))
    except SurgeryError as error:
        plan.left.append(f"{finding.layer}: filters are not taken out: {error}")
        return False
    if not done.configs and groups:
        plan.left.append(f"{finding.layer}: filters are not merged: none is close enough to another")
    if not done.configs:
        return bool(groups)
    if touched & done.weights.keys():
        return False
    plan.cuts.append(done)
    for name, config in done.configs.items():
        plan.configs.setdefault(name, {}).update(config)
    return True


def _fit(model: Any, layer: Any, groups: Sequence[Sequence[int]], samples: Any) -> Merge | None:
    """How twins are merged by samples; None without samples, and in nested models, whose inputs they are not."""
    if samples is None or not groups or layer not in model.layers:
        return None
    return merge_by(model, chain_of(layer), groups, samples)


def _plan_one(plan: _Plan, layers: dict[str, Any], finding: Finding, adjustment: Adjustment) -> bool:
    parameter, proposed = adjustment.parameter, adjustment.proposed
    if adjustment.layer is None:
        if parameter in TRAINING:
            plan.training[parameter] = proposed
        return parameter in TRAINING
    layer = layers.get(adjustment.layer)
    if layer is None:
        return False
    if parameter == "normalization":
        if adjustment.current == "BatchNormalization":
            plan.group_norm = True
            return True
        plan.behind[layer.name] = proposed
        return True
    if parameter == "input":
        piece = _input_piece(proposed, finding)
        plan.before.setdefault(layer.name, []).extend([piece] if piece else [])
        return piece is not None
    if parameter in IN_CONFIG and parameter in {*layer.get_config(), "kernel_initializer"}:
        plan.configs.setdefault(layer.name, {})[parameter] = _value(parameter, proposed)
        return parameter not in ("filters", "units") or proposed.isdigit()
    return False


def _value(parameter: str, proposed: str) -> Any:
    if parameter in ("filters", "units") and proposed.isdigit():
        return int(proposed)
    if parameter == "trainable":
        return proposed == "True"
    if parameter == "rate":
        return float(proposed)
    if proposed == "None":
        return None
    return proposed


def _input_piece(proposed: str, finding: Finding) -> Any:
    rescaling = RESCALING.fullmatch(proposed)
    if rescaling:
        return keras.layers.Rescaling(1 / float(rescaling[1]))
    if proposed == "Normalization" and {"mean", "std"} <= finding.evidence.keys():
        mean, std = (finding.evidence[name].value for name in ("mean", "std"))
        scale = 1 / max(std, 1e-6)
        return keras.layers.Rescaling(scale, offset=-mean * scale)
    return None


def _normalization(proposed: str, name: str) -> Any:
    """``"BatchNormalization"``, or with its momentum."""
    kind, _, momentum = proposed.rstrip(")").partition("(momentum=")
    return getattr(keras.layers, kind)(name=name, **({"momentum": float(momentum)} if momentum else {}))


def _pieces(layer: Any, plan: _Plan) -> list[Any]:
    """The layers that take the place of one."""
    if plan.group_norm and type(layer).__name__ == "BatchNormalization":
        channels = int(layer.gamma.shape[0] if layer.scale else layer.moving_mean.shape[0])
        groups = next(n for n in (8, 4, 2, 1) if channels % n == 0)
        return [keras.layers.GroupNormalization(groups, name=layer.name)]
    changed = dict(plan.configs.get(layer.name, {}))
    before = plan.before.get(layer.name, [])
    if layer.name not in plan.behind:
        return [*before, copy(layer, **changed)]
    activation = changed.get("activation", layer.get_config().get("activation", "linear"))
    norm = _normalization(plan.behind[layer.name], f"{layer.name}_norm")
    last = keras.layers.Activation(activation, name=f"{layer.name}_activation")
    return [*before, copy(layer, **(changed | {"activation": "linear"})), norm, last]


def _line(adjustment: Adjustment) -> str:
    """A change of config for a person: ``conv1: - filters: 32 + filters: 20 (why)``."""
    place = adjustment.layer or "training"
    return (
        f"{place}: - {adjustment.parameter}: {json.dumps(adjustment.current)} "
        f"+ {adjustment.parameter}: {json.dumps(adjustment.proposed)} ({adjustment.reason})"
    )
