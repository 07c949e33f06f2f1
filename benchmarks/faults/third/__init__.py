"""The third round of cases: written without the rules, most on real data; each was seen to show what it claims."""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.third import (
    gradients,
    healthy_images,
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
    healthy_images, healthy_targets, healthy_training,
)  # fmt: skip

THIRD: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
