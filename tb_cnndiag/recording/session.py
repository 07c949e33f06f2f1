"""One recorded run: from the inspected models, through the diagnostics, into the log."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

from tb_cnndiag.capture.model_inspector import ModelInspector
from tb_cnndiag.diagnostics.base import Cost, Diagnostic
from tb_cnndiag.payloads import SwitchedOff
from tb_cnndiag.recording.inspection import Inspection, Tapped
from tb_cnndiag.recording.measurer import Measurer
from tb_cnndiag.recording.run_log import Judgment, RunLog
from tb_cnndiag.recording.schedule import COSTLY, Schedule

ALL_COSTS: frozenset[Cost] = frozenset({"light", "heavy", "costly"})


class Session:
    """Takes the snapshots of one training and counts what they cost."""

    def __init__(
        self,
        log_dir: Path,
        inspector: ModelInspector,
        diagnostics: Sequence[Diagnostic],
        schedule: Schedule,
        *,
        step: int,
    ) -> None:
        self._inspection = Inspection(inspector, [diagnostic.info() for diagnostic in diagnostics])
        self._measurer = Measurer(diagnostics)
        self._schedule = schedule
        self._log = RunLog(log_dir, self._inspection.table, step)
        self._seconds = 0.0
        self._done: frozenset[Cost] = frozenset()

    @property
    def bytes_written(self) -> int:
        """Size of the log so far."""
        return self._log.bytes_written

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time inside the ``with`` as a cost of the diagnostics."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._seconds += time.perf_counter() - begin

    def take_snapshot(
        self,
        step: int,
        epoch: int,
        logs: Mapping[str, float],
        tapped: Tapped,
        *,
        batch_size: int = 0,
        last: bool = False,
        costs: Set[Cost] | None = None,
    ) -> Judgment | None:
        """Inspect the models now, measure, judge and write; None when there is nothing to do.

        Diagnostics of the given ``costs`` run, or those that the schedule names. The ``last`` snapshot of a training
        has all of them: one that was just taken at the same step gets those that it left out.
        """
        supplements = self._log.last_step == step
        done = self._done if supplements else frozenset()
        due = (frozenset(costs) if costs is not None else ALL_COSTS if last else self._due()) - done
        if self._log.log_dir is None or not due:
            return self._log.end() if last else None
        index = self._log.snapshots - 1 if done else self._log.snapshots
        with self.timed():
            snapshot = self._inspection.capture(step, epoch, logs, tapped, self._measurer.needs(due))
            table = tuple(layer.layer for layer in snapshot.layers)
            info, changed = self._inspection.describe(table, batch_size)
            measurements = self._measurer.measure(snapshot, index, info.table, due)
            scalars = self._measurer.scalars(measurements, snapshot)
            judgment = self._log.record(
                snapshot, index, measurements, scalars, info, changed=changed, seconds=self._seconds, ended=last
            )
        self._done = due | done
        return judgment

    def switch_off(self, step: int, reason: str) -> None:
        """Write that recording stops here, and why, and close the log."""
        info, _ = self._inspection.describe(self._inspection.table, 0)
        self._log.switch_off(info, SwitchedOff(step, reason))
        self._log.close()

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def summary(self, training_seconds: float) -> str:
        """What the diagnostics cost, in one line; empty when nothing could be written."""
        if self._log.log_dir is None:
            return ""
        share = self._seconds / training_seconds if training_seconds > 0 else math.nan
        return (
            f"CNN diagnostics: {self._seconds:.1f} s ({share:.1%} of the training), "
            f"{self._log.bytes_written / 1e6:.2f} MB in {self._log.log_dir}"
        )

    def _due(self) -> frozenset[Cost]:
        """Costs of the diagnostics that the schedule names for the next snapshot."""
        index = self._log.snapshots
        if not self._schedule(index):
            return frozenset({"light"})
        return ALL_COSTS if COSTLY(index) else frozenset({"light", "heavy"})
