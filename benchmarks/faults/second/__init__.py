"""The second round of cases: like the first, written without the rules; each was seen to show what it claims."""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.second import (
    gradients,
    healthy_classes,
    healthy_maps,
    healthy_targets,
    healthy_training,
    initialisation,
    inputs,
    learning_rate,
    outputs,
    regime,
    structure,
    units,
)

_MODULES = (
    initialisation, learning_rate, gradients, units, inputs, outputs, structure, regime,
    healthy_classes, healthy_targets, healthy_maps, healthy_training,
)  # fmt: skip

SECOND: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
