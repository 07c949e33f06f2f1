"""Cases drawn from what has been published, in two halves: one that thresholds are set on, and one that is reported.

Faults are AUTOTRAINER's five symptoms, programs of DeepLocalize, DeepDiagnosis and UMLAUT, mutations of DeepCrime, and
those of papers on dying ReLU, initialisation and batch normalisation.
"""

from __future__ import annotations

from benchmarks.faults.case import Case
from benchmarks.faults.known.gradients import EXPLODING, VANISHING
from benchmarks.faults.known.healthy import HEALTHY
from benchmarks.faults.known.initialisation import INIT
from benchmarks.faults.known.inputs import INPUT, NAN
from benchmarks.faults.known.learning_rate import RATE_HIGH, RATE_LOW
from benchmarks.faults.known.outputs import COLLAPSED, OUTPUT
from benchmarks.faults.known.regime import BATCH, OVERFIT, UNDERFIT
from benchmarks.faults.known.structure import FROZEN, LINEAR
from benchmarks.faults.known.units import DEAD, REDUNDANT, SATURATED

KNOWN: tuple[Case, ...] = (
    *DEAD, *VANISHING, *RATE_HIGH, *RATE_LOW, *INIT, *INPUT, *OUTPUT, *FROZEN, *LINEAR, *NAN, *SATURATED, *OVERFIT,
    *UNDERFIT, *BATCH, *COLLAPSED, *REDUNDANT, *EXPLODING, *HEALTHY,
)  # fmt: skip
