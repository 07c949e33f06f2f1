"""Train all cases, judge their logs, and print how well the judgement agrees: ``python -m benchmarks.faults``.

Thresholds are set on the tune half only; each scoring of the report half is appended to ``results.md``.
Logs are kept below ``--work``, so that judging again takes seconds; cases trained before are not trained again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("logs/faults"), help="where logs are kept")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each case")
    parser.add_argument("--half", choices=["tune", "report", "both"], default="both")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--note", default="", help="why the report half is scored, for the log")
    options = parser.parse_args()
    if options.only and options.half != "tune":
        parser.error("--only goes with --half tune: a part of the report half, scored apart, is something to tune by")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    from benchmarks.faults.cases import CASES
    from benchmarks.faults.score import complaints, shares, verdict
    from benchmarks.faults.train import one_thread, train_named

    halves = ("tune", "report") if options.half == "both" else (options.half,)
    cases = [case for case in CASES if case.half in halves and options.only in case.name]
    todo = [
        (case.name, seed, home_of(options.work, case.name, seed)) for case in cases for seed in range(options.seeds)
    ]
    begin = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(options.jobs, one_thread, maxtasksperchild=40) as pool:
        for _ in pool.imap_unordered(train_named, todo):
            pass
    print(f"{len(todo)} trainings ({time.perf_counter() - begin:.0f} s)")
    for half in halves:
        chosen = [case for case in cases if case.half == half]
        verdicts = [verdict(case, home_of(options.work, case.name, s)) for case in chosen for s in range(options.seeds)]
        lines = [str(share) for share in shares(verdicts)]
        invalid = sum(not v.valid for v in verdicts)
        print(f"\n{half} half: {len(chosen)} cases, {options.seeds} seeds; {invalid} without their symptom, left out")
        print("\n".join(f"  {line}" for line in lines))
        # Of the report half only what concerns the cases themselves: nothing to tune by.
        told = complaints(v for v in verdicts if half == "tune" or not v.valid)
        print("\n".join(f"    {line}" for line in told))
        if half == "report":
            _log(lines, len(chosen), options.seeds, invalid, options.note)


def _log(lines: list[str], cases: int, seeds: int, invalid: int, note: str) -> None:
    if not RESULTS.exists():
        RESULTS.write_text(
            "# Every scoring of the report half\n\nAppended by `python -m benchmarks.faults`; never edited.\n"
        )
    with RESULTS.open("a", encoding="utf-8") as log:
        log.write(f"\n## {time.strftime('%Y-%m-%d %H:%M')}: {cases} cases, {seeds} seeds, {invalid} invalid\n\n")
        log.write((f"{note}\n\n" if note else "") + "".join(f"- {line}\n" for line in lines))


def home_of(work: Path, name: str, seed: int) -> Path:
    """Where the log of one training of a case is kept."""
    slug = "".join(c if c.isalnum() or c in "-." else "_" for c in name)
    return work / f"{slug}-{seed}"


if __name__ == "__main__":
    main()
