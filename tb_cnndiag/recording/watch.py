"""Records models that a hand-written loop trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import keras

from tb_cnndiag.capture.distribution import writes_the_log
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.taps import Taps
from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.recording.run_log import Judgment
from tb_cnndiag.recording.training import NoTaps, Options, Training, give_probe
from tb_cnndiag.warning import warn

STEPS_BETWEEN_SNAPSHOTS = 100


class Watch:
    """A context manager around a training loop; see :meth:`tb_cnndiag.CNNDiagnostics.watch`."""

    def __init__(
        self,
        notify: Callable[[Judgment], None],
        options: Options,
        parts: Mapping[str, Any],
        optimizers: Sequence[Any],
        probe: Any,
    ) -> None:
        self._notify = notify
        self._by_epoch = options.update_freq == "epoch"
        self._options = replace(options, update_freq=STEPS_BETWEEN_SNAPSHOTS) if self._by_epoch else options
        self._parts = parts
        self._optimizers = list(optimizers)
        self._probe = probe
        self._training: Training | None = None
        self._tapped = ExitStack()
        self._epochs = 0

    def __enter__(self) -> Watch:
        self._guarded(self._start)
        return self

    def __exit__(self, *_error: object) -> None:
        self._tapped.close()
        training, self._training = self._training, None
        if training is not None:
            self._guarded(training.end)

    def step(self, logs: Mapping[str, Any] | None = None) -> None:
        """Report that a training step is done; ``logs`` has its losses and metrics."""
        training = self._training
        if training is not None:
            self._guarded(lambda: self._count(training, logs or {}))

    def end_epoch(self, logs: Mapping[str, Any] | None = None) -> None:
        """Report that an epoch is done: a snapshot is taken."""
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
        taps = NoTaps()
        if self._optimizers and keras.backend.backend() == "tensorflow":
            optimizer_taps = Taps(inspector.models[0], inspector.layers, collect=False)
            self._tapped.enter_context(optimizer_taps.tapped(self._optimizers))
            taps = _LoopTaps(optimizer_taps)
        if not writes_the_log(inspector.models[0]):
            return  # the taps are part of a step that all processes take alike
        training = Training(self._options, inspector, self._optimizers, self._notify, taps=taps)
        self._training = training
        training.begin()
        training.before_batch()

    def _count(self, training: Training, logs: Mapping[str, Any]) -> None:
        training.after_batch(1, _numbers(logs))
        training.before_batch()

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # no error of ours may reach the user's loop
            self._training = None
            warn(f"CNN diagnostics are off for this training, which goes on. {type(error).__name__}: {error}")


class _LoopTaps(NoTaps):
    """Taps of a hand-written loop: its optimizers."""

    def __init__(self, taps: Taps) -> None:
        self._taps = taps

    def gradients(self) -> FloatArray | None:
        """From the optimizers."""
        return self._taps.read()


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(keras.ops.convert_to_numpy(value)) for name, value in logs.items()}
