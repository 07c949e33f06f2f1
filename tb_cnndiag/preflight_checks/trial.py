"""A short training on a copy of the model, and runs at several learning rates from the same weights."""

from __future__ import annotations

import contextlib
import io
import math
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.diagnostics import available
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.preflight_checks.base import Subject
from tb_cnndiag.preflight_checks.copies import copied
from tb_cnndiag.recording.callback import Recording
from tb_cnndiag.recording.schedule import HEAVY
from tb_cnndiag.recording.training import Options
from tb_cnndiag.summaries.reader import read_run

# Samples, epochs and batch size of the trial; rules need two epochs to persist.
SAMPLES, EPOCHS, BATCH = 512, 3, 32
PROBE = 256
# What the rules that judge the trial read.
MEASURED = (
    "training_curve", "filter_similarity", "filter_clusters", "dead_units", "activation_density", "gradient_flow",
    "update_ratio", "saturation", "weight_health", "batch_statistics", "model_input", "model_output",
)  # fmt: skip
# Batches of each run at one learning rate, and its last ones, whose loss counts.
STEPS, LAST = 24, 6
SMALL_BATCH = 16
# Learning rates that are tried, relative to the present one, if they lie between these ends.
FACTORS = (1.0, 0.1, 10.0, 0.01, 100.0, 1e3, 1e4, 1e5)
SMALLEST, LARGEST = 1e-6, 1.0
# Seconds that the runs at all rates may take, and those on one batch.
PATIENCE = 20.0


@dataclass(frozen=True)
class Run:
    """Training from the initial weights at one rate.

    Attributes:
        rate: Learning rate.
        relative: Loss of the last steps relative to that of the initial weights on the same batches; infinite if it
            is not finite.
    """

    rate: float
    relative: float


@dataclass
class Trial:
    """The copy, what its short training has shown, and the runs at several rates.

    Attributes:
        model: The copy.
        weights, optimizer_state: Its initial weights, and the variables of an optimizer without a past.
        trained: Its weights after the short training.
        history: Of the short training; None if it failed.
        failure: Why it failed.
    """

    model: Any
    weights: Sequence[Any]
    optimizer_state: Sequence[Any]
    trained: Sequence[Any] = ()
    history: History | None = None
    failure: str = ""
    runs: dict[float, Run] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules of trainings say of the short training."""
        return verdict(self.history).findings if self.history is not None else ()


def trial_of(subject: Subject) -> Trial:
    """The trial, run once for all checks.

    Raises:
        NoCopyError: If the model cannot be copied.
    """
    if "trial" not in subject.kept:
        subject.kept["trial"] = _trial(subject)
    found: Trial = subject.kept["trial"]
    return found


def _trial(subject: Subject) -> Trial:
    model = copied(subject.model, subject.x)
    model.optimizer.build(model.trainable_variables)
    state = [to_host(variable) for variable in model.optimizer.variables]
    trial = Trial(model, model.get_weights(), state)
    rows = np.random.default_rng(0).permutation(subject.chosen(SAMPLES))
    x, y = subject.part(rows)
    probe = keras.tree.map_structure(lambda a: None if a is None else a[:PROBE], (x, y))
    with tempfile.TemporaryDirectory() as home, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measured = [kind() for kind in available() if kind.name in MEASURED]
        options = Options(Path(home), "epoch", HEAVY, measured, None, verbose=0, budget=None)
        callback = Recording(options, probe, on_finding=lambda _: None)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0, callbacks=[callback], shuffle=False)
        except Exception as error:  # the user's model, loss or data may raise anything
            trial.failure = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
        trial.trained = model.get_weights()
        log = Path(home) / "cnndiag"
        if log.exists() and not trial.failure:
            trial.history = History.of(read_run(log))
    return trial


def rates(subject: Subject) -> dict[float, Run]:
    """Runs by their factor of the present rate; empty if the rate follows a schedule, or cannot be set.

    Raises:
        NoCopyError: If the model cannot be copied.
    """
    trial = trial_of(subject)
    if trial.runs or trial.failure:
        return trial.runs
    model = trial.model
    present = _rate(model)
    if present is None:
        return {}
    rows = np.random.default_rng(1).permutation(subject.chosen(STEPS * SMALL_BATCH))
    batches = [rows[start : start + SMALL_BATCH] for start in range(0, len(rows) - SMALL_BATCH + 1, SMALL_BATCH)]
    if not batches:
        return {}
    begin = time.monotonic()
    for factor in FACTORS:
        if factor != 1 and not SMALLEST <= present * factor <= LARGEST:
            continue
        trial.runs[factor] = _run(subject, trial, batches, present * factor)
        each = (time.monotonic() - begin) / len(trial.runs)
        if time.monotonic() - begin + each > PATIENCE or subject.expired:
            break
    return trial.runs


def _run(subject: Subject, trial: Trial, batches: Sequence[Any], rate: float) -> Run:
    """Train from the initial weights; each batch is seen once, or several times if there are few."""
    model = trial.model
    reset(trial)
    set_rate(model, rate)
    losses: list[float] = []
    firsts = _first_losses(subject, trial, batches)
    for step in range(STEPS):
        x, y = subject.part(batches[step % len(batches)])
        loss = loss_of(model.train_on_batch(x, y))
        losses.append(loss / max(abs(firsts[step % len(batches)]), 1e-9))
        if not math.isfinite(loss):
            break
    last = float(np.mean(losses[-LAST:]))
    return Run(rate, last if math.isfinite(last) and len(losses) == STEPS else math.inf)


def _first_losses(subject: Subject, trial: Trial, batches: Sequence[Any]) -> list[float]:
    """Loss of the initial weights on each batch, in training mode; computed once, with a rate of 0."""
    if "first_losses" not in subject.kept:
        model, found = trial.model, []
        present = _rate(model)
        set_rate(model, 0.0)
        for rows in batches:
            found.append(loss_of(model.train_on_batch(*subject.part(rows))))
        set_rate(model, present or 0.0)
        reset(trial)
        subject.kept["first_losses"] = found
    losses: list[float] = subject.kept["first_losses"]
    return losses


def overfitted(
    subject: Subject, rate: float, steps: int, enough: float, patience: float = PATIENCE
) -> tuple[float, frozenset[str]]:
    """(last loss relative to the first on one batch of 16 samples, paths of the weights that moved).

    It ends when the loss is at most ``enough`` of the first, or after ``patience`` seconds.
    """
    trial = trial_of(subject)
    reset(trial)
    set_rate(trial.model, rate)
    x, y = subject.part(subject.chosen(SMALL_BATCH))
    first = last = math.nan
    end = time.monotonic() + patience
    for step in range(steps):
        last = loss_of(trial.model.train_on_batch(x, y))
        first = last if step == 0 else first
        if not math.isfinite(last) or last <= enough * abs(first) or subject.expired or time.monotonic() > end:
            break
    moved = _moved(trial)
    if not math.isfinite(last):
        return math.inf, moved
    return last / max(abs(first), 1e-9), moved


def reset(trial: Trial) -> None:
    """Initial weights, and an optimizer without a past."""
    trial.model.set_weights(trial.weights)
    forget(trial)


def forget(trial: Trial) -> None:
    """An optimizer without a past; its rate stays."""
    for variable, value in zip(trial.model.optimizer.variables, trial.optimizer_state, strict=True):
        if "learning_rate" not in variable.path:
            variable.assign(value)


def _moved(trial: Trial) -> frozenset[str]:
    """Paths of the trainable weights that are no longer the initial ones."""
    return frozenset(
        variable.path
        for variable, before in zip(trial.model.trainable_variables, _trainable(trial), strict=True)
        if not np.array_equal(to_host(variable), before)
    )


def _trainable(trial: Trial) -> list[Any]:
    of = {id(variable): value for variable, value in zip(trial.model.weights, trial.weights, strict=True)}
    return [of[id(variable)] for variable in trial.model.trainable_variables]


def loss_of(result: Any) -> float:
    """The loss of a step on one batch."""
    return float(result[0] if isinstance(result, list | tuple) else result)


def _rate(model: Any) -> float | None:
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if isinstance(getattr(optimizer, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule):
        return None
    return float(to_host(optimizer.learning_rate))


def set_rate(model: Any, rate: float) -> None:
    """Set the learning rate."""
    getattr(model.optimizer, "inner_optimizer", model.optimizer).learning_rate = rate
