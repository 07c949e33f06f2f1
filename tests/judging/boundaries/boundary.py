"""What a threshold does: two histories that differ in one number, just below the threshold and just above it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tb_cnndiag.history import History
from tb_cnndiag.judging.faults import BUILTIN
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.payloads import LayerInfo, RunInfo
from tests.judging.faults.made import INFO, LAYERS

FAULTS = {kind.id: kind for kind in BUILTIN}
PRIOR = math.log(4)
"""The prior loss of the runs of ``made``: four classes, equally frequent."""
UNITS = {
    "share", "ratio", "count", "step", "loss", "cosine", "norm", "weight", "activation", "input", "output", "target",
    "deviations", "variance",
}  # fmt: skip
"""What numbers of signals, thresholds and evidence are numbers of."""


@dataclass(frozen=True)
class Boundary:
    """One threshold in one kind of a fault.

    Attributes:
        fault, limit: The threshold.
        value: Its default, as documented.
        low, high: How the fault is judged below and above it: the severity of the finding, or the status.
        run: A history in which what the threshold is compared with has this value, and everything else is clearly on
            the side of the fault.
        sides: The values just below and just above; by default 0.2 % away.
        shown: Name of the number in the evidence; None if a finding does not show it.
        kind: Which kind of the fault, where there are several.
        at: Which of the two holds at the threshold itself; None if the value is rounded on its way through the history.
    """

    fault: str
    limit: str
    value: float
    low: str
    high: str
    run: Callable[[float], History]
    sides: tuple[float, float] | None = None
    shown: str | None = ""
    kind: str = ""
    at: str | None = "high"

    @property
    def below(self) -> float:
        """The value just below."""
        return self.sides[0] if self.sides else self.value * 0.998

    @property
    def above(self) -> float:
        """The value just above."""
        return self.sides[1] if self.sides else self.value * 1.002

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.fault}.{self.limit}{f' ({self.kind})' if self.kind else ''}"


def result(fault: str, run: History, limits: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """Severity of the first finding of a fault that is judged alone; its status if there is none."""
    judged = verdict(run, limits, faults=[FAULTS[fault]])
    (coverage,) = judged.coverage
    assert (coverage.status == "found") == bool(judged.findings)
    return judged.findings[0].severity if judged.findings else coverage.status


def layer(row: int, value: float, others: float = 0.0) -> list[float]:
    """One value per layer of ``made``: this one in a row, the others elsewhere."""
    return [value if each == row else others for each in range(len(LAYERS))]


def with_layer(row: int, **changes: object) -> RunInfo:
    """The run of ``made`` with one layer changed."""
    return with_layers({row: changes})


def with_layers(changes: Mapping[int, Mapping[str, object]], **of_run: object) -> RunInfo:
    """The run of ``made`` with some layers changed, and some facts of the run."""
    layers: Sequence[LayerInfo] = [replace(each, **changes.get(row, {})) for row, each in enumerate(LAYERS)]  # type: ignore[arg-type]
    return replace(INFO, layers=tuple(layers), **of_run)  # type: ignore[arg-type]
