"""What a fault reads of a history, and how it words what it finds."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.changes import InsertLayer, SetTraining, Value
from tb_cnndiag.finding import Adjustment, Evidence, Finding, Severity
from tb_cnndiag.history import History
from tb_cnndiag.payloads import IntArray, LayerInfo

# What a layer's width is called, by its role.
WIDTH_PARAMETER = {"conv": "filters", "transposed_conv": "filters", "dense": "units"}
# Steps after which moving averages of Keras' own momentum, 0.99, have forgotten where they began (0.99^500 < 1 %).
SETTLED = 500


@dataclass(frozen=True)
class Limit:
    """A threshold that can be changed: its default, its unit and what it limits."""

    value: float
    unit: str
    description: str


@dataclass(frozen=True)
class Streak:
    """Since when and until when a condition has held without a break."""

    first_step: int
    last_step: int
    enough: bool


class Fault(ABC):
    """A fault that can be found in a run.

    Attributes:
        id: As in findings and on the command line.
        title: For people.
        what, why, advice: What it is, why it matters, what to do: one or two sentences each.
        source: Where the criterion comes from.
        diagnostic: The diagnostic whose chart shows it.
        limits: Thresholds by name.
        follows: Faults that explain this one when they are found in the same layer, before it, or in the whole model.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    what: ClassVar[str]
    why: ClassVar[str]
    advice: ClassVar[str]
    source: ClassVar[str]
    diagnostic: ClassVar[str]
    limits: ClassVar[Mapping[str, Limit]]
    follows: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def judge(self, history: History, limits: Mapping[str, float]) -> Iterator[Finding]:
        """Yield what is found; ``limits`` has every name of ``self.limits``."""

    def finding(
        self,
        history: History,
        layer: LayerInfo | None,
        severity: Severity,
        held: Streak,
        message: str,
        *,
        evidence: Mapping[str, Evidence],
        units: tuple[int, ...] | tuple[tuple[int, ...], ...] = (),
        adjustments: tuple[Adjustment, ...] = (),
    ) -> Finding:
        """A finding of this fault; an error that was seen too few times is told as a warning."""
        return Finding(
            run=history.run,
            fault=self.id,
            layer=layer.path if layer else None,
            severity=severity if held.enough or severity != "error" else "warning",
            first_step=held.first_step,
            last_step=held.last_step,
            message=message,
            units=units,
            evidence=evidence,
            adjustments=adjustments,
            title=self.title,
            diagnostic=self.diagnostic,
        )


def streak(steps: IntArray, condition: NDArray[np.bool_], snapshots: float) -> Streak | None:
    """Whether the condition ``(snapshots,)`` holds at the last ``snapshots`` of its steps, and since when.

    With fewer looks in the run than that all of them must hold; ``enough`` is False then. None when it does not hold.
    """
    if not len(steps) or not condition[-min(int(snapshots), len(steps)) :].all():
        return None
    broken = np.flatnonzero(~condition)
    first = int(broken[-1]) + 1 if broken.size else 0
    return Streak(int(steps[first]), int(steps[-1]), len(steps) >= snapshots)


def learning_rate(history: History) -> float | None:
    """The learning rate last in use; None when it is not known."""
    _, logged = history.scalars("training_curve", "learning_rate")
    if logged.size:
        return float(logged[-1])
    value = optimizer_config(history).get("learning_rate")
    return float(value) if isinstance(value, int | float) else None


def optimizer_config(history: History) -> Mapping[str, Any]:
    """Config of the optimizer; of one that scales the loss the inner one's. Empty when unknown."""
    config = _json(history.info.optimizer if history.info else "").get("config", {})
    inner = config.get("inner_optimizer")
    return dict(inner.get("config", {}) if isinstance(inner, dict) else config)


def optimizer_name(history: History) -> str:
    """Class of the optimizer, e.g. ``"SGD"``; of one that scales the loss the inner one's. Empty when unknown."""
    known = _json(history.info.optimizer if history.info else "")
    inner = known.get("config", {}).get("inner_optimizer")
    return str((inner if isinstance(inner, dict) else known).get("class_name", ""))


def layer_config(layer: LayerInfo) -> Mapping[str, Any]:
    """Keras config of a layer; empty when unknown."""
    return _json(layer.config)


def bias_initializer(layer: LayerInfo) -> str:
    """Name of what fills a layer's bias at first, e.g. ``"zeros"``; empty when unknown."""
    bias = layer_config(layer).get("bias_initializer")
    name = bias.get("class_name", "") if isinstance(bias, dict) else str(bias or "")
    return "zeros" if name == "Zeros" else name


def lower_learning_rate(history: History, reason: str, factor: float = 0.1) -> Adjustment:
    """Propose a lower learning rate, with a number where the present one is known."""
    rate = learning_rate(history)
    proposed = rounded(rate * factor) if rate else f"{factor:g} × the present one"
    return changed_learning_rate(rate, proposed, reason)


def changed_learning_rate(rate: float | None, proposed: float | str, reason: str) -> Adjustment:
    """Propose a learning rate instead of the present one; as text, advice, where the present one is unknown."""
    current = f"{rate:g}" if rate else "unknown"
    if isinstance(proposed, str):
        return Adjustment(None, "learning_rate", current, proposed, reason)
    return Adjustment.of(SetTraining("learning_rate", proposed), current, reason)


def rounded(value: float) -> float:
    """The value with two significant digits."""
    return float(f"{value:.2g}")


def clip(history: History, reason: str) -> tuple[Adjustment, ...]:
    """Propose a clipped gradient; nothing where it is clipped already."""
    if any(optimizer_config(history).get(name) for name in ("clipnorm", "clipvalue", "global_clipnorm")):
        return ()
    return (Adjustment.of(SetTraining("clipnorm", 1.0), "none", reason, proposed="1.0"),)


def normalized(history: History, layer: LayerInfo, reason: str) -> Adjustment:
    """Propose a batch normalization behind a layer, whose averages settle within the steps that a run like this has."""
    config: dict[str, Value] = {"momentum": 0.9} if history.last_step < SETTLED else {}
    return Adjustment.of(InsertLayer(layer.path, "normalization", "BatchNormalization", config), "none", reason)


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
