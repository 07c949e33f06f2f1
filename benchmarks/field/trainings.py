"""What a program trains: every ``fit`` and every watched loop, timed, with or without the callback."""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tb_cnndiag import CNNDiagnostics
from tb_cnndiag.finding import Finding


@dataclass
class Training:
    """One call of ``fit``, or one loop.

    Attributes:
        parts: The model, or the models of a loop by name.
        data: ``x`` and ``y`` as ``fit`` received them; None for a loop.
        validation: ``validation_data`` as ``fit`` received it.
        history: Values by epoch, or by step of a loop.
        seconds: Wall time.
        processor: Processor time of the process, all threads.
        before: Weights before the training, by path of the variable.
    """

    parts: Mapping[str, Any]
    data: tuple[Any, Any] | None = None
    validation: Any = None
    history: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    processor: float = 0.0
    before: dict[str, Any] = field(default_factory=dict)
    log: str = ""

    @property
    def model(self) -> Any:
        """The model, or the first of them."""
        return next(iter(self.parts.values()))

    def weights(self) -> str:
        """A digest of all weights."""
        digest = hashlib.sha256()
        for part in self.parts.values():
            for value in part.get_weights():
                digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    def matrices(self) -> list[tuple[str, tuple[int, ...]]]:
        """Path and shape of every trainable matrix or kernel; of several equal ones, all."""
        return [
            (variable.path, tuple(int(n) for n in variable.shape))
            for part in self.parts.values()
            for variable in part.trainable_variables
            if len(variable.shape) > 1 and "bias" not in variable.name
        ]


class Trainings:
    """All trainings of a program; with ``log``, each has the callback at its defaults."""

    def __init__(self, log: Path | None, *, epochs: int = 0, steps: int = 0, update_freq: int = 0) -> None:
        self.all: list[Training] = []
        self.announced: list[tuple[str, str, str]] = []
        self._retracted = 0
        self._log = log
        self._epochs = epochs
        self._steps = steps
        self._options: dict[str, Any] = {"update_freq": update_freq} if update_freq else {}
        self._callbacks: dict[int, tuple[Any, CNNDiagnostics, str]] = {}
        self._loop: _Loop | None = None

    @property
    def findings(self) -> list[Finding]:
        """Findings of all callbacks, as they are after the training."""
        return [finding for _, callback, _ in self._callbacks.values() for finding in callback.findings]

    def gone(self) -> list[str]:
        """What was announced, and is not among the findings at the end."""
        final = {(finding.fault, finding.layer or "") for finding in self.findings}
        return sorted(
            {
                f"{severity}: {fault} @ {layer or 'model'}"
                for fault, layer, severity in self.announced
                if (fault, layer) not in final
            }
        )

    def retracted(self) -> int:
        """Number of announcements that were taken back aloud."""
        return self._retracted

    def install(self) -> None:
        """Make every ``fit`` of this process one of these trainings."""
        original = keras.Model.fit
        signature = inspect.signature(original)

        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(model, *args, **kwargs)
            bound.apply_defaults()
            return self._fit(original, model, dict(list(bound.arguments.items())[1:]))

        keras.Model.fit = fit

    def _fit(self, original: Callable[..., Any], model: Any, given: dict[str, Any]) -> Any:
        if self._epochs:
            given["epochs"] = min(given["epochs"], given["initial_epoch"] + self._epochs)
        if self._steps:
            given["steps_per_epoch"] = min(given["steps_per_epoch"] or self._steps, self._steps)
        given["verbose"] = 2 if given["verbose"] == "auto" else given["verbose"]
        training = Training({"": model}, (given["x"], given["y"]), given["validation_data"])
        training.before = {variable.path: np.array(variable) for variable in model.variables} if model.built else {}
        self.all.append(training)
        callbacks = given["callbacks"]
        callbacks = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
        if self._log is not None and not any(isinstance(each, CNNDiagnostics) for each in callbacks):
            callbacks.append(self._callback(model, training))
        given["callbacks"] = callbacks
        begin, used = time.perf_counter(), time.process_time()
        history = original(model, **given)
        training.seconds, training.processor = time.perf_counter() - begin, time.process_time() - used
        training.history = {name: [_number(value) for value in values] for name, values in history.history.items()}
        return history

    def _callback(self, model: Any, training: Training) -> CNNDiagnostics:
        """One callback per model: a second ``fit`` of it continues its log, as people give the same callback again."""
        assert self._log is not None
        known = self._callbacks.get(id(model))
        if known is None:
            log = self._log / str(len(self._callbacks))
            known = self._callbacks[id(model)] = (model, self._diagnostics(log), log.name)
        training.log = known[2]
        return known[1]

    def _diagnostics(self, log: Path) -> CNNDiagnostics:
        """The callback at its defaults; what it announces is noted on the way."""
        callback = CNNDiagnostics(log, **self._options)
        notify = callback.notify

        def noting(judgment: Any) -> None:
            for finding in judgment.news.announced:
                self.announced.append((finding.fault, finding.layer or "", finding.severity))
            self._retracted += len(judgment.news.retracted)
            notify(judgment)

        callback.notify = noting  # type: ignore[method-assign]
        return callback

    # What scripted edits of hand-written loops call, by the name ``field``.

    def watch(self, *, optimizers: Any = (), **parts: Any) -> None:
        """A loop begins that trains these models."""
        training = Training(parts)
        training.before = {
            variable.path: np.array(variable) for part in parts.values() if part.built for variable in part.variables
        }
        self.all.append(training)
        watched = None
        begin, used = time.perf_counter(), time.process_time()
        if self._log is not None:
            training.log = str(len(self._callbacks))
            callback = self._diagnostics(self._log / training.log)
            self._callbacks[id(training)] = (parts, callback, training.log)
            watched = callback.watch(optimizers=optimizers, **parts).__enter__()
        self._loop = _Loop(training, watched, begin, used)

    def step(self, losses: Any = None) -> Any:
        """A step of the loop is done; returns what it is given."""
        assert self._loop is not None
        self._loop.step(losses)
        return losses

    def end_epoch(self) -> None:
        """An epoch of the loop is done."""
        assert self._loop is not None
        self._loop.end_epoch()

    def close(self) -> None:
        """The loop, if there is one, is over."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None


@dataclass
class _Loop:
    training: Training
    watched: Any
    begin: float
    used: float

    def step(self, losses: Any) -> None:
        if not isinstance(losses, Mapping):
            losses = {} if losses is None else {"loss": losses}
        numbers = {name: value for name, value in losses.items() if np.ndim(value) == 0}
        for name, value in numbers.items():
            self.training.history.setdefault(name, []).append(_number(value))
        if self.watched:
            self.watched.step(numbers)

    def end_epoch(self) -> None:
        if self.watched:
            self.watched.end_epoch()

    def close(self) -> None:
        if self.watched:
            self.watched.__exit__(None, None, None)
        self.training.seconds = time.perf_counter() - self.begin
        self.training.processor = time.process_time() - self.used


def _number(value: Any) -> float:
    """A value of a history as a number; of an array its mean."""
    return float(np.mean(np.asarray(value, dtype=float)))
