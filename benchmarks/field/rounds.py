"""Trains the cases of a round, and scores their logs by the code that scores the earlier rounds."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.field import fifth, sixth
from benchmarks.field.case import FieldCase
from benchmarks.field.child import OUTCOME

RESULTS = Path(__file__).parent / "results.md"
ROUNDS = {"fifth": fifth.cases, "sixth": sixth.cases}


def case(name: str) -> FieldCase:
    """The case of this name; no two rounds have cases of the same name."""
    return next(each for cases in ROUNDS.values() for each in cases() if each.name == name)


def run_round(options: argparse.Namespace) -> None:
    """Train all cases of a round; with ``--score``, judge them and append the result to ``results.md``."""
    from benchmarks.field.__main__ import present, run, wanted

    chosen = [
        case
        for case in ROUNDS[options.round]()
        if wanted(case.name, options.only) and present(case.program, options.sources)
    ]
    begin = time.perf_counter()
    for case in chosen:
        for seed in range(options.seeds):
            words = ["--program", case.program.id, "--case", case.name, "--seed", str(seed)]
            if options.bare:
                run(words, home_of(options, case, seed, "bare"), options)
                continue
            run([*words, "--callback"], home_of(options, case, seed), options)
            if case.update_freq:
                freq = str(case.update_freq)
                run([*words, "--callback", "--update-freq", freq], home_of(options, case, seed, freq), options)
    print(f"{len(chosen)} cases ({time.perf_counter() - begin:.0f} s)")
    if options.bare:
        _print_symptoms(chosen, options)
    elif options.score:
        _score(chosen, options)


def home_of(options: argparse.Namespace, case: FieldCase, seed: int, kind: str = "epoch") -> Path:
    """Where one training of a case is kept; ``kind`` is how often a snapshot is taken, or ``"bare"``."""
    slug = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in case.name)
    return Path(options.work, options.round) / f"{slug}-{seed}" / kind


def _print_symptoms(chosen: Sequence[FieldCase], options: argparse.Namespace) -> None:
    """Whether each case shows its symptom without the callback, and the ends of its curves."""
    for case in chosen:
        for seed in range(options.seeds):
            file = home_of(options, case, seed, "bare") / OUTCOME
            result: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"error": "no outcome"}
            error = result["error"].strip().splitlines()[-1:] or [""]
            curves = result["trainings"][-1]["history"] if result.get("trainings") else {}
            ends = " ".join(f"{name} {values[0]:.3g}…{values[-1]:.3g}" for name, values in curves.items() if values)
            seconds = sum(training["seconds"] for training in result.get("trainings", ()))
            shown = "shows" if result.get("symptom") else "LACKS"
            print(f"{shown} {case.name} ({seed}) {seconds:.1f} s {ends} {error[0]}")


def _score(chosen: Sequence[FieldCase], options: argparse.Namespace) -> None:
    from benchmarks.corpus.case import Case
    from benchmarks.corpus.symptoms import Symptom
    from benchmarks.faults.__main__ import _git
    from benchmarks.faults.score import Verdict, complaints, shares
    from tb_cnndiag.logs import NoDataError, diagnose

    if not options.only and _git("status", "--porcelain", "tb_cnndiag", "benchmarks"):
        raise SystemExit("Commit rules and cases first: a blind scoring is of a commit.")
    if not options.only and not options.again and _scored(options.round):
        raise SystemExit("The round has been scored (results.md); to do it again say why with --again.")

    def never() -> Any:
        raise NotImplementedError  # the child trains, and checks the symptom

    def judged(case: FieldCase, home: Path) -> Verdict:
        result: dict[str, Any] = json.loads((home / OUTCOME).read_text())
        try:  # of a program with several trainings, all
            found = [finding for finding in diagnose(home / "log") if finding.severity != "info"]
        except (NoDataError, FileNotFoundError):
            found = []
        note = result["error"].strip().splitlines()[-1:] or [""]
        known = Case(case.name, never, Symptom(lambda _: False), case.fault, case.layers, case.also, options.round)
        return Verdict(known, bool(result["symptom"]), note[0], found)

    usual = [judged(case, home_of(options, case, seed)) for case in chosen for seed in range(options.seeds)]
    other = [
        judged(case, home_of(options, case, seed, str(case.update_freq)))
        for case in chosen if case.update_freq
        for seed in range(options.seeds)
    ]  # fmt: skip
    commit, now = _git("rev-parse", "--short", "HEAD"), time.strftime("%Y-%m-%d %H:%M")
    text = [f"## {now}: {options.round} round at commit {commit}\n", options.again]
    for title, verdicts in (("a snapshot per epoch", usual), ("a snapshot every 25 batches", other)):
        invalid = sum(not verdict.valid for verdict in verdicts)
        text.append(f"{len(verdicts)} trainings, {title}; {invalid} without their symptom, left out\n")
        text += [f"- {share}" for share in shares(verdicts)]
        text += ["\n```text", *complaints(verdicts), "```\n"]
    print("\n".join(text))
    if not options.only:
        with RESULTS.open("a", encoding="utf-8") as log:
            log.write("\n".join(text) + "\n")


def _scored(name: str) -> bool:
    """Whether the results have a scoring of this round."""
    return RESULTS.exists() and f": {name} round at commit" in RESULTS.read_text(encoding="utf-8")
