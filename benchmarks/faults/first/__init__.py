"""The first round: written by someone who had not read the rules, frozen before it was judged, scored, then opened.

Data, networks, optimizers and the ways in which faults are made differ from those of the known cases. What was known of
the rules while they were written: the catalogue of faults with the criteria other tools use, not this tool's code.
"""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.first import (
    gradients,
    healthy_faces,
    healthy_photos,
    healthy_signals,
    initialisation,
    inputs,
    learning_rate,
    outputs,
    regime,
    structure,
    units,
)

_MODULES = (
    inputs, outputs, initialisation, learning_rate, gradients, units, structure, regime,
    healthy_signals, healthy_faces, healthy_photos,
)  # fmt: skip

FIRST: tuple[Case, ...] = tuple(case for module in _MODULES for case in module.CASES)
