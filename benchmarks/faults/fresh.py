"""Fresh cases: written by someone who had not read the rules, frozen before they were judged, scored once.

Data, networks, optimizers and the ways in which faults are made differ from those of the other cases. What was known of
the rules while they were written: the catalogue of faults with the criteria other tools use, not this tool's code.
"""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.fresh_faulty import FRESH_FAULTY
from benchmarks.faults.fresh_healthy import FRESH_HEALTHY

FRESH: tuple[Case, ...] = (*FRESH_FAULTY, *FRESH_HEALTHY)
