"""Whether what findings propose cures: ``python -m benchmarks.cure`` after ``python -m benchmarks.faults``.

Each curable case is trained, judged, and built anew with the adjustments carried out and nothing else changed; that is
trained from scratch with the same budget, and compared by its validation accuracy with the faulty run and with a
healthy twin: a plain network on the same data with the same budget. Which cases are curable was fixed before anything
was measured: those whose fault lies in the model or its training, and neither in the data nor in the purpose.

For redundant filters surgery alone is measured, on the trained network: parameters saved, accuracy lost.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

CURABLE = (
    "dead_units",
    "vanishing_gradient",
    "learning_rate_too_high",
    "learning_rate_too_low",
    "bad_init",
    "unnormalised_input",
    "output_loss_mismatch",
    "saturated_activation",
    "batch_too_small_for_bn",
)
CLOSE = 0.02


@dataclass(frozen=True)
class Cure:
    """Validation accuracies of one case: with its fault, adjusted, and of its twin."""

    case: str
    fault: str
    faulty: float
    adjusted: float
    twin: float
    left: tuple[str, ...]

    @property
    def cured(self) -> bool:
        """Within two points of the twin."""
        return self.adjusted >= self.twin - CLOSE


@dataclass(frozen=True)
class Operation:
    """A network before and after surgery, and an epoch later."""

    case: str
    saved: float
    before: float
    after: float
    later: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("logs/faults"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each case; accuracies are their mean")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    from benchmarks.corpus.cases import CASES
    from benchmarks.faults.train import one_thread

    known = [case for case in CASES if case.half in ("tune", "report") and options.only in case.name]
    curable = [
        (case.name, seed, options.work) for case in known if case.fault in CURABLE for seed in range(options.seeds)
    ]
    wide = [case.name for case in known if case.fault == "redundant_filters"]
    with multiprocessing.get_context("spawn").Pool(options.jobs, one_thread, maxtasksperchild=20) as pool:
        runs = [cure for cure in pool.imap(cure_case, curable, chunksize=1) if cure is not None]
        operations = [operation for operation in pool.imap(operate, wide) if operation is not None]
    cures = [_mean([run for run in runs if run.case == name]) for name in dict.fromkeys(run.case for run in runs)]
    for cure in sorted(cures, key=lambda c: (c.fault, c.case)):
        print(
            f"{'cured ' if cure.cured else 'NOT   '} {cure.case}: {cure.faulty:.1%} → {cure.adjusted:.1%}, "
            f"twin {cure.twin:.1%}{'; by hand: ' + ' | '.join(cure.left) if cure.left else ''}"
        )
    gaps = [c for c in cures if c.twin - c.faulty > 0.05]
    closed = [min((c.adjusted - c.faulty) / (c.twin - c.faulty), 1.0) for c in gaps]
    print(f"\n{sum(c.cured for c in cures)} of {len(cures)} cured (within {CLOSE:.0%} of the twin)")
    if closed:
        print(f"{statistics.mean(closed):.1%} of the gap closed, mean of the {len(closed)} with a gap above 5 points")
    for done in operations:
        print(
            f"surgery  {done.case}: {done.saved:.1%} of parameters saved; accuracy {done.before:.1%}, "
            f"{done.after:.1%} after surgery, {done.later:.1%} an epoch later"
        )
    options.work.mkdir(parents=True, exist_ok=True)
    (options.work / "cure.json").write_text(json.dumps([asdict(cure) for cure in cures], indent=1))


def _mean(runs: list[Cure]) -> Cure:
    """The accuracies of one case, mean over its seeds."""
    numbers = {n: statistics.mean(getattr(run, n) for run in runs) for n in ("faulty", "adjusted", "twin")}
    return replace(runs[0], **numbers)


def cure_case(task: tuple[str, int, Path]) -> Cure | None:
    """Train, judge, adjust and train again; None when the case does not show its symptom."""
    from benchmarks.corpus.case import fit
    from benchmarks.corpus.data import load
    from benchmarks.corpus.networks import plain
    from benchmarks.faults.__main__ import home_of
    from benchmarks.faults.train import DONE, train
    from tb_cnndiag.adjust import apply
    from tb_cnndiag.logs import diagnose

    name, seed, work = task
    case = _case(name)
    home = home_of(work, name, seed)
    train(case, seed, home)
    if not json.loads((home / DONE).read_text())["symptom"]:
        return None
    faulty = _built(case, seed)
    _fit(faulty, seed)
    sick = _accuracy(faulty)
    adjusted = _built(case, seed)
    batch = adjusted.batch
    adjusted.model, left = apply(adjusted.model, diagnose(home), weights=False)
    _fit(adjusted, seed)
    healthy = _built(case, seed)
    data = load(name.split()[-1])
    # The optimizer is the case's own, unless that is what is wrong with it.
    optimizer = None
    if not str(case.fault).startswith("learning_rate"):
        optimizer = type(healthy.model.optimizer).from_config(healthy.model.optimizer.get_config())
    twin = fit(name.split()[-1], plain(), optimizer, epochs=healthy.epochs, batch=max(batch, 32)).make()
    twin.x, twin.y = data.x[: len(healthy.x)], _classes(healthy.y)
    twin.validation = (data.xv, _classes(healthy.validation[1])) if healthy.validation else None
    _fit(twin, seed)
    return Cure(name, str(case.fault), sick, _accuracy(adjusted), _accuracy(twin), left)


def operate(name: str) -> Operation | None:
    """Merge the twins of a trained network by surgery, and train it one epoch more."""
    import tempfile

    from tb_cnndiag import CNNDiagnostics
    from tb_cnndiag.adjust import apply
    from tb_cnndiag.logs import diagnose

    trial = _built(_case(name), 0)
    with tempfile.TemporaryDirectory() as log:
        _fit(trial, 0, CNNDiagnostics(log, verbose=0))
        findings = [finding for finding in diagnose(log) if finding.fault == "redundant_filters"]
    if not findings:
        return None
    before, size = _accuracy(trial), trial.model.count_params()
    trial.model, _ = apply(trial.model, findings, samples=trial.x[:512])
    after = _accuracy(trial)
    trial.epochs = 1
    _fit(trial, 0)
    return Operation(name, 1 - trial.model.count_params() / size, before, after, _accuracy(trial))


def _case(name: str) -> Any:
    from benchmarks.corpus.cases import CASES

    return next(case for case in CASES if case.name == name)


def _built(case: Any, seed: int) -> Any:
    import keras

    keras.utils.set_random_seed(seed)
    return case.make()


def _fit(trial: Any, seed: int, *callbacks: Any) -> None:
    import keras

    keras.utils.set_random_seed(seed + 1)
    trial.model.fit(
        trial.x,
        trial.y,
        epochs=trial.epochs,
        batch_size=trial.batch,
        verbose=0,
        callbacks=[*trial.callbacks, *callbacks],
        **trial.options,
    )


def _accuracy(trial: Any) -> float:
    """Share of validation answered rightly: the largest output, or whether a single one is above its middle."""
    import numpy as np

    x, y = trial.validation
    outputs = trial.model.predict(x, verbose=0)
    if outputs.shape[1] > 1:
        answers = outputs.argmax(axis=1)
    else:
        logits = getattr(trial.model.loss, "from_logits", False)
        answers = outputs[:, 0] > (0.0 if logits else 0.5)
    return float(np.mean(answers == _classes(y)))


def _classes(y: Any) -> Any:
    import numpy as np

    return y.argmax(axis=1) if np.ndim(y) == 2 else y.astype(int)


if __name__ == "__main__":
    main()
