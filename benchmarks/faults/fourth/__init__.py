"""The fourth round of cases: what students of image classification write; made without the rules, to be tried once."""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.fourth import (
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

FOURTH: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
