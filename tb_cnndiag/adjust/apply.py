"""From findings to a model in which their adjustments are carried out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.adjust.chain import SurgeryError, activation_behind, chain_of
from tb_cnndiag.adjust.compiling import compile_like
from tb_cnndiag.adjust.fit import merge_by
from tb_cnndiag.adjust.rebuild import RebuildError, Replacement, copy, keep_weights, layers_of, rebuild
from tb_cnndiag.adjust.surgery import cut
from tb_cnndiag.changes import Change, InsertLayer, ReplaceBatchNormalization, SetParameter, SetTraining, Value
from tb_cnndiag.finding import Adjustment, Finding

# Initializers of the kernels of depthwise and separable convolutions, in place of kernel_initializer.
_KERNEL_INITIALIZERS = ("depthwise_initializer", "pointwise_initializer")
_INITIALIZERS = {"kernel_initializer", "bias_initializer", *_KERNEL_INITIALIZERS}


# Faults whose units can go without a change of the answers: those that may be intended are carried out, too.
CERTAIN = ("units_without_effect", "redundant_filters")


class Adjusted(NamedTuple):
    """The new model, and a line for each change that was not carried out and is to be made by hand."""

    model: Any
    left: tuple[str, ...]


def apply(model: Any, findings: Sequence[Finding], *, weights: bool = True, samples: Any = None) -> Adjusted:
    """A new compiled model with the adjustments of the findings carried out; the given model is not changed.

    Findings that another one causes are left out: fix the cause first. Of several proposals for the same parameter the
    first counts.

    Args:
        model: Sequential or Functional, built and compiled.
        findings: From ``tb_cnndiag.diagnose``. Those decoded from a log have text only: they go to ``left``.
        weights: Keep weights where shapes allow. Redundant and dead units are then removed by surgery, which hardly
            changes the outputs of the network. Otherwise all weights are initialized anew.
        samples: Inputs of the model, a few hundred, preprocessed as in training. With samples more twins can be
            removed: the weights of the next layer are fitted, by least squares, to the units that stay. Without, only
            twins with nearly the same weights are removed.

    Raises:
        ValueError: If ``samples`` do not fit the model.
    """
    causes = [
        finding
        for finding in findings
        if finding.caused_by is None and (finding.severity != "info" or finding.fault in CERTAIN)
    ]
    try:
        plan = _Plan(model)
        plan.add(causes, weights=weights, samples=samples)
        new, pairs = rebuild(model, plan.replacement)
    except RebuildError as error:
        lines = [_line(adjustment) for finding in causes for adjustment in finding.adjustments]
        return Adjusted(model, (str(error), *lines))
    if weights:
        for before, after in pairs:
            if not _INITIALIZERS & plan.config(before).keys():
                keep_weights(plan.weights.get(id(before)) or before.get_weights(), after)
    untaken = compile_like(model, new, {name: change.value for name, (change, _) in plan.training.items()})
    lines = [_line(adjustment) for name, (_, adjustment) in plan.training.items() if name in untaken]
    return Adjusted(new, (*plan.left, *lines))


@dataclass
class _Plan:
    """What is done to each layer, by ``id(layer)``, and to the training; what cannot be done is in ``left``."""

    model: Any
    configs: dict[int, dict[str, Value]] = field(default_factory=dict)
    before: dict[int, InsertLayer] = field(default_factory=dict)
    after: dict[int, InsertLayer] = field(default_factory=dict)
    group_normalization: bool = False
    weights: dict[int, list[NDArray[np.floating[Any]]]] = field(default_factory=dict)
    training: dict[str, tuple[SetTraining, Adjustment]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        places = [(path, layer, owner) for path, layer, owner in layers_of(self.model)]
        self.layers = {path: layer for path, layer, _ in places}
        self.owners = {id(layer): owner for _, layer, owner in places}

    def config(self, layer: Any) -> dict[str, Value]:
        """The changed entries of a layer's config."""
        return self.configs.setdefault(id(layer), {})

    def add(self, findings: Sequence[Finding], *, weights: bool, samples: Any) -> None:
        """Plan the adjustments of findings that are causes."""
        done: set[tuple[str | None, str]] = set()
        for finding in findings:
            operated = weights and self._operate(finding, samples)
            for adjustment in finding.adjustments:
                key = (adjustment.layer, adjustment.parameter)
                if key in done or (operated and adjustment.layer == finding.layer):
                    continue
                done.add(key)
                if adjustment.change is None or not self._change(adjustment.change, adjustment):
                    self.left.append(_line(adjustment))

    def _operate(self, finding: Finding, samples: Any) -> bool:
        """Remove redundant or dead units; True if that settles the finding's adjustments of its layer.

        It does for redundant units in any case, because a narrower layer with new weights would undo the training.
        """
        layer = self.layers.get(finding.layer or "")
        groups = [unit for unit in finding.units if isinstance(unit, tuple)]
        dead = [unit for unit in finding.units if isinstance(unit, int)]
        redundant = (finding.fault == "redundant_filters" and bool(groups)) or finding.fault == "units_without_effect"
        if layer is None or not (redundant or (finding.fault == "dead_units" and dead)):
            return False
        if len(dead) == getattr(layer, "filters", getattr(layer, "units", 0)):
            return False  # nothing would be left of the layer: fix it instead
        try:
            removed = self._cut(layer, groups, dead, samples)
        except SurgeryError as error:
            self.left.append(f"{finding.layer}: units are not removed: {error}")
            return redundant
        if redundant and not removed:
            why = "none is close enough to another" if groups else "the next layer reads their constants"
            self.left.append(f"{finding.layer}: {'filters are not merged' if groups else 'units stay'}: {why}")
        return redundant or removed

    def _cut(self, layer: Any, groups: Sequence[tuple[int, ...]], dead: Sequence[int], samples: Any) -> bool:
        if self.config(layer).keys() & {"filters", "units"}:
            raise SurgeryError(f"the width of {layer.name} is changed already")
        chain = chain_of(self.owners[id(layer)], layer)
        # Samples are inputs of the whole model, which those of a nested model are not.
        fits = samples is not None and groups and self.owners[id(layer)] is self.model
        merge = merge_by(self.model, chain, groups, samples) if fits else None
        done = cut(chain, groups, dead, merge=merge, weights=self.weights)
        if done is None:
            return False
        self.config(layer)["filters" if "filters" in layer.get_config() else "units"] = done.units
        self.weights |= done.weights
        return True

    def _change(self, change: Change, adjustment: Adjustment) -> bool:
        """Plan one change; False if the model has no place for it."""
        if isinstance(change, SetTraining):
            self.training[change.parameter] = change, adjustment
            return True
        layer = self.layers.get(change.layer)
        if layer is None:
            return False
        if isinstance(change, SetParameter):
            return self._set(layer, change, adjustment.current)
        if isinstance(change, InsertLayer):
            (self.before if change.parameter == "input" else self.after)[id(layer)] = change
        elif isinstance(change, ReplaceBatchNormalization):
            self.group_normalization = True
        return True

    def _set(self, layer: Any, change: SetParameter, current: str) -> bool:
        config = layer.get_config()
        if change.parameter == "activation" and config.get("activation") == "linear" != current:
            layer = activation_behind(self.owners[id(layer)], layer)
            if layer is None:
                return False
            self.config(layer)["activation"] = change.value
            return True
        names = [change.parameter] if change.parameter in config else []
        if change.parameter == "kernel_initializer":
            names = names or [name for name in _KERNEL_INITIALIZERS if name in config]
        self.config(layer).update(dict.fromkeys(names, change.value))
        return bool(names)

    def replacement(self, layer: Any) -> Replacement:
        """What takes the place of a layer in the new model."""
        kind, changed = type(layer).__name__, dict(self.config(layer))
        if self.group_normalization and kind == "BatchNormalization":
            return Replacement(self._group_normalization(layer))
        if "activation" in changed and "activation" not in layer.get_config():  # ReLU and the like
            return Replacement(keras.layers.Activation(changed["activation"], name=layer.name))
        before = self.before.get(id(layer))
        first = (_made(before, f"{layer.name}_input"),) if before else ()
        norm = self.after.get(id(layer))
        if norm is None:
            return Replacement(copy(layer, **changed), first)
        behind = [_made(norm, f"{layer.name}_norm")]
        activation = changed.get("activation", getattr(layer, "activation", None))
        if activation not in (None, "linear", keras.activations.linear):
            behind.append(keras.layers.Activation(activation, name=f"{layer.name}_activation"))
            changed["activation"] = "linear"
        return Replacement(copy(layer, **changed), first, tuple(behind))

    def _group_normalization(self, layer: Any) -> Any:
        values = self.weights.get(id(layer)) or layer.get_weights()
        groups = next(n for n in (8, 4, 2, 1) if len(values[0]) % n == 0)
        return keras.layers.GroupNormalization(groups, name=layer.name)


def _made(change: InsertLayer, name: str) -> Any:
    return getattr(keras.layers, change.class_name)(name=name, **change.config)


def _line(adjustment: Adjustment) -> str:
    """A change for a person to make: ``conv1: - filters: 32 + filters: 20 (why)``."""
    place = adjustment.layer or "training"
    return (
        f"{place}: - {adjustment.parameter}: {json.dumps(adjustment.current)} "
        f"+ {adjustment.parameter}: {json.dumps(adjustment.proposed)} ({adjustment.reason})"
    )
