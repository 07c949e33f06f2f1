"""What preflight finds before the first step of the corpus' trainings, and how often it flags healthy ones.

``python -m benchmarks.preflight [--half tune …] [--work FILE]`` prints, for each half: the share of the faults that
exist before training (the frozen list of ``before_training``) that preflight finds as a warning or an error, the share
of healthy trainings with any warning or error, and the time. Thresholds were set on the tune half alone.

``--sizes`` prints the time of a VGG-like network on 32² and of ResNet50 on 64² images.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

HALVES = ("tune", "report", "first", "second", "third", "fourth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", action="append", choices=HALVES)
    parser.add_argument("--only", default="", help="cases whose name contains this; only of the tune half")
    parser.add_argument("--work", type=Path, default=Path("logs/preflight.jsonl"), help="where outcomes are kept")
    parser.add_argument("--sizes", action="store_true", help="time two larger networks instead")
    options = parser.parse_args()
    if options.sizes:
        _print_sizes()
        return
    from benchmarks.faults.train import one_thread

    one_thread()  # before the corpus makes the first tensor
    from benchmarks.corpus.cases import CASES

    halves = options.half or list(HALVES)
    if options.only and halves != ["tune"]:
        parser.error("--only goes with --half tune: a part of what is reported is to tune by")
    known = _known(options.work)
    cases = [case for case in CASES if case.half in halves and options.only in case.name]
    cases.sort(key=lambda case: (halves.index(case.half), case.fault is None))
    options.work.parent.mkdir(parents=True, exist_ok=True)
    with options.work.open("a", encoding="utf-8") as file:
        for case in cases:
            if case.name not in known:
                known[case.name] = _outcome(case)
                file.write(json.dumps(known[case.name]) + "\n")
                file.flush()
    for half in halves:
        _print_half(half, [case for case in cases if case.half == half], known)


def _known(path: Path) -> dict[str, Any]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {outcome["case"]: outcome for outcome in map(json.loads, lines)}


def _outcome(case: Any) -> dict[str, Any]:
    """What preflight finds in one case."""
    from tb_cnndiag.preflight_checks.run import preflight_verdict

    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    outcome: dict[str, Any] = {"case": case.name, "found": [], "seconds": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trial = case.make()
            begin = time.perf_counter()
            judged = preflight_verdict(trial.model, trial.x, trial.y, trial.validation)
            outcome["seconds"] = time.perf_counter() - begin
            outcome["found"] = [[f.fault, f.severity, f.layer or ""] for f in judged.findings]
            outcome["skipped"] = sorted({c.reason for c in judged.coverage if c.status == "not_applicable"})
        except Exception as error:
            outcome["error"] = f"{type(error).__name__}: {error}"
    keras.config.set_dtype_policy("float32")
    return outcome


def _print_half(half: str, cases: list[Any], known: dict[str, Any]) -> None:
    from benchmarks.before_training import expected

    grave = {name: {f for f, severity, _ in known[name]["found"] if severity != "info"} for name in known}
    early = [case for case in cases if expected(case)]
    missed = [case for case in early if not expected(case) & grave[case.name]]
    healthy = [case for case in cases if case.fault is None]
    flagged = [case for case in healthy if grave[case.name]]
    seconds = [known[case.name]["seconds"] for case in cases]
    print(
        f"{half}: found {len(early) - len(missed)} of {len(early)} faults that exist before training "
        f"({(len(early) - len(missed)) / max(len(early), 1):.0%}, target 80 %); flagged {len(flagged)} of "
        f"{len(healthy)} healthy ({len(flagged) / max(len(healthy), 1):.1%}, target 3 %); "
        f"median {np.median(seconds):.1f} s"
    )
    errors = [case for case in cases if known[case.name].get("error")]
    for case in errors:
        print(f"    error    {case.name}: {known[case.name]['error'][:100]}")
    if half == "tune":  # what is missed elsewhere is nothing to tune by
        for case in missed:
            print(
                f"    missed   {case.fault}: {case.name}: {sorted(grave[case.name])} {known[case.name].get('skipped')}"
            )
        for case in flagged:
            print(f"    flagged  {case.name}: {sorted(grave[case.name])}")


def _print_sizes() -> None:
    from tb_cnndiag.preflight_checks.run import preflight_verdict

    rng = np.random.default_rng(0)
    for name, size, target in (("VGG-like", 32, 10), ("ResNet50", 64, 60)):
        keras.backend.clear_session()
        y = rng.integers(0, 10, 1_024)
        x = rng.normal(0, 0.3, (1_024, size, size, 3)).astype("float32") + y[:, None, None, None] / 10
        model = _vgg(size) if name == "VGG-like" else keras.applications.ResNet50(
            weights=None, input_shape=(size, size, 3), classes=10
        )  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        begin = time.perf_counter()
        judged = preflight_verdict(model, x, y, time_limit=target)
        seconds = time.perf_counter() - begin
        skipped = sum(each.status == "not_applicable" for each in judged.coverage)
        print(
            f"{name} on {size}²: {seconds:.1f} s (target {target}), {len(judged.findings)} findings, {skipped} skipped"
        )


def _vgg(size: int) -> Any:
    layers = [keras.Input((size, size, 3))]
    for width in (32, 64, 128):
        layers += [keras.layers.Conv2D(width, 3, padding="same", activation="relu") for _ in range(2)]
        layers.append(keras.layers.MaxPooling2D())
    layers += [keras.layers.Flatten(), keras.layers.Dense(128, activation="relu")]
    return keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])


if __name__ == "__main__":
    main()
