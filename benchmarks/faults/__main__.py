"""Train all cases, judge their logs, and print how well the judgment agrees: ``python -m benchmarks.faults``.

Thresholds are set on the tune half and on the first round, whose misses have been read. Each scoring of the report half
and of a blind round is appended to ``results.md``. A blind round is scored once, at a clean commit, and again only with
``--again REASON``, which is logged. Logs are kept below ``--work``: cases trained before are not trained again; with
another ``--budget``, they need a place of their own.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import subprocess
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results.md"
BLIND = ("second", "third", "fourth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("logs/faults"), help="where logs are kept")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each case")
    parser.add_argument("--half", choices=["tune", "report", "both", "first", *BLIND], default="both")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budget", type=float, default=0.05, help="share of the time that diagnostics may take")
    parser.add_argument("--note", default="", help="why the report half is scored, for the log")
    parser.add_argument("--again", default="", help="why a blind round is scored another time, for the log")
    options = parser.parse_args()
    if options.only and options.half not in ("tune", "first"):
        parser.error("--only goes with --half tune or first: a part of what is reported, scored apart, is to tune by")
    if options.half in BLIND and (no := _refusal(options.half, options.again)):
        parser.error(no)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    from benchmarks.corpus.cases import CASES
    from benchmarks.faults.score import complaints, shares, verdict
    from benchmarks.faults.train import one_thread, train_named

    halves = ("tune", "report") if options.half == "both" else (options.half,)
    cases = [case for case in CASES if case.half in halves and options.only in case.name]
    todo = [
        (case.name, seed, home_of(options.work, case.name, seed)) for case in cases for seed in range(options.seeds)
    ]
    begin = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(options.jobs, one_thread, maxtasksperchild=40) as pool:
        for _ in pool.imap_unordered(functools.partial(train_named, budget=options.budget), todo):
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
        reported = complaints(v for v in verdicts if half != "report" or not v.valid)
        print("\n".join(f"    {line}" for line in reported))
        if half == "report":
            _log(lines, f"{len(chosen)} cases, {options.seeds} seeds, {invalid} invalid", options.note)
        if half in BLIND:
            reported = complaints(verdicts)
            commit = _git("rev-parse", "--short", "HEAD")
            what = f"{half} round, {len(chosen)} cases, {options.seeds} seeds, {invalid} invalid, at commit {commit}"
            _log(lines, what, options.again or options.note, reported)


def _refusal(blind: str, again: str) -> str:
    """Why this blind round is not scored now; empty where it may be."""
    if _git("status", "--porcelain", "tb_cnndiag", "benchmarks"):
        return "commit rules and cases first: a blind scoring is of a commit"
    if not again and RESULTS.exists() and f"{blind} round" in RESULTS.read_text(encoding="utf-8"):
        return f"the {blind} round has been scored (results.md); to do it again say why with --again, which is logged"
    return ""


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=RESULTS.parents[2], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _log(lines: list[str], what: str, note: str, reported: list[str] | None = None) -> None:
    if not RESULTS.exists():
        RESULTS.write_text(
            "# Every scoring of the report half\n\nAppended by `python -m benchmarks.faults`; never edited.\n"
        )
    with RESULTS.open("a", encoding="utf-8") as log:
        log.write(f"\n## {time.strftime('%Y-%m-%d %H:%M')}: {what}\n\n")
        log.write((f"{note}\n\n" if note else "") + "".join(f"- {line}\n" for line in lines))
        log.write("\n```text\n" + "\n".join(reported) + "\n```\n" if reported else "")


def home_of(work: Path, name: str, seed: int) -> Path:
    """Where the log of one training of a case is kept."""
    slug = "".join(c if c.isalnum() or c in "-." else "_" for c in name)
    return work / f"{slug}-{seed}"


if __name__ == "__main__":
    main()
