"""Do trainings on JAX and torch get the diagnoses that they get on TensorFlow?

In the environment of each backend, ``KERAS_BACKEND=… python -m benchmarks.backend_agreement train`` trains a third of
the tune half of the corpus (by a hash of the names), with seeds 0 and 1 on TensorFlow, else seed 0. Then ``python -m
benchmarks.backend_agreement`` prints for how many cases the first finding names the same fault (or both have none) as
with seed 0 on TensorFlow. A seed draws other weights on each backend, so the measure of what to expect is the
agreement of the two seeds of TensorFlow. Logs are kept below ``--work``: what was trained is not trained again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.faults.__main__ import home_of

if TYPE_CHECKING:
    from benchmarks.faults.score import Verdict

SHARE = 3
# Backend and seed; the others are compared with the first.
RUNS = (("tensorflow", 0), ("tensorflow", 1), ("jax", 0), ("torch", 0))


def rank(name: str) -> int:
    """A number fixed by the name of a case alone: cases are chosen and ordered by it."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["train", "print"], default="print")
    parser.add_argument("--work", type=Path, default=Path("logs/agreement"), help="where logs are kept")
    parser.add_argument("--half", default="tune", help="a half of the corpus, or a round (tune)")
    parser.add_argument("--share", type=int, default=SHARE, help="train one case in this many (3)")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    from benchmarks.corpus.cases import CASES

    of_half = [case.name for case in CASES if case.half == options.half]
    # In this order, what is trained when time runs out is a fair sample.
    names = sorted((name for name in of_half if rank(name) % options.share == 0), key=rank)
    if options.what == "train":
        _train(names, options.work, options.jobs)
    else:
        print(f"{options.half}: {len(names)} of {len(of_half)} cases")
        _print(names, options.work)


def _train(names: Sequence[str], work: Path, jobs: int) -> None:
    import keras

    from benchmarks.faults.train import one_thread, train_named

    runs = [(kind, seed) for kind, seed in RUNS if kind == keras.backend.backend()]
    todo = [(name, seed, home_of(work / kind, name, seed)) for name in names for kind, seed in runs]
    with multiprocessing.get_context("spawn").Pool(jobs, one_thread, maxtasksperchild=20) as pool:
        for _ in pool.imap_unordered(train_named, todo):
            pass


def _print(names: Sequence[str], work: Path) -> None:
    from benchmarks.corpus.cases import CASES
    from benchmarks.faults.score import verdict
    from benchmarks.faults.train import DONE

    cases = {case.name: case for case in CASES}
    trained: dict[tuple[str, int], dict[str, Verdict]] = {}
    for kind, seed in RUNS:
        found = trained[kind, seed] = {}
        failed, missing = [], 0
        for name in names:
            home = home_of(work / kind, name, seed)
            if not (home / DONE).exists():
                missing += 1
            elif "error" in json.loads((home / DONE).read_text()):
                failed.append(f"{name}: {verdict(cases[name], home).note}")
            else:
                found[name] = verdict(cases[name], home)
        valid = sum(each.valid for each in found.values())
        print(f"{kind}, seed {seed}: {len(found)} trained, {valid} with their symptom; {missing} not trained, failed:")
        print("".join(f"  {each}\n" for each in failed), end="")
    print()
    everywhere = set.intersection(*(set(found) for found in trained.values()))
    symptoms = {name for name in everywhere if all(found[name].valid for found in trained.values())}
    for which, of in (("all trainings", everywhere), ("trainings with their symptom in all runs", symptoms)):
        print(f"the same first fault, of {len(of)} {which}:")
        for one, other in combinations(RUNS, 2):
            alike = sum(_fault(trained[one][name]) == _fault(trained[other][name]) for name in of)
            print(f"  {_name(one)} and {_name(other)}: {alike}, {100 * alike / max(len(of), 1):.1f} %")
    print()
    for name in sorted(everywhere):
        faults = [_fault(trained[run][name]) for run in RUNS]
        if len(set(faults)) > 1:
            each = ", ".join(f"{_name(run)} {fault}" for run, fault in zip(RUNS, faults, strict=True))
            print(f"{name}{'' if name in symptoms else ' (not its symptom in all runs)'}: {each}")


def _fault(judged: Verdict) -> str:
    return judged.found[0].fault if judged.found else "none"


def _name(run: tuple[str, int]) -> str:
    return f"{run[0]} {run[1]}"


if __name__ == "__main__":
    main()
