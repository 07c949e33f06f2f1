"""The cases: half with a fault, half healthy but tricky.

Faults are drawn from what has been published: AUTOTRAINER's five symptoms, programs of DeepLocalize, DeepDiagnosis and
UMLAUT, mutations of DeepCrime, and papers on dying ReLU, initialisation and batch normalisation.
"""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.faulty import FAULTY
from benchmarks.faults.fresh import FRESH
from benchmarks.faults.healthy import HEALTHY

CASES: tuple[Case, ...] = (*FAULTY, *HEALTHY, *FRESH)
