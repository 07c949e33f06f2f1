"""One training: counts its steps, samples its updates, and takes snapshots when they are due."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import keras
import numpy as np

from tb_cnndiag.capture.firing import Fired
from tb_cnndiag.capture.model_inspector import ModelInspector, update_norms
from tb_cnndiag.capture.probe_samples import ProbeCollector, Samples, given_samples
from tb_cnndiag.diagnostics.base import Diagnostic
from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.recording.inspection import Tapped
from tb_cnndiag.recording.run_log import Judgment
from tb_cnndiag.recording.schedule import Schedule
from tb_cnndiag.recording.session import Session
from tb_cnndiag.warning import warn


@dataclass(frozen=True)
class Options:
    """What the user asked of the callback; see :class:`tb_cnndiag.CNNDiagnostics`."""

    log_dir: Path
    update_freq: Literal["epoch"] | int
    schedule: Schedule
    diagnostics: Sequence[Diagnostic]
    pattern: str | None
    verbose: int


class TrainingTaps(Protocol):
    """What a training computes anyway, read between its steps."""

    def sync(self) -> None:
        """Bring the models up to date: some backends train on a state of their own."""

    def gradients(self) -> FloatArray | None:
        """Mean norm, finite and non-finite steps per kernel since the last call, ``(layers, 3)``; None if unknown."""

    def fired(self) -> Fired | None:
        """Which units fired in the batches observed since the last call; None if unknown."""

    def batch(self) -> Any:
        """The first samples of the latest batch as (x, y); None if unknown."""

    def batch_size(self) -> int:
        """Samples in the largest batch so far; 0 if unknown."""


class NoTaps:
    """Taps of a training of which nothing can be read; those that can read something override it."""

    def sync(self) -> None:
        """The models are up to date."""

    def gradients(self) -> FloatArray | None:
        """Unknown."""
        return None

    def fired(self) -> Fired | None:
        """Unknown."""
        return None

    def batch(self) -> Any:
        """Unknown."""
        return None

    def batch_size(self) -> int:
        """Unknown."""
        return 0


class Training:
    """The steps and epochs of one training. ``notify`` is called with the judgment of each snapshot."""

    def __init__(
        self,
        options: Options,
        inspector: ModelInspector,
        optimizers: Sequence[Any],
        notify: Callable[[Judgment], None],
        *,
        taps: TrainingTaps | None = None,
        collector: ProbeCollector | None = None,
        steps_per_epoch: int | None = None,
    ) -> None:
        self._options = options
        self._inspector = inspector
        self._optimizers = optimizers
        self._notify = notify
        self._taps: TrainingTaps = taps or NoTaps()
        self._collector = collector
        self._began = time.perf_counter()
        self._epoch = 0
        self._batches = 0
        self._batch_size = 0
        self._updates: list[FloatArray] = []
        self._before: tuple[int, list[Any]] | None = None
        self._last_logs: Mapping[str, float] = {}
        self._update_freq = options.update_freq
        self._sampled = _UpdateSchedule(steps_per_epoch, optimizers)
        trained = [int(keras.ops.convert_to_numpy(optimizer.iterations)) for optimizer in optimizers]
        self._step = max(trained, default=0)
        self._session = Session(options.log_dir, inspector, options.diagnostics, options.schedule, step=self._step)

    @property
    def batches(self) -> int:
        """Batches of the present epoch so far."""
        return self._batches

    def snapshot_every(self, steps: int | None) -> None:
        """Take a snapshot every so many steps from now on; None: at the end of epochs only."""
        self._update_freq = steps or "epoch"

    def begin(self) -> None:
        """Take a snapshot of the untrained model."""
        if self._step == 0:
            self.take_snapshot({})

    def before_batch(self) -> None:
        """Copy the kernels before the steps whose updates are measured."""
        if self._before is None and self._sampled.wants(self._batches):
            self._taps.sync()
            self._before = (self._batches, self._inspector.kernels())

    def after_batch(self, steps: int, logs: Mapping[str, Any]) -> None:
        """Count ``steps`` batches; take a snapshot when ``update_freq`` says so."""
        with self._session.timed():
            self._measure_update(steps)
            if self._collector and self._collector.wants(self._batches):
                data = self._taps.batch()
                if data is not None:
                    self._collector.add(self._batches, data)
        self._batches += steps
        self._step += steps
        every = self._update_freq
        if every != "epoch" and self._step // every > (self._step - steps) // every:
            self.take_snapshot(logs)

    def after_epoch(self, epoch: int, logs: Mapping[str, Any], *, last: bool = False) -> None:
        """Take a snapshot, of everything after the ``last`` epoch. The first epoch completes a collected probe."""
        self._epoch = epoch + 1
        self._batches = 0
        self._before = None
        if self._collector:
            samples = self._collector.complete()
            self._collector = None
            if samples is not None:
                self._inspector.offer_probe(samples)
        self.take_snapshot(logs, last=last)

    def end(self) -> None:
        """Take the last snapshot, without taps; close the log and print what the diagnostics cost."""
        self._taps = NoTaps()
        self.take_snapshot(self._last_logs, last=True)
        self._session.close()
        summary = self._session.summary(time.perf_counter() - self._began)
        if self._options.verbose and summary:
            print(summary)

    def take_snapshot(self, logs: Mapping[str, Any], *, last: bool = False) -> None:
        """Take a snapshot now and pass its judgment on."""
        self._taps.sync()
        numbers = {name: float(value) for name, value in logs.items() if np.ndim(value) == 0}
        if len(self._optimizers) == 1 and "learning_rate" not in numbers:
            numbers["learning_rate"] = float(keras.ops.convert_to_numpy(self._optimizers[0].learning_rate))
        self._last_logs = numbers
        self._batch_size = self._taps.batch_size() or self._batch_size
        updates = np.mean(self._updates, axis=0) if self._updates else None
        self._updates = []
        tapped = Tapped(self._taps.gradients(), updates, self._taps.fired())
        judgment = self._session.take_snapshot(
            self._step, self._epoch, numbers, tapped, batch_size=self._batch_size, last=last
        )
        if judgment is not None:
            self._notify(judgment)

    def _measure_update(self, steps: int) -> None:
        if self._before is None:
            return
        start, kernels = self._before
        updates = (self._batches + steps - start) / self._sampled.batches_per_update
        if updates >= 1:
            self._taps.sync()
            self._updates.append(update_norms(kernels, self._inspector.kernels()) / updates)
            self._before = None


def give_probe(inspector: ModelInspector, probe: Any) -> bool:
    """Give the inspector the user's samples: ``x``, ``(x, y)``, or one of these per part by name.

    Returns False, after a warning, if they do not fit.
    """
    parts = inspector.part_names
    given = probe if isinstance(probe, dict) and parts != ("",) else {parts[0]: probe}
    try:
        for name, samples in given.items():
            inspector.set_probe(name, samples if isinstance(samples, Samples) else given_samples(samples))
    except ValueError as error:
        inspector.drop_probes()
        warn(f"The given probe is not used. {error}")
        return False
    return True


class _UpdateSchedule:
    """The batches of an epoch at which one update of the kernels is measured: its first, and one in its middle.

    An optimizer that accumulates gradients changes nothing for most batches: ``batches_per_update`` is how many batches
    one update takes.
    """

    def __init__(self, steps: int | None, optimizers: Sequence[Any]) -> None:
        self._steps = {0, steps // 2} if steps else {0, 10}
        accumulated = [getattr(optimizer, "gradient_accumulation_steps", None) or 1 for optimizer in optimizers]
        self.batches_per_update = max(accumulated, default=1)

    def wants(self, batch: int) -> bool:
        return batch in self._steps
