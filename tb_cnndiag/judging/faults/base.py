"""The base class of all faults, and the changes that several of them propose."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from tb_cnndiag.changes import InsertLayer, SetTraining, Value
from tb_cnndiag.finding import Adjustment, Evidence, Finding, Severity
from tb_cnndiag.history import History
from tb_cnndiag.judging.signals.configuration import learning_rate, optimizer_config
from tb_cnndiag.judging.signals.persistence import Streak
from tb_cnndiag.payloads import LayerInfo

# Name of a layer's width, by its role.
WIDTH_PARAMETER = {"conv": "filters", "transposed_conv": "filters", "dense": "units"}
# Steps after which moving averages with Keras' default momentum, 0.99, no longer depend on their initial value
# (0.99^500 < 1 %).
SETTLED = 500


@dataclass(frozen=True)
class Limit:
    """A threshold that can be changed: default, unit, and a sentence that says what it means to be above or below."""

    value: float
    unit: str
    description: str


def consecutive_snapshots(count: int) -> Limit:
    """The threshold of persistence that most faults have."""
    return Limit(count, "count", "Number of consecutive snapshots for which the condition must persist.")


class Fault(ABC):
    """A fault that can be found in a run.

    Attributes:
        id: Name in findings and on the command line.
        title: Name for people.
        what, why, advice: What it is, why it matters, what to do: one or two sentences each.
        source: Publication or tool that the criterion comes from.
        diagnostic: The diagnostic whose chart shows it.
        limits: Thresholds by name.
        follows: Faults that can cause this one if they are found in the same layer, before it, or in the whole model.
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
        """Yield findings; ``limits`` has every name of ``self.limits``."""

    def finding(
        self,
        history: History,
        layer: LayerInfo | None,
        severity: Severity,
        persistence: Streak,
        message: str,
        *,
        evidence: Mapping[str, Evidence],
        units: tuple[int, ...] | tuple[tuple[int, ...], ...] = (),
        adjustments: tuple[Adjustment, ...] = (),
    ) -> Finding:
        """A finding of this fault; an error that has not persisted for enough snapshots is reported as a warning."""
        return Finding(
            run=history.run,
            fault=self.id,
            layer=layer.path if layer else None,
            severity=severity if persistence.enough or severity != "error" else "warning",
            first_step=persistence.first_step,
            last_step=persistence.last_step,
            message=message,
            units=units,
            evidence=evidence,
            adjustments=adjustments,
            title=self.title,
            diagnostic=self.diagnostic,
        )


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
