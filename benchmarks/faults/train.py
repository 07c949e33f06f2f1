"""Trains one case with the callback, checks its symptom by other means, and keeps the log."""

from __future__ import annotations

import json
import os
import shutil
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.corpus.case import Case, Trial
from benchmarks.corpus.symptoms import Outcome, rows
from benchmarks.faults.recorder import Recorder
from tb_cnndiag import CNNDiagnostics

DONE = "outcome.json"


def one_thread() -> None:
    """Limit Keras' backend to one core, so that as many trainings run at once as there are cores."""
    kind = keras.backend.backend()
    if kind == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    elif kind == "jax":  # reads this when it makes its first array
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    else:
        import torch

        torch.set_num_threads(1)


def train_named(task: tuple[str, int, Path], budget: float = 0.05) -> None:
    """Train a case by its name, for a process of its own."""
    from benchmarks.corpus.cases import CASES

    name, seed, home = task
    train(next(case for case in CASES if case.name == name), seed, home, budget)


def train(case: Case, seed: int, home: Path, budget: float = 0.05) -> None:
    """Train a case into ``home`` unless that was done before."""
    if (home / DONE).exists():
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    begin = time.perf_counter()
    outcome: dict[str, Any] = {"case": case.name, "seed": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            trial = case.make()
            curves, before = _fit(trial, case, home, budget)
            classes = len(np.unique(np.asarray(trial.y))) if np.ndim(trial.y) == 1 else 0
            done = Outcome(trial.model, trial.x, trial.y, curves, before, 1 / max(classes, 1))
            outcome |= {"symptom": bool(case.symptom(done)), "curves": curves}
        except Exception:
            outcome |= {"symptom": False, "error": traceback.format_exc(limit=3)}
    keras.config.set_dtype_policy("float32")
    outcome["seconds"] = time.perf_counter() - begin
    (home / DONE).write_text(json.dumps(outcome))


def _fit(trial: Trial, case: Case, home: Path, budget: float) -> tuple[dict[str, list[float]], dict[str, Any]]:
    before = {
        layer.name: rows(layer.kernel)
        for layer in trial.model._flatten_layers()
        if getattr(layer, "kernel", None) is not None
    }
    probe = trial.validation if case.probe_given else None
    if probe is not None:
        probe = keras.tree.map_structure(lambda a: a[:256], probe)
    # For the rules of other tools (``others.py``).
    recorders = [Recorder(home, trial.x, trial.y, trial.validation is not None)] if case.round != "known" else []
    fitted = trial.model.fit(
        trial.x,
        trial.y,
        validation_data=trial.validation,
        epochs=trial.epochs,
        batch_size=trial.batch,
        callbacks=[*trial.callbacks, *recorders, CNNDiagnostics(home, probe=probe, budget=budget, verbose=0)],
        verbose=0,
        **trial.options,
    )
    return {name: [float(v) for v in values] for name, values in fitted.history.items()}, before
