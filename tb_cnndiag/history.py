"""A run as decoded measurements, by diagnostic, layer and snapshot: the only input of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import FloatArray, IntArray, LayerColumns, LayerInfo, RunInfo, Scalars
from tb_cnndiag.summaries.codec import Measurement, Payload
from tb_cnndiag.summaries.names import FINDINGS

# Half a gigabyte per column: a small file with a long layer table must not use more memory.
MAX_VALUES = 1 << 27


class HistoryError(ValueError):
    """A run that is too large for memory; the message says what to do."""


@dataclass(frozen=True)
class Series:
    """One column over the snapshots at which it was measured.

    Attributes:
        steps: ``(snapshots,)`` ascending.
        values: ``(snapshots, layers)`` in the order of the latest layer table; NaN if a layer was not measured.
    """

    steps: IntArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.steps)


@dataclass
class History:
    """One run. Add measurements in the order in which they were written.

    Columns and scalars are kept for all snapshots. Payloads about one layer are kept only for the latest snapshot that
    has them.

    Attributes:
        snapshots: Number of snapshots taken.
        epochs: Epochs completed, by the step of each snapshot.
    """

    run: str = "."
    tables: dict[str, RunInfo] = field(default_factory=dict)
    info: RunInfo | None = None
    findings: tuple[Finding, ...] = ()
    _columns: dict[str, list[Measurement]] = field(default_factory=dict)
    _latest: dict[tuple[str, str], Measurement] = field(default_factory=dict)
    snapshots: int = 0
    _last_step: int = -1
    epochs: dict[int, int] = field(default_factory=dict)
    _series: dict[tuple[str, str], Series] = field(default_factory=dict)

    @classmethod
    def of(cls, measurements: Iterable[Measurement], run: str = ".") -> History:
        """The history that consists of these measurements."""
        history = cls(run)
        for measurement in measurements:
            history.add(measurement)
        return history

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """Rows of the latest layer table, in network order."""
        return self.info.layers if self.info else ()

    @property
    def last_step(self) -> int:
        """Step of the last snapshot; −1 if there are no snapshots."""
        return self._last_step

    def add(self, measurement: Measurement) -> None:
        """Add one measurement. If the step decreases, training was restarted, and later steps are discarded."""
        self._series.clear()
        if measurement.step < self._last_step:
            self._discard_from(measurement.step)
        self._last_step = measurement.step
        payload = measurement.payload
        if isinstance(payload, RunInfo):
            self.tables[payload.table] = self.info = payload
            return
        self.snapshots = max(self.snapshots, measurement.snapshot + 1)
        self.epochs[measurement.step] = measurement.epoch
        if measurement.diagnostic == FINDINGS and isinstance(payload, tuple):
            self.findings = payload
        elif isinstance(payload, LayerColumns | Scalars):
            snapshots = self._columns.setdefault(measurement.diagnostic, [])
            if snapshots and snapshots[-1].step == measurement.step:
                snapshots.pop()
            snapshots.append(measurement)
        else:
            self._latest[measurement.diagnostic, measurement.layer] = measurement

    def _discard_from(self, step: int) -> None:
        for snapshots in self._columns.values():
            while snapshots and snapshots[-1].step >= step:
                snapshots.pop()
        self._latest = {key: m for key, m in self._latest.items() if m.step < step}
        self.epochs = {at: epoch for at, epoch in self.epochs.items() if at < step}

    def series(self, diagnostic: str, column: str) -> Series:
        """A column of numbers per layer over all snapshots that have it, read-only."""
        key = diagnostic, column
        if key not in self._series:
            self._series[key] = self._collected(diagnostic, column)
        return self._series[key]

    def _collected(self, diagnostic: str, name: str) -> Series:
        measured = [
            (m.step, m.table, m.payload.columns[name])
            for m in self._columns.get(diagnostic, ())
            if isinstance(m.payload, LayerColumns) and name in m.payload.columns and m.table in self.tables
        ]
        if len(measured) * len(self.layers) > MAX_VALUES:
            raise HistoryError(
                f"{self.run}: {len(measured):,} snapshots of {len(self.layers):,} layers are too large for memory. "
                "Read fewer steps, as in tb-cnndiag check --step 0:10000."
            )
        steps = np.array([step for step, _, _ in measured], np.int64)
        if all(table == measured[0][1] and len(column) == len(self.layers) for _, table, column in measured) and (
            measured and self.info is not None and measured[0][1] == self.info.table
        ):
            values = np.array([column for _, _, column in measured], np.float32)
            values.flags.writeable = False
            return Series(steps, values)
        values = np.full((len(measured), len(self.layers)), np.nan, np.float32)
        rows = {table: self._shared_rows(table) for table in {table for _, table, _ in measured}}
        for snapshot, (_, table, column_values) in enumerate(measured):
            source, target = rows[table]
            count = np.searchsorted(source, len(column_values))  # a column may be shorter than its table
            values[snapshot, target[:count]] = column_values[source[:count]]
        values.flags.writeable = False
        return Series(steps, values)

    def _shared_rows(self, table: str) -> tuple[IntArray, IntArray]:
        """Row numbers of the layers that a layer table shares with the latest one: in this table, and in the latest."""
        position = {layer.path: row for row, layer in enumerate(self.layers)}
        paths = [layer.path for layer in self.tables[table].layers]
        shared = [(row, position[path]) for row, path in enumerate(paths) if path in position]
        return np.array([row for row, _ in shared], np.int64), np.array([row for _, row in shared], np.int64)

    def scalars(self, diagnostic: str, name: str) -> tuple[IntArray, FloatArray]:
        """(steps, values) of a number of the whole model, each ``(snapshots,)``."""
        measured = [
            (m.step, m.payload.values[name])
            for m in self._columns.get(diagnostic, ())
            if isinstance(m.payload, Scalars) and name in m.payload.values
        ]
        steps, values = [step for step, _ in measured], [value for _, value in measured]
        return np.array(steps, np.int64), np.array(values, np.float64)

    def scalar_names(self, diagnostic: str) -> tuple[str, ...]:
        """Names of all numbers of the whole model that the diagnostic logged."""
        names = {
            name: None
            for m in self._columns.get(diagnostic, ())
            if isinstance(m.payload, Scalars)
            for name in m.payload.values
        }
        return tuple(names)

    def latest(self, diagnostic: str, layer: str = "") -> Payload | None:
        """The latest payload about one layer (or the model); None if it does not exist."""
        measurement = self._latest.get((diagnostic, layer))
        return measurement.payload if measurement else None

    def at_last_step(self, diagnostic: str, layer: str = "") -> Payload | None:
        """The payload of the last snapshot about one layer (or the model); None if it has none."""
        measurement = self._latest.get((diagnostic, layer))
        return measurement.payload if measurement and measurement.step == self._last_step else None
