"""One training: counts its steps, samples its updates, and takes snapshots when they are due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tb_cnndiag.capture.backends import to_host
from tb_cnndiag.capture.backends.base import NoTaps, TrainingTaps
from tb_cnndiag.capture.model_inspector import ModelInspector, update_norms
from tb_cnndiag.capture.probe_samples import ProbeCollector, given_samples
from tb_cnndiag.diagnostics.base import Diagnostic
from tb_cnndiag.payloads import FloatArray
from tb_cnndiag.recording.budget import Budget, Occasion
from tb_cnndiag.recording.inspection import Tapped
from tb_cnndiag.recording.pace import StepPace
from tb_cnndiag.recording.run_log import Judgment
from tb_cnndiag.recording.schedule import Schedule
from tb_cnndiag.recording.session import Moment, Session
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
    budget: float | None = None


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
        epochs: int | None = None,
        without_epochs: bool = False,
        budget: Budget | None = None,
        trained: int = 0,
    ) -> None:
        """Prepare the recording.

        Args:
            options: What the user asked for.
            inspector: The models.
            optimizers: Their optimizers.
            notify: Called with the judgment of each snapshot.
            taps: What can be read between steps.
            collector: Collects a probe, if one is needed.
            steps_per_epoch: Batches of an epoch, if known.
            epochs: Epochs of the training, if known.
            without_epochs: The loop may never end an epoch, so the first snapshot completes a collected probe.
            budget: Has counted what the preparation took.
            trained: Steps of earlier trainings of the same weights, which an optimizer that is new does not know of.
        """
        self._options = options
        self._inspector = inspector
        self._optimizers = optimizers
        self._notify = notify
        self._taps: TrainingTaps = taps or NoTaps()
        self._collector = collector
        self._epoch = 0
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._pace = StepPace()
        self._batches = 0
        self._batch_size = 0
        self._interrupted = False
        self._updates: list[FloatArray] = []
        self._before: tuple[int, list[Any]] | None = None
        self._last_logs: Mapping[str, float] = {}
        self._kernel_sums: FloatArray = np.empty(0)
        self._update_freq = options.update_freq
        self._without_epochs = without_epochs
        self._sampled = _UpdateSchedule(steps_per_epoch, optimizers)
        iterations = [int(to_host(each.iterations)) for each in optimizers if hasattr(each, "iterations")]
        self._step = max([trained, *iterations])
        self._budget = budget or Budget(options.budget)
        self._session = Session(
            options.log_dir, inspector, options.diagnostics, options.schedule, step=self._step, budget=self._budget
        )

    @property
    def batches(self) -> int:
        """Batches of the present epoch so far."""
        return self._batches

    @property
    def step(self) -> int:
        """Steps since the weights were initialized."""
        return self._step

    def snapshot_every(self, steps: int | None) -> None:
        """Take a snapshot every so many steps from now on; None: at the end of epochs only."""
        self._update_freq = steps or "epoch"

    def begin(self) -> None:
        """Take a snapshot of the untrained model."""
        if self._step == 0:
            self.take_snapshot({}, occasion="first")
        self._budget.begin()

    def before_batch(self) -> None:
        """Copy the kernels before the steps whose updates are measured."""
        if self._before is None and self._sampled.wants(self._batches):
            with self._budget.charged():
                self._taps.sync()
                self._before = (self._batches, self._inspector.kernels())
        self._pace.begin()

    def after_batch(self, steps: int, logs: Mapping[str, Any]) -> None:
        """Count ``steps`` batches; take a snapshot when ``update_freq`` says so."""
        self._pace.end(steps)
        with self._budget.charged():
            self._measure_update(steps)
            if self._collector and self._collector.wants(self._batches):
                self._collector.add(self._batches, self._taps.batch())
        self._batches += steps
        self._step += steps
        every = self._update_freq
        if every != "epoch" and self._step // every > (self._step - steps) // every:
            if self._without_epochs:
                self._complete_probe()
            self.take_snapshot(logs)

    def after_epoch(self, epoch: int, logs: Mapping[str, Any], *, last: bool = False) -> None:
        """Take a snapshot, of everything after the ``last`` epoch. The first epoch completes a collected probe."""
        self._epoch = epoch + 1
        self._batches = 0
        self._before = None
        if self._collector:
            self._complete_probe()
        self.take_snapshot(logs, occasion="last" if last else "regular")

    def end(self, *, interrupted: bool = False) -> None:
        """Take the last snapshot, without taps; close the log and print what the diagnostics cost.

        An ``interrupted`` training gets no closing diagnostics: the user waits for its end.
        """
        self._complete_probe()
        if self._collector:
            self._inspector.nothing_collected(self._taps.not_collected)
        self._taps = NoTaps()
        self._interrupted = interrupted
        self.take_snapshot(self._last_logs, occasion="last")
        self._session.close()
        summary = self._session.summary()
        if self._session.incomplete:
            self._kernel_sums = self._inspector.kernel_sums()
        if self._options.verbose and summary:
            print(summary)
            for name in self._inspector.unprobed:
                print(f"CNN diagnostics: {self._inspector.no_activations(name)}")

    def complete(self) -> None:
        """After the end: add to the last snapshot what the budget left out of it, at any cost.

        Raises:
            ValueError: If the model has changed since.
        """
        if not self._session.incomplete:
            return
        if not np.array_equal(self._kernel_sums, self._inspector.kernel_sums(), equal_nan=True):
            raise ValueError(
                "The weights have changed since the last snapshot, which can no longer be completed. Call complete() "
                "right after the training, or give budget=None to record everything in the next one."
            )
        before = self._budget.spent
        self._session.lift_budget()
        self._interrupted = False
        self.take_snapshot(self._last_logs, occasion="last")
        self._session.close()
        if self._options.verbose:
            print(f"CNN diagnostics: the last snapshot is complete ({self._budget.spent - before:.1f} s more).")

    def switch_off(self, reason: str) -> None:
        """Write into the log that recording stops here, and why."""
        self._session.switch_off(self._step, reason)

    def take_snapshot(self, logs: Mapping[str, Any], *, occasion: Occasion = "regular") -> None:
        """Take a snapshot now and pass its judgment on."""
        with self._budget.charged():
            judgment = self._snapshot(logs, occasion)
        if judgment is not None:
            self._notify(judgment)
        if occasion == "last" and not self._interrupted:
            self._session.complete(self._step)

    def _snapshot(self, logs: Mapping[str, Any], occasion: Occasion) -> Judgment | None:
        numbers = {name: float(value) for name, value in logs.items() if np.ndim(value) == 0}
        if "learning_rate" not in numbers and (rate := _learning_rate(self._optimizers)) is not None:
            numbers["learning_rate"] = rate
        self._last_logs = numbers
        moment = Moment(self._step, self._epoch, occasion, self._progress())
        if self._session.skips(moment, numbers):
            return None
        self._taps.sync()
        self._batch_size = self._inspector.batch_size = self._taps.batch_size() or self._batch_size
        updates = np.mean(self._updates, axis=0) if self._updates else None
        self._updates = []
        tapped = Tapped(self._taps.gradients(), updates, self._taps.fired())
        samples = sum(len(probe) for probe in self._inspector.probes)
        layers, trained = len(self._inspector.layers), self._inspector.trained_share
        self._budget.expect(self._pace.expected(samples, self._batch_size, layers, trained=trained))
        return self._session.take_snapshot(moment, numbers, tapped, batch_size=self._batch_size)

    def _progress(self) -> float:
        """Share of the training that is done, 0..1; 0 if unknown."""
        if not self._epochs:
            return 0.0
        part = min(self._batches / self._steps_per_epoch, 1.0) if self._steps_per_epoch else 0.0
        return min((self._epoch + part) / self._epochs, 1.0)

    def _complete_probe(self) -> None:
        """Use what was collected as the probe; if that is nothing, go on collecting."""
        if self._collector and (collected := self._collector.complete()):
            self._collector = None
            self._taps.stop_collecting()
            self._inspector.offer_probes(collected)
            self._inspector.nothing_collected(self._taps.not_collected)

    def _measure_update(self, steps: int) -> None:
        if self._before is None:
            return
        start, kernels = self._before
        updates = (self._batches + steps - start) / self._sampled.batches_per_update
        if updates >= 1:
            self._taps.sync()
            self._updates.append(update_norms(kernels, self._inspector.kernels()) / updates)
            self._before = None


def set_probe(inspector: ModelInspector, probe: Any) -> None:
    """Give the inspector the user's samples: ``x``, ``(x, y)``, or one of these per part by name.

    Raises:
        ValueError: If they do not fit.
    """
    parts = inspector.part_names
    given = probe if isinstance(probe, dict) and parts != ("",) else {parts[0]: probe}
    for name, samples in given.items():
        inspector.set_probe(name, given_samples(samples))


def try_probe(inspector: ModelInspector, probe: Any) -> None:
    """Give the inspector the user's samples; if they do not fit, warn and go on without a probe."""
    try:
        set_probe(inspector, probe)
    except ValueError as error:
        inspector.drop_probes(str(error).rstrip("."))
        warn(f"The given probe is not used. {error}")


def _learning_rate(optimizers: Sequence[Any]) -> float | None:
    """That of the only optimizer, of Keras or torch; None if it is not known."""
    if len(optimizers) != 1:
        return None
    groups = getattr(optimizers[0], "param_groups", None)
    rate = groups[0].get("lr") if groups else getattr(optimizers[0], "learning_rate", None)
    return None if rate is None else float(to_host(rate))


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
