"""A run as decoded measurements, by diagnostic, layer and snapshot: all that a rule gets to see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tb_cnndiag.finding import Finding
from tb_cnndiag.payloads import FloatArray, IntArray, LayerColumns, LayerInfo, RunInfo, Scalars
from tb_cnndiag.summaries.codec import Measurement, Payload
from tb_cnndiag.summaries.names import FINDINGS

# Half a gigabyte a column: a small file must not claim more by a long layer table.
MAX_VALUES = 1 << 27


class HistoryError(ValueError):
    """A run that is too large to be held; the message says what to do."""


@dataclass(frozen=True)
class Series:
    """One column over the looks at which it was measured.

    Attributes:
        steps: ``(snapshots,)`` ascending.
        values: ``(snapshots, layers)`` in the order of the latest layer table; NaN where a layer was not measured.
    """

    steps: IntArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.steps)


@dataclass
class History:
    """One run. Add measurements in the order in which they were written.

    ``snapshots`` is the number of snapshots taken. Of payloads about one layer only the latest of each diagnostic is
    kept; columns and scalars are kept whole.
    """

    run: str = "."
    tables: dict[str, RunInfo] = field(default_factory=dict)
    info: RunInfo | None = None
    findings: tuple[Finding, ...] = ()
    _columns: dict[str, list[Measurement]] = field(default_factory=dict)
    _latest: dict[tuple[str, str], Measurement] = field(default_factory=dict)
    snapshots: int = 0
    _last_step: int = -1
    _series: dict[tuple[str, str], Series] = field(default_factory=dict)

    @classmethod
    def of(cls, measurements: Iterable[Measurement], run: str = ".") -> History:
        """The history that the measurements tell."""
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
        """Step of the last snapshot; −1 when there is none."""
        return self._last_step

    def add(self, measurement: Measurement) -> None:
        """Take in one measurement. A step that goes back means a restart: what came after it is forgotten."""
        self._series.clear()
        if measurement.step < self._last_step:
            self._forget_from(measurement.step)
        self._last_step = measurement.step
        payload = measurement.payload
        if isinstance(payload, RunInfo):
            self.tables[payload.table] = self.info = payload
            return
        self.snapshots = max(self.snapshots, measurement.snapshot + 1)
        if measurement.diagnostic == FINDINGS and isinstance(payload, tuple):
            self.findings = payload
        elif isinstance(payload, LayerColumns | Scalars):
            snapshots = self._columns.setdefault(measurement.diagnostic, [])
            if snapshots and snapshots[-1].step == measurement.step:
                snapshots.pop()
            snapshots.append(measurement)
        else:
            self._latest[measurement.diagnostic, measurement.layer] = measurement

    def _forget_from(self, step: int) -> None:
        for snapshots in self._columns.values():
            while snapshots and snapshots[-1].step >= step:
                snapshots.pop()
        self._latest = {key: m for key, m in self._latest.items() if m.step < step}

    def series(self, diagnostic: str, column: str) -> Series:
        """A column of numbers per layer over all snapshots that have it, read-only."""
        key = diagnostic, column
        if key not in self._series:
            self._series[key] = self._collected(diagnostic, column)
        return self._series[key]

    def _collected(self, diagnostic: str, column: str) -> Series:
        found = [
            (m.step, m.table, m.payload.columns[column])
            for m in self._columns.get(diagnostic, ())
            if isinstance(m.payload, LayerColumns) and column in m.payload.columns and m.table in self.tables
        ]
        if len(found) * len(self.layers) > MAX_VALUES:
            raise HistoryError(
                f"{self.run}: {len(found):,} looks at {len(self.layers):,} layers are too many to be held. "
                "Look at fewer, as in tb-cnndiag check --step 0:10000."
            )
        values = np.full((len(found), len(self.layers)), np.nan, np.float32)
        rows = {table: self._rows_of(table) for table in {table for _, table, _ in found}}
        for snapshot, (_, table, measured) in enumerate(found):
            here, there = rows[table]
            count = np.searchsorted(here, len(measured))  # a column may be shorter than its table
            values[snapshot, there[:count]] = measured[here[:count]]
        values.flags.writeable = False
        return Series(np.array([step for step, _, _ in found], np.int64), values)

    def _rows_of(self, table: str) -> tuple[IntArray, IntArray]:
        """Rows of a layer table that the latest one has too: their places in the one and in the other, ascending."""
        position = {layer.path: row for row, layer in enumerate(self.layers)}
        paths = [layer.path for layer in self.tables[table].layers]
        shared = [(row, position[path]) for row, path in enumerate(paths) if path in position]
        return np.array([row for row, _ in shared], np.int64), np.array([row for _, row in shared], np.int64)

    def scalars(self, diagnostic: str, name: str) -> tuple[IntArray, FloatArray]:
        """(steps, values) of a number of the whole model, ``(snapshots,)`` each."""
        found = [
            (m.step, m.payload.values[name])
            for m in self._columns.get(diagnostic, ())
            if isinstance(m.payload, Scalars) and name in m.payload.values
        ]
        return np.array([step for step, _ in found], np.int64), np.array([value for _, value in found], np.float64)

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
        """The latest payload about one layer (or the model), None when there is none."""
        measurement = self._latest.get((diagnostic, layer))
        return measurement.payload if measurement else None
