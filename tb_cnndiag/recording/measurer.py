"""Runs the diagnostics on a snapshot and turns their results into measurements."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from tb_cnndiag.diagnostics import BUILTIN
from tb_cnndiag.diagnostics.base import Cost, Diagnostic, LayerDiagnostic, ModelDiagnostic, Snapshot
from tb_cnndiag.payloads import FloatArray, LayerColumns
from tb_cnndiag.summaries.codec import Measurement, decode, encode
from tb_cnndiag.warning import warn

# Most seconds that a user-defined diagnostic may take at one snapshot.
PATIENCE = 30.0


@dataclass
class Measurer:
    """The diagnostics in use. A diagnostic that fails is reported once and then switched off.

    A user-defined diagnostic is also switched off if its result cannot be logged or if it takes too long at one
    snapshot. Python cannot interrupt a running function, so a warning names the diagnostic while it runs.
    """

    diagnostics: Sequence[Diagnostic]
    failed: set[str] = field(default_factory=set)

    def needs(self, costs: Set[Cost]) -> set[str]:
        """Names of the data that the diagnostics of this snapshot need."""
        return {name for diagnostic in self._due(costs) for name in diagnostic.needs}

    def measure(self, snapshot: Snapshot, number: int, table: str, costs: Set[Cost]) -> list[Measurement]:
        """All measurements of one snapshot; ``number`` is its 0-based number, ``table`` the id of the layer table."""
        measurements: list[Measurement] = []
        for diagnostic in self._due(costs):
            try:
                with self._timed(diagnostic, snapshot.step):
                    results = list(_measured(diagnostic, snapshot, number, table))
                if not isinstance(diagnostic, BUILTIN):
                    _check(results)
                measurements += results
            except Exception as error:  # no diagnostic, built-in or user-defined, may ever stop the training
                self.failed.add(diagnostic.name)
                warn(
                    f"The diagnostic {diagnostic.name!r} failed at step {snapshot.step} and is switched off "
                    f"({type(error).__name__}: {error}). Everything else continues."
                )
        return measurements

    def scalars(self, measurements: Sequence[Measurement], snapshot: Snapshot) -> dict[str, float]:
        """Values that TensorBoard's Scalars dashboard also shows: tag → value."""
        scalar_columns = {diagnostic.name: diagnostic.scalar_columns for diagnostic in self.diagnostics}
        return {
            f"{column}/{layer.layer.path}": float(value)
            for measurement in measurements
            if isinstance(measurement.payload, LayerColumns)
            for column in scalar_columns.get(measurement.diagnostic, ())
            for layer, value in zip(snapshot.layers, _column(measurement.payload, column), strict=False)
            if np.isfinite(value)
        }

    @contextmanager
    def _timed(self, diagnostic: Diagnostic, step: int) -> Iterator[None]:
        if isinstance(diagnostic, BUILTIN):
            yield
            return
        message = (
            f"The diagnostic {diagnostic.name!r} has taken more than {PATIENCE:g} s at step {step}. Training waits "
            "until it returns; then the diagnostic is switched off."
        )
        timer = threading.Timer(PATIENCE, warn, [message])
        timer.daemon = True
        timer.start()
        begin = time.perf_counter()
        try:
            yield
        finally:
            timer.cancel()
            if time.perf_counter() - begin > PATIENCE:
                self.failed.add(diagnostic.name)

    def _due(self, costs: Set[Cost]) -> Iterator[Diagnostic]:
        return (d for d in self.diagnostics if d.name not in self.failed and d.cost in costs)


def _column(payload: LayerColumns, name: str) -> FloatArray:
    return payload.columns.get(name, np.empty(0, np.float32))


def _check(measurements: Sequence[Measurement]) -> None:
    """Raise a ValueError if the measurements cannot be written and read again."""
    for measurement in measurements:
        try:
            decode(encode(measurement))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"its result cannot be logged: {error}") from None


def _measured(diagnostic: Diagnostic, snapshot: Snapshot, number: int, table: str) -> Iterator[Measurement]:
    def measurement(payload: object, layer: str = "") -> Measurement:
        return Measurement(
            diagnostic=diagnostic.name,
            step=snapshot.step,
            snapshot=number,
            epoch=snapshot.epoch,
            table=table,
            layer=layer,
            payload=payload,  # type: ignore[arg-type]
        )

    if isinstance(diagnostic, ModelDiagnostic):
        payload = diagnostic.measure(snapshot)
        if payload is not None:
            yield measurement(payload)
    elif isinstance(diagnostic, LayerDiagnostic):
        columns: Mapping[str, FloatArray] = {
            column.name: np.full(len(snapshot.layers), np.nan, np.float32) for column in diagnostic.columns
        }
        rows = [row for row, each in enumerate(snapshot.layers) if all(name in each.data for name in diagnostic.needs)]
        layers = [snapshot.layers[row] for row in rows]
        for row, layer, result in zip(rows, layers, diagnostic.measure_all(layers), strict=True):
            for name, value in result.values.items():
                columns[name][row] = value
            if result.payload is not None:
                yield measurement(result.payload, layer.layer.path)
        if not all(np.isnan(values).all() for values in columns.values()):
            yield measurement(LayerColumns(columns))
