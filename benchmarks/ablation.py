"""Which thresholds decide anything: ``python -m benchmarks.ablation LOGS [--fault ID …]``.

Each threshold, shared or of one fault, is set to an end of its range, so that what it guards is always or never true,
and each log below ``LOGS`` is judged again. Printed are the numbers of logs whose findings change at the
lower and at the upper end. A threshold that changes nothing at either end is not needed for these logs.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.invariance import logs
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults import BUILTIN
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.judging.thresholds import SHARED, SHARED_ID

# Ends of the range of a threshold, and of one that counts epochs.
ENDS, EPOCHS = (-1e30, 1e30), (1.0, 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", type=Path)
    parser.add_argument("--fault", action="append", help="only these faults")
    options = parser.parse_args()
    histories = [History.of(measurements) for _, measurements in logs(options.logs)]
    before = [_findings(history) for history in histories]
    own = {fault.id: {name: limit for name, limit in fault.limits.items() if not limit.concept} for fault in BUILTIN}
    for fault, limits in {SHARED_ID: SHARED, **own}.items():
        if options.fault and fault not in options.fault:
            continue
        for name, limit in limits.items():
            ends = EPOCHS if "epochs" in limit.description else ENDS
            low, high = (_changed(histories, before, fault, name, end) for end in ends)
            print(f"{fault:28} {name:24} {limit.value:10g}   lower end {low:4}   upper end {high:4}", flush=True)


def _changed(histories: Sequence[History], before: Sequence[object], fault: str, name: str, value: float) -> int:
    changed = {fault: {name: value}}
    return sum(_findings(history, changed) != known for history, known in zip(histories, before, strict=True))


def _findings(history: History, limits: dict[str, dict[str, float]] | None = None) -> object:
    return sorted((found.severity, found.fault, found.layer or "") for found in judge(history, limits))


if __name__ == "__main__":
    main()
