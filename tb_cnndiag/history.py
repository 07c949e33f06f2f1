"""A run as decoded measurements, by diagnostic, layer and snapshot: the only input of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

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


class _Grown:
    """Values by step that grow with the measurements of a diagnostic: each measurement is collected once."""

    def __init__(self, table: str, missing: FloatArray) -> None:
        """Of the layer table ``table``; each row is like ``missing``."""
        self._table = table
        self._seen = 0
        self._last: Measurement | None = None
        self._length = 0
        self._steps = np.zeros(0, np.int64)
        self._values = missing[np.newaxis][:0]

    def follows(self, measured: Sequence[Measurement], table: str) -> bool:
        """Whether it was collected from the first of these measurements, for this layer table."""
        last = self._seen - 1
        return table == self._table and (last < 0 or (last < len(measured) and measured[last] is self._last))

    def new(self, measured: Sequence[Measurement]) -> Sequence[Measurement]:
        """The measurements that were not collected yet."""
        new = measured[self._seen :]
        if new:
            self._reserve(self._length + len(new))
            self._seen, self._last = len(measured), new[-1]
        return new

    def append(self, step: int, row: Any) -> None:
        self._steps[self._length], self._values[self._length] = step, row
        self._length += 1

    def read(self) -> tuple[IntArray, FloatArray]:
        """(steps, values) so far, read-only. They stay as they are when more is appended."""
        steps, values = self._steps[: self._length], self._values[: self._length]
        steps.flags.writeable = values.flags.writeable = False
        return steps, values

    def _reserve(self, length: int) -> None:
        if length > len(self._steps):
            more = max(length, 2 * len(self._steps)) - self._length
            self._steps = np.concatenate([self._steps[: self._length], np.zeros(more, np.int64)])
            empty = np.empty((more, *self._values.shape[1:]), self._values.dtype)
            self._values = np.concatenate([self._values[: self._length], empty])


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
    _series: dict[tuple[str, ...], _Grown] = field(default_factory=dict)

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
        measured = self._columns.get(diagnostic, [])
        if len(measured) * len(self.layers) > MAX_VALUES:
            raise HistoryError(
                f"{self.run}: {len(measured):,} snapshots of {len(self.layers):,} layers are too large for memory. "
                "Read fewer steps, as in tb-cnndiag check --step 0:10000."
            )
        grown = self._grown((diagnostic, column), measured, np.full(len(self.layers), np.nan, np.float32))
        for each in grown.new(measured):
            payload = each.payload
            if isinstance(payload, LayerColumns) and column in payload.columns and each.table in self.tables:
                grown.append(each.step, self._by_layer(payload.columns[column], each.table))
        return Series(*grown.read())

    def _grown(self, key: tuple[str, ...], measured: Sequence[Measurement], missing: FloatArray) -> _Grown:
        table = self.info.table if self.info else ""
        if key not in self._series or not self._series[key].follows(measured, table):
            self._series[key] = _Grown(table, missing)
        return self._series[key]

    def _by_layer(self, column: FloatArray, table: str) -> FloatArray:
        """A column of a layer table in the order of the latest one; NaN for layers that it does not have."""
        if self.info and table == self.info.table and len(column) == len(self.layers):
            return column
        values = np.full(len(self.layers), np.nan, np.float32)
        source, target = self._shared_rows(table)
        count = np.searchsorted(source, len(column))  # a column may be shorter than its table
        values[target[:count]] = column[source[:count]]
        return values

    def _shared_rows(self, table: str) -> tuple[IntArray, IntArray]:
        """Row numbers of the layers that a layer table shares with the latest one: in this table, and in the latest."""
        position = {layer.path: row for row, layer in enumerate(self.layers)}
        paths = [layer.path for layer in self.tables[table].layers]
        shared = [(row, position[path]) for row, path in enumerate(paths) if path in position]
        return np.array([row for row, _ in shared], np.int64), np.array([row for _, row in shared], np.int64)

    def scalars(self, diagnostic: str, name: str) -> tuple[IntArray, FloatArray]:
        """(steps, values) of a number of the whole model, each ``(snapshots,)``, read-only."""
        measured = self._columns.get(diagnostic, [])
        grown = self._grown((diagnostic, name, "scalar"), measured, np.array(np.nan))
        for each in grown.new(measured):
            if isinstance(each.payload, Scalars) and name in each.payload.values:
                grown.append(each.step, each.payload.values[name])
        return grown.read()

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
