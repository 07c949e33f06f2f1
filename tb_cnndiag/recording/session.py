"""One training being looked at: captures, measures, judges and writes each snapshot."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tb_cnndiag.capture.firing import Fired
from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.capture.probe_samples import Samples
from tb_cnndiag.diagnostics.base import Cost, Diagnostic, LayerSnapshot, Snapshot
from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.payloads import FloatArray, LayerInfo, RunInfo, Scalars
from tb_cnndiag.recording.measure import Measurer
from tb_cnndiag.recording.schedule import COSTLY, Schedule
from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tb_cnndiag.summaries.names import FINDINGS, OVERHEAD, RUN_DIRECTORY, RUN_INFO
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.writer import SnapshotWriter
from tb_cnndiag.warning import warn

ALL_COSTS: frozenset[Cost] = frozenset({"light", "heavy", "costly"})


@dataclass(frozen=True)
class Tapped:
    """What was taken from training since the last snapshot; None where there are no taps.

    ``gradients`` is ``(layers, 3)``: mean norm, finite steps, non-finite steps. ``updates`` is ``(layers,)``. ``fired``
    has which units did.
    """

    gradients: FloatArray | None = None
    updates: FloatArray | None = None
    fired: Fired | None = None


class Session:
    """Looks at one training and writes what it sees into ``<log_dir>/cnndiag``."""

    def __init__(
        self,
        log_dir: Path,
        inspector: ModelInspector,
        diagnostics: Sequence[Diagnostic],
        schedule: Schedule,
        *,
        step: int,
    ) -> None:
        self.step = step
        self.batch_size = 0
        self.findings: tuple[Finding, ...] = ()
        self.seconds = 0.0
        self._told: dict[tuple[str, str | None], int] = {}
        self._inspector = inspector
        self._measurer = Measurer(diagnostics)
        self._schedule = schedule
        self._started = time.time()
        self._info: RunInfo | None = None
        self._without_gradients = False
        directory, self._history = _open_run(log_dir, inspector.table(), step)
        self._writer: SnapshotWriter | None = SnapshotWriter(directory)
        self._number = self._history.snapshots
        self._done: frozenset[Cost] = frozenset()
        self._done_step = self._history.last_step if step else -1

    @property
    def log_dir(self) -> Path | None:
        """The directory that holds this run's ``cnndiag``; None when it could not be written."""
        return self._writer.directory.parent if self._writer else None

    @property
    def bytes_written(self) -> int:
        """Size of what was written so far."""
        return self._writer.bytes_written if self._writer else 0

    def take_snapshot(
        self, epoch: int, logs: Mapping[str, float], tapped: Tapped, *, last: bool = False
    ) -> tuple[Finding, ...]:
        """Look at the model now and write it; returns findings that are new or worse than before.

        The ``last`` look of a training takes in what the one before it left out.
        """
        done = self._done if self._done_step == self.step else frozenset()
        costs = (ALL_COSTS if last else self._due()) - done
        if self._writer is None or not costs:
            return ()
        if done:  # a supplement to the snapshot that was just taken
            self._number -= 1
        begin = time.perf_counter()
        self._record(self._capture(epoch, logs, tapped, costs), costs)
        self._done, self._done_step = costs | done, self.step
        self._number += 1
        self.seconds += time.perf_counter() - begin
        return self._news()

    def _record(self, snapshot: Snapshot, costs: Set[Cost]) -> None:
        """Measure, judge and write what was captured."""
        table = self._describe(tuple(layer.layer for layer in snapshot.layers))
        measurements = [*table, *self._measurer.measure(snapshot, self._number, self._info_id(), costs)]
        messages = [(measurement, encode(measurement)) for measurement in measurements]
        for _, data in messages:
            # Judged is what a reader of the log would see.
            decoded = decode(data)
            if decoded is not None:
                self._history.add(decoded)
        self.findings = judge(self._history)
        cost = Scalars({"seconds": self.seconds, "bytes": float(self.bytes_written)})
        for name, payload in ((FINDINGS, self.findings), (OVERHEAD, cost)):
            extra = self._message(name, payload, snapshot.epoch)
            messages.append((extra, encode(extra)))
        self._write(messages, self._measurer.scalars(measurements, snapshot))

    def _news(self) -> tuple[Finding, ...]:
        """Findings that were not told yet, or not as severe."""
        news = tuple(f for f in self.findings if f.rank() > self._told.get((f.fault, f.layer), -1))
        self._told |= {(f.fault, f.layer): f.rank() for f in news}
        return news

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()

    def _due(self) -> frozenset[Cost]:
        """What the present snapshot takes in."""
        if not self._schedule(self._number):
            return frozenset({"light"})
        return ALL_COSTS if COSTLY(self._number) else frozenset({"light", "heavy"})

    def _capture(self, epoch: int, logs: Mapping[str, float], tapped: Tapped, costs: Set[Cost]) -> Snapshot:
        probed = self._probed(costs)
        weights = self._inspector.weights()
        table = self._inspector.table()
        rows = {layer.path: row for row, layer in enumerate(self._inspector.layers)}
        layers = [
            LayerSnapshot(info, weights[info.path] | probed.get(info.path, {}) | _taps_of(tapped, rows[info.path]))
            for info in table
        ]
        numbers = {name: float(value) for name, value in logs.items() if np.ndim(value) == 0}
        return Snapshot(self.step, epoch, layers, numbers)

    def _probed(self, costs: Set[Cost]) -> dict[str, dict[str, FloatArray]]:
        """What the diagnostics of this snapshot need of the probe, by layer."""
        from tb_cnndiag.capture.probe_gradients import NAMES
        from tb_cnndiag.capture.reductions import REDUCTIONS

        needs = self._measurer.needs(costs)
        try:
            found = self._inspector.activations(sorted(needs & REDUCTIONS.keys()))
        except Exception as error:  # whatever a user's model does outside training must not end it
            self._inspector.drop_probes()
            warn(
                f"The pass over the probe failed ({type(error).__name__}: {_in_short(error)}). Activations are not "
                "looked at any more; weights and gradients are. Give samples that the model accepts, as in "
                "probe=(x_val[:512], y_val[:512])."
            )
            return {}
        if needs & NAMES and not self._without_gradients:
            try:
                for path, gradients in self._inspector.gradients().items():
                    found.setdefault(path, {}).update(gradients)
            except Exception as error:  # a user's loss may want what only training gives
                self._without_gradients = True
                warn(
                    f"The loss on the probe has no gradient ({type(error).__name__}: {_in_short(error)}). Gradient "
                    "noise is not looked at; everything else is."
                )
        return found

    def _describe(self, table: tuple[LayerInfo, ...]) -> list[Measurement]:
        """RunInfo, when it is new or has changed."""
        info = self._inspector.info(table)
        probes: list[Samples] = self._inspector.probes
        info = replace(
            info,
            diagnostics=tuple(diagnostic.info() for diagnostic in self._measurer.diagnostics),
            batch_size=self.batch_size,
            started=self._started,
            probe=probes[0].describe() if probes else info.probe,
        )
        if info == self._info:
            return []
        self._info = info
        return [self._message(RUN_INFO, info, 0)]

    def _info_id(self) -> str:
        return self._info.table if self._info else ""

    def _message(self, name: str, payload: Any, epoch: int) -> Measurement:
        return Measurement(name, self.step, self._number, payload, epoch=epoch, table=self._info_id())

    def _write(self, messages: list[tuple[Measurement, bytes]], scalars: Mapping[str, float]) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write(self.step, messages, scalars)
        except OSError as error:
            warn(
                f"{self._writer.directory} cannot be written ({error.strerror or error}). Diagnostics are switched off "
                "for this training, which goes on; what was logged before stays readable. Check space and permissions."
            )
            self._writer.close()
            self._writer = None


def _taps_of(tapped: Tapped, row: int) -> dict[str, FloatArray]:
    data: dict[str, FloatArray] = {}
    if tapped.gradients is not None:
        names = ("gradient_norm", "gradient_steps", "gradient_non_finite_steps")
        data |= {name: np.asarray(tapped.gradients[row, i]) for i, name in enumerate(names)}
    if tapped.updates is not None:
        data["update_norm"] = np.asarray(tapped.updates[row])
    fired = tapped.fired
    if fired is not None and (units := fired.units[row]) is not None:
        data["training_fired"] = units.astype(np.float32)
        data |= {"training_batches": np.asarray(fired.batches), "training_samples": np.asarray(fired.samples)}
    return data


def _open_run(log_dir: Path, table: Sequence[LayerInfo], step: int) -> tuple[Path, History]:
    """Directory of a run that goes on, with its history, or of a new one, with an empty history.

    A training goes on when it starts behind step 0 and the log there tells of the same kernels.
    """
    shapes = {(layer.path, layer.kernel_shape) for layer in table}
    home, number = log_dir, 1
    while (home / RUN_DIRECTORY).exists():
        history = History.of(read_run(home / RUN_DIRECTORY))
        if history.info is None:
            break
        same = {(layer.path, layer.kernel_shape) for layer in history.layers} == shapes
        if same and step > 0:
            return home / RUN_DIRECTORY, history
        number += 1
        home = log_dir / f"training_{number}"
    if number > 1:
        warn(
            f"{log_dir} already holds a training; this one is written to {home}. Give each training a log_dir of its "
            "own, as for keras.callbacks.TensorBoard."
        )
    return home / RUN_DIRECTORY, History()


def _in_short(error: Exception) -> str:
    """The first two lines of what an error says, without Keras' terminal colors."""
    lines = [line.strip() for line in re.sub("\x1b\\[[0-9;]*m", "", str(error)).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300]


def summary_line(session: Session, training_seconds: float) -> str:
    """What the diagnostics cost, in one line."""
    share = session.seconds / training_seconds if training_seconds > 0 else math.nan
    return (
        f"CNN diagnostics: {session.seconds:.1f} s ({share:.1%} of the training), "
        f"{session.bytes_written / 1e6:.2f} MB in {session.log_dir}"
    )
