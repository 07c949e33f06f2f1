"""What a finding must say: its layer, severity and first step, its sentence, its numbers, and what to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from tb_cnndiag.judging.judge import verdict
from tests.judging.boundaries import of_layers, of_outputs, of_saved_models, of_training
from tests.judging.boundaries.boundary import FAULTS, UNITS

Change = tuple[str | None, str, str, str]
"""Layer, parameter, present value, proposed value."""

BOUNDARIES = (*of_layers.BOUNDARIES, *of_training.BOUNDARIES, *of_outputs.BOUNDARIES, *of_saved_models.BOUNDARIES)
_BY_NAME = {boundary.name: boundary for boundary in BOUNDARIES}

CLIPPED: Change = (None, "clipnorm", "none", "1.0")
LOWER: Change = (None, "learning_rate", "0.1", "0.01")


def normalized(layer: str) -> Change:
    """A batch normalization behind a layer, in a run of fewer than 500 steps."""
    return layer, "normalization", "none", "BatchNormalization(momentum=0.9)"


def he(layer: str) -> Change:
    """The initializer that fits a rectified layer, instead of one that is not known."""
    return layer, "kernel_initializer", "unknown", "he_normal"


@dataclass(frozen=True)
class Case:
    """A run of the tables of thresholds, with a value that is clearly on the side of the fault, and its finding."""

    boundary: str
    value: float
    layer: str | None
    severity: str
    first_step: int
    message: str
    evidence: Mapping[str, float]
    changes: Sequence[Change]

    def check(self) -> None:
        """Judge the run."""
        boundary = _BY_NAME[self.boundary]
        run = boundary.run(self.value)
        (finding, *_) = verdict(run, faults=[FAULTS[boundary.fault]]).findings
        assert finding.message == self.message
        assert (finding.layer, finding.severity, finding.first_step) == (self.layer, self.severity, self.first_step)
        assert finding.last_step == run.last_step
        assert {name: each.value for name, each in finding.evidence.items()} == pytest.approx(self.evidence, rel=1e-3)
        assert all(each.unit in UNITS for each in finding.evidence.values())
        assert [(a.layer, a.parameter, a.current, a.proposed) for a in finding.adjustments] == list(self.changes)
        assert all(isinstance(a.reason, str) and a.reason for a in finding.adjustments)
        kind = FAULTS[boundary.fault]
        assert (finding.fault, finding.title, finding.diagnostic) == (kind.id, kind.title, kind.diagnostic)


def case(
    boundary: str,
    value: float,
    layer: str | None,
    severity: str,
    first_step: int,
    message: str,
    evidence: Mapping[str, float],
    *changes: Change,
) -> Case:
    """A case, with what to change at the end."""
    return Case(boundary, value, layer, severity, first_step, message, evidence, changes)
