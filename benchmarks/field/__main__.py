"""Run published programs without and with the callback, and print what the callback saw, said and cost.

    python -m benchmarks.field --sources DIR                 # the open half
    python -m benchmarks.field --sources DIR --half set-aside
    python -m benchmarks.field --sources DIR --round sixth   # or fifth: faulty and healthy programs, see README.md

Each program runs in a process of its own with one thread. Runs are kept below ``--work`` and not repeated.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.field.child import OUTCOME
from benchmarks.field.program import AbsentError, EditError, Program, programs
from benchmarks.field.table import AGAIN, differ, print_bare, print_table

ROOT = Path(__file__).parents[2]
ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, required=True, help="directory of the checkouts")
    parser.add_argument("--work", type=Path, default=Path("logs/field"), help="where runs are kept")
    parser.add_argument("--half", choices=["open", "set-aside", "both"], default="open")
    parser.add_argument("--only", default="", help="programs or cases whose name contains one of these, by commas")
    parser.add_argument(
        "--round", choices=["", "fifth", "sixth"], default="", help="faulty and healthy programs instead"
    )
    parser.add_argument("--bare", action="store_true", help="without the callback only: do the programs run?")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each case of a round")
    parser.add_argument("--score", action="store_true", help="judge the logs of a round, and print shares")
    parser.add_argument("--again", default="", help="why a round is scored another time, for results.md")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one run")
    options = parser.parse_args()
    if options.round:
        from benchmarks.field.rounds import run_round

        run_round(options)
        return
    chosen = [
        program
        for program in programs()
        if program.role == "field" and options.half in (program.half, "both") and wanted(program.id, options.only)
    ]
    ready = [program for program in chosen if present(program, options.sources)]
    for program in ready:
        home = options.work / program.id
        run(["--program", program.id], home / "bare", options)
        if not options.bare:
            run(["--program", program.id, "--callback"], home / "with", options)
            if differ(home / "bare", home / "with"):  # more runs without show whether it had to be equal
                for name in AGAIN:
                    run(["--program", program.id], home / name, options)
                    if differ(home / "bare", home / name):
                        break

    if options.bare:
        print_bare([program.id for program in ready], options.work)
    else:
        print_table(ready, options.work, absent=len(chosen) - len(ready))


def wanted(name: str, only: str) -> bool:
    """Whether a name contains one of the words; without words, any does."""
    return not only or any(word in name for word in only.split(","))


def present(program: Program, sources: Path) -> bool:
    """Whether the program is below ``sources``; if not, or if its edits do not fit, that is printed."""
    try:
        program.text(sources)
    except (AbsentError, EditError) as error:
        print(f"absent: {error}", flush=True)
        return False
    return True


def run(words: Sequence[str], home: Path, options: argparse.Namespace) -> None:
    """Run a child into ``home``, unless that was done before; its output is kept there."""
    if (home / OUTCOME).exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "benchmarks.field.child", "--sources", str(options.sources.absolute())]
    environment = {**ONE_THREAD, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONHASHSEED": "0"}
    with (home / "output.txt").open("w") as output:
        try:
            subprocess.run(
                [*command, *words, "--out", str(home.absolute())], cwd=ROOT, env={**os.environ, **environment},
                stdout=output, stderr=subprocess.STDOUT, timeout=options.timeout, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            output.write(f"\nStopped after {options.timeout} s.\n")


if __name__ == "__main__":
    main()
