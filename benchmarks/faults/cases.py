"""All cases: half with a fault, half healthy but tricky; a folder for each round in which they were written."""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.first import FIRST
from benchmarks.faults.fourth import FOURTH
from benchmarks.faults.known import KNOWN
from benchmarks.faults.second import SECOND
from benchmarks.faults.third import THIRD

CASES: tuple[Case, ...] = (*KNOWN, *FIRST, *SECOND, *THIRD, *FOURTH)
