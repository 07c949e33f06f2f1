"""Records and publishes: snapshots as measurements in the log of one run, and the findings that follow from them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tb_cnndiag.diagnostics.base import Snapshot
from tb_cnndiag.finding import Finding, Findings
from tb_cnndiag.history import History
from tb_cnndiag.judging.announcements import Announcer, News
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.payloads import DiagnosticInfo, LayerInfo, RunInfo, Scalars, SwitchedOff
from tb_cnndiag.recording.additions import additions
from tb_cnndiag.summaries.codec import Measurement, Payload, decode, encode
from tb_cnndiag.summaries.names import FINDINGS, LEFT_OUT, OVERHEAD, RUN_DIRECTORY, RUN_INFO
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.writer import SnapshotWriter
from tb_cnndiag.warning import warn


@dataclass(frozen=True)
class Judgment:
    """All findings of a run so far, and what has changed since the last snapshot."""

    findings: tuple[Finding, ...] = ()
    news: News = field(default_factory=News)
    verdict: Verdict = field(default_factory=Verdict)


class RunLog:
    """The log of one run in ``<log_dir>/cnndiag``, with its history.

    A training that starts after step 0, in a directory whose log has the same kernels, continues that log.
    """

    def __init__(self, log_dir: Path, table: Sequence[LayerInfo], step: int) -> None:
        directory, self._history = _open_run(log_dir, table, step)
        self._writer: SnapshotWriter | None = SnapshotWriter(directory)
        self._announcer = Announcer.after(self._history.findings)
        self._judged = Verdict()
        self._cost: dict[str, float] = {}
        self.snapshots = self._history.snapshots
        self.last_step = self._history.last_step if step else -1

    @property
    def log_dir(self) -> Path | None:
        """The directory that holds this run's ``cnndiag``; None when it could not be written."""
        return self._writer.directory.parent if self._writer else None

    @property
    def history(self) -> History:
        """What the log holds."""
        return self._history

    @property
    def bytes_written(self) -> int:
        """Size of what was written so far."""
        return self._writer.bytes_written if self._writer else 0

    def record(
        self,
        snapshot: Snapshot,
        index: int,
        measurements: Sequence[Measurement],
        scalars: Mapping[str, float],
        info: RunInfo,
        *,
        changed: bool,
        seconds: float,
        left_out: Mapping[str, float],
        ended: bool = False,
    ) -> Judgment:
        """Judge and write what was measured of one snapshot.

        What is judged is what a reader of the log would decode.

        Args:
            snapshot: When it was taken.
            index: 0-based index of the snapshot.
            measurements: What the diagnostics returned.
            scalars: Numbers for TensorBoard's own dashboard, by tag.
            info: The run.
            changed: Whether ``info`` is new and has to be written.
            seconds: Time that the diagnostics have taken so far.
            left_out: Diagnostics that the budget leaves out of this snapshot, with the seconds they would take.
            ended: Whether this is the last snapshot of the training.
        """
        step, epoch = snapshot.step, snapshot.epoch

        def message(name: str, payload: Payload) -> Measurement:
            return Measurement(name, step, index, payload, epoch=epoch, table=info.table)

        described = [self._description(step, index, info)] if changed else []
        messages = [(each, encode(each)) for each in (*described, *measurements)]
        self._remember(messages)
        judged = verdict(self._history)
        findings = judged.findings
        self._cost = {"seconds": seconds, "bytes": float(self.bytes_written)} | _named(left_out)
        messages += [
            (each, encode(each))
            for each in (
                message(FINDINGS, Findings.of(findings, judged.coverage)),
                message(OVERHEAD, Scalars(self._cost)),
            )
        ]
        self._write(step, messages, scalars)
        self.snapshots, self.last_step = index + 1, step
        self._judged = judged
        return Judgment(findings, self._announcer.update(findings, ended=ended), judged)

    def add_unjudged(self, step: int, measurements: Sequence[Measurement], scalars: Mapping[str, float]) -> None:
        """Write measurements of a step between two snapshots; the later one is judged with them."""
        messages = [(each, encode(each)) for each in measurements]
        if messages or scalars:
            self._remember(messages)
            self._write(step, messages, scalars)

    def add(
        self,
        payloads: Mapping[str, Payload],
        *,
        layer: str = "",
        described: Sequence[DiagnosticInfo] = (),
        notes: Sequence[str] = (),
    ) -> None:
        """Add results about a layer, or about the model, to the last snapshot; see :func:`additions`."""
        messages = additions(self._history, payloads, layer=layer, described=described, notes=notes)
        if messages:
            self._write(self.last_step, [(each, encode(each)) for each in messages], {})

    def leave_out(self, left_out: Mapping[str, float], seconds: float) -> None:
        """Write what else the last snapshot leaves out, with the seconds it would take, and what was spent in all."""
        now = {"seconds": seconds, "bytes": float(self.bytes_written)}
        self.add({OVERHEAD: Scalars(self._cost | now | _named(left_out))})

    def end(self) -> Judgment:
        """The judgment of the last snapshot once more: the training has ended, so no news waits for another one."""
        findings = self._judged.findings
        return Judgment(findings, self._announcer.update(findings, ended=True), self._judged)

    def switch_off(self, info: RunInfo, switched_off: SwitchedOff) -> None:
        """Write that recording stops here, and why."""
        self.describe(replace(info, switched_off=switched_off), switched_off.step)

    def describe(self, info: RunInfo, step: int = 0) -> None:
        """Write what the run is, after its last snapshot."""
        step, index = max(step, self.last_step), max(self.snapshots - 1, 0)
        message = self._description(step, index, info)
        self._write(step, [(message, encode(message))], {})

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()

    def _remember(self, messages: Sequence[tuple[Measurement, bytes]]) -> None:
        """Add to the history what a reader of the log will decode."""
        for _, data in messages:
            decoded = decode(data)
            if decoded is not None:
                self._history.add(decoded)

    def _description(self, step: int, index: int, info: RunInfo) -> Measurement:
        """The run, with the diagnostics of earlier trainings and of ``visualize`` that the log holds."""
        known = self._history.info.diagnostics if self._history.info else ()
        return Measurement(RUN_INFO, step, index, info.describing(known), table=info.table)

    def _write(self, step: int, messages: Sequence[tuple[Measurement, bytes]], scalars: Mapping[str, float]) -> None:
        if self._writer is None:
            return
        try:
            self._writer.write(step, messages, scalars)
        except OSError as error:
            warn(
                f"{self._writer.directory} cannot be written ({error.strerror or error}). Diagnostics are switched off "
                "for this training, which goes on; what was logged before stays readable. Check space and permissions."
            )
            self._writer.close()
            self._writer = None


def _named(left_out: Mapping[str, float]) -> dict[str, float]:
    return {f"{LEFT_OUT}{name}": expected for name, expected in left_out.items()}


def record_failed_start(log_dir: Path, model: str, reason: str) -> None:
    """Write a log that says only that nothing was recorded, and why: a run that is missing would pass unnoticed."""
    log = RunLog(log_dir, (), 0)
    log.switch_off(RunInfo("", (), model=model, started=time.time()), SwitchedOff(0, reason))
    log.close()


def _open_run(log_dir: Path, table: Sequence[LayerInfo], step: int) -> tuple[Path, History]:
    """Directory of a run that is continued, with its history, or of a new one, with an empty history."""
    shapes = {(layer.path, layer.kernel_shape) for layer in table}
    home, number = log_dir, 1
    while (home / RUN_DIRECTORY).exists():
        history = History.of(read_run(home / RUN_DIRECTORY))
        if not history.layers:
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
