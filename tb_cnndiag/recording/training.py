"""One training while it is looked at: what happens before and after its steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from tb_cnndiag.capture.firing import Fired
from tb_cnndiag.capture.model_inspector import ModelInspector, update_norms
from tb_cnndiag.capture.probe_samples import ProbeCollector, Samples, given_samples
from tb_cnndiag.diagnostics.base import Diagnostic
from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.recording.schedule import Schedule
from tb_cnndiag.recording.session import Session, Tapped, summary_line
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


class Training:
    """Counts steps, samples updates, and snapshots when it is time.

    ``gradients`` and ``fired`` read what the taps hold, ``batch`` the first samples of the latest batch, ``batch_size``
    how many it has; None where there are no taps. ``sync`` is called before the model is read within an epoch.
    """

    def __init__(
        self,
        options: Options,
        inspector: ModelInspector,
        optimizers: Sequence[Any],
        notify: Callable[[Sequence[Finding]], None],
        *,
        steps_per_epoch: int | None = None,
    ) -> None:
        self.inspector = inspector
        self.gradients: Callable[[], FloatArray] | None = None
        self.fired: Callable[[], Fired | None] | None = None
        self.batch: Callable[[], Any] | None = None
        self.batch_size: Callable[[], int] | None = None
        self.collector: ProbeCollector | None = None
        self.sync: Callable[[], object] = lambda: None
        self._options = options
        self._optimizers = optimizers
        self._notify = notify
        self._began = time.perf_counter()
        self._epoch = 0
        self._batches = 0
        self._updates: list[FloatArray] = []
        self._before: tuple[int, list[Any]] | None = None
        self._last_logs: Mapping[str, float] = {}
        self._every = options.update_freq
        self._sampled = _UpdateSchedule(steps_per_epoch, optimizers)
        trained = [int(keras.ops.convert_to_numpy(optimizer.iterations)) for optimizer in optimizers]
        self.session = Session(
            options.log_dir, inspector, options.diagnostics, options.schedule, step=max(trained, default=0)
        )

    def snapshot_every(self, steps: int | None) -> None:
        """Look every so many steps from now on; None: at the end of epochs only."""
        self._every = steps or "epoch"

    def begin(self) -> None:
        """Look at the untrained model."""
        if self.session.step == 0:
            self.take_snapshot({})

    def before_batch(self) -> None:
        """Keep the kernels before some steps."""
        if self._before is None and self._sampled.wants(self._batches):
            self.sync()
            self._before = (self._batches, self.inspector.kernels())

    def after_batch(self, steps: int, logs: Mapping[str, Any]) -> None:
        """Count ``steps`` batches; look when ``update_freq`` says so."""
        begin = time.perf_counter()
        if self._before is not None:
            start, kernels = self._before
            updates = (self._batches + steps - start) / self._sampled.batches_per_update
            if updates >= 1:
                self.sync()
                self._updates.append(update_norms(kernels, self.inspector.kernels()) / updates)
                self._before = None
        if self.collector and self.batch and self.collector.wants(self._batches):
            data = self.batch()
            if data is not None:
                self.collector.add(self._batches, data)
        self._batches += steps
        self.session.step += steps
        self.session.seconds += time.perf_counter() - begin
        every = self._every
        if every != "epoch" and self.session.step // every > (self.session.step - steps) // every:
            self.take_snapshot(logs)

    @property
    def batches(self) -> int:
        """Batches of the present epoch so far."""
        return self._batches

    def after_epoch(self, epoch: int, logs: Mapping[str, Any], *, last: bool = False) -> Samples | None:
        """Snapshot, at everything after the ``last`` epoch; returns the probe when this epoch has completed it."""
        self._epoch = epoch + 1
        self._batches = 0
        self._before = None
        samples = self.collector.samples() if self.collector else None
        self.collector = None
        if samples is not None:
            self.inspector.offer_probe(samples)
        self.take_snapshot(logs, last=last)
        return samples

    def end(self, logs: Mapping[str, Any]) -> None:
        """Take a last snapshot, close the log, say what it cost."""
        self.take_snapshot(logs or self._last_logs, last=True)
        self.session.close()
        if self._options.verbose and self.session.log_dir:
            print(summary_line(self.session, time.perf_counter() - self._began))

    def take_snapshot(self, logs: Mapping[str, Any], *, last: bool = False) -> None:
        """Look at the model now and tell what is new."""
        self.sync()
        numbers = {name: float(value) for name, value in logs.items() if np.ndim(value) == 0}
        if len(self._optimizers) == 1 and "learning_rate" not in numbers:
            numbers["learning_rate"] = float(keras.ops.convert_to_numpy(self._optimizers[0].learning_rate))
        self._last_logs = numbers
        if self.batch_size:
            self.session.batch_size = self.batch_size()
        gradients = self.gradients() if self.gradients else None
        fired = self.fired() if self.fired else None
        updates = np.mean(self._updates, axis=0) if self._updates else None
        self._updates = []
        self._notify(self.session.take_snapshot(self._epoch, numbers, Tapped(gradients, updates, fired), last=last))


def give_probe(inspector: ModelInspector, probe: Any) -> bool:
    """Have the given samples looked at: ``x``, ``(x, y)``, or one of these per part by name.

    False when they do not fit; what is wrong with them is warned of.
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
    """Batches of an epoch from which on the kernels are compared, over one update: its first and one in its middle.

    An optimizer that accumulates gradients changes nothing for most batches: ``batches_per_update`` is how many it
    takes.
    """

    def __init__(self, steps: int | None, optimizers: Sequence[Any]) -> None:
        self._steps = {0, steps // 2} if steps else {0, 10}
        accumulated = [getattr(optimizer, "gradient_accumulation_steps", None) or 1 for optimizer in optimizers]
        self.batches_per_update = max(accumulated, default=1)

    def wants(self, batch: int) -> bool:
        return batch in self._steps
