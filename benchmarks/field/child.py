"""Runs one program in this process and writes down what it trained; started by ``python -m benchmarks.field``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

OUTCOME = "outcome.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--case", default="", help="a case of a round: its edits are made, its symptom checked")
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--callback", action="store_true")
    parser.add_argument("--update-freq", type=int, default=0)
    options = parser.parse_args()
    outcome = run(options)
    (options.out / OUTCOME).write_text(json.dumps(outcome, indent=1))


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the program in its own directory, and describe its trainings."""
    import keras

    from benchmarks.field.environment import prepare
    from benchmarks.field.program import program
    from benchmarks.field.rounds import case
    from benchmarks.field.trainings import Trainings

    chosen = case(options.case).program if options.case else program(options.program)
    checkouts = options.sources.absolute()
    home = options.out.absolute() / "files"
    home.mkdir(parents=True, exist_ok=True)
    os.chdir(home)
    text = chosen.text(checkouts)
    (home / "program.py").write_text(text, encoding="utf-8")
    prepare(chosen.samples, checkouts)
    keras.utils.set_random_seed(options.seed)
    log = home.parent / "log" if options.callback else None
    trainings = Trainings(log, epochs=chosen.epochs, steps=chosen.steps, update_freq=options.update_freq)
    trainings.install()
    announced: list[str] = []
    _keep_warnings(announced)
    namespace: dict[str, Any] = {"__name__": "__main__", "field": trainings}
    outcome: dict[str, Any] = {"error": ""}
    begin = time.perf_counter()
    try:
        # A file of its own: Keras and TensorFlow read the source of functions that they convert.
        exec(compile(text, str(home / "program.py"), "exec"), namespace)
    except Exception:
        outcome["error"] = traceback.format_exc(limit=-4)
    try:
        trainings.close()
    except Exception:
        outcome["error"] += traceback.format_exc(limit=-4)
    if not trainings.all and not outcome["error"]:
        outcome["error"] = "The program trained nothing."
    outcome |= {
        "seconds": time.perf_counter() - begin,
        "trainings": [
            {
                "parts": list(training.parts),
                "seconds": training.seconds,
                "processor": training.processor,
                "history": training.history,
                "weights": training.weights(),
                "matrices": training.matrices(),
                "log": training.log,
            }
            for training in trainings.all
        ],
        "announced": announced,
        "retracted": trainings.retracted(),
        "gone": trainings.gone(),
        "findings": [
            {
                "fault": finding.fault,
                "layer": finding.layer,
                "severity": finding.severity,
                "message": finding.message,
                "caused_by": finding.caused_by.fault if finding.caused_by else None,
                "steps": [finding.first_step, finding.last_step],
            }
            for finding in trainings.findings
        ],
    }
    if options.case:
        outcome["symptom"] = False
        try:
            if not outcome["error"]:
                outcome["symptom"] = bool(case(options.case).symptom(trainings.all))
        except Exception:
            outcome["error"] = traceback.format_exc(limit=-4)
    return outcome


def _keep_warnings(announced: list[str]) -> None:
    """Keep what the callback announces; show all warnings as ever."""
    from tb_cnndiag.warning import DiagnosticsWarning

    show = warnings.showwarning

    def keep(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
        if issubclass(category, DiagnosticsWarning):
            announced.append(str(message))
        show(message, category, *args, **kwargs)

    warnings.showwarning = keep
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", DiagnosticsWarning)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main()
