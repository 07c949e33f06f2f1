"""Looking at models that a hand-written loop trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Protocol

import keras

from tb_cnndiag.capture.distribution import writes_the_log
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.taps import Taps
from tb_cnndiag.finding import Finding
from tb_cnndiag.recording.training import Options, Training, give_probe
from tb_cnndiag.warning import warn

STEPS_BETWEEN_SNAPSHOTS = 100


class Listener(Protocol):
    """What hears of findings: the callback."""

    findings: tuple[Finding, ...]

    def notify(self, findings: Sequence[Finding]) -> None:
        """Act on new findings."""


class Watch:
    """A context manager around a training loop; see :meth:`tb_cnndiag.CNNDiagnostics.watch`."""

    def __init__(
        self, listener: Listener, options: Options, parts: Mapping[str, Any], optimizers: Sequence[Any], probe: Any
    ) -> None:
        self._listener = listener
        self._by_epoch = options.update_freq == "epoch"
        self._options = replace(options, update_freq=STEPS_BETWEEN_SNAPSHOTS) if self._by_epoch else options
        self._parts = parts
        self._optimizers = list(optimizers)
        self._probe = probe
        self._training: Training | None = None
        self._taps = ExitStack()
        self._epochs = 0

    def __enter__(self) -> Watch:
        self._guarded(self._start)
        return self

    def __exit__(self, *_error: object) -> None:
        self._taps.close()
        training, self._training = self._training, None
        if training is not None:
            self._guarded(lambda: training.end({}))
            self._listener.findings = training.session.findings

    def step(self, logs: Mapping[str, Any] | None = None) -> None:
        """Say that a training step is done; ``logs`` has its losses and metrics."""
        training = self._training
        if training is not None:
            self._guarded(lambda: self._count(training, logs or {}))

    def end_epoch(self, logs: Mapping[str, Any] | None = None) -> None:
        """Say that an epoch is done: a snapshot is taken."""
        training = self._training
        if training is not None:
            if self._by_epoch:
                training.snapshot_every(None)
            self._guarded(lambda: training.after_epoch(self._epochs, _numbers(logs or {})))
            self._epochs += 1

    def _start(self) -> None:
        inspector = ModelInspector(self._parts, self._options.pattern)
        if self._probe is not None:
            give_probe(inspector, self._probe)
        taps = None
        if self._optimizers and keras.backend.backend() == "tensorflow":
            taps = Taps(inspector.models[0], inspector.layers, collect=False)
            self._taps.enter_context(taps.tapped(self._optimizers))
        if not writes_the_log(inspector.models[0]):
            return  # the taps are part of a step that all processes take alike
        training = Training(self._options, inspector, self._optimizers, self._notify)
        training.gradients = taps.read if taps else None
        self._training = training
        training.begin()
        training.before_batch()

    def _count(self, training: Training, logs: Mapping[str, Any]) -> None:
        training.after_batch(1, _numbers(logs))
        training.before_batch()

    def _notify(self, findings: Sequence[Finding]) -> None:
        if self._training is not None:
            self._listener.findings = self._training.session.findings
        self._listener.notify(findings)

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # nothing that fails here may reach the user's loop
            self._training = None
            warn(f"CNN diagnostics are off for this training, which goes on. {type(error).__name__}: {error}")


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in logs.items()}
