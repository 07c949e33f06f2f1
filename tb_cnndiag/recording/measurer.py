"""Runs the diagnostics on a snapshot and turns what they return into measurements."""

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

# Seconds that a diagnostic of a user's own may take at one snapshot.
PATIENCE = 30.0


@dataclass
class Measurer:
    """The diagnostics in use. One that fails is reported once and left out from then on.

    So is one of a user's own that returns what cannot be logged, or takes too long at one snapshot. Python cannot stop a
    function that does not return: a warning names it meanwhile.
    """

    diagnostics: Sequence[Diagnostic]
    failed: set[str] = field(default_factory=set)

    def needs(self, costs: Set[Cost]) -> set[str]:
        """Names of what the diagnostics of this snapshot read."""
        return {name for diagnostic in self._due(costs) for name in diagnostic.needs}

    def measure(self, snapshot: Snapshot, number: int, table: str, costs: Set[Cost]) -> list[Measurement]:
        """All measurements of one snapshot; ``number`` counts snapshots, ``table`` names the layer table."""
        measurements: list[Measurement] = []
        for diagnostic in self._due(costs):
            try:
                with self._timed(diagnostic, snapshot.step):
                    found = list(_measured(diagnostic, snapshot, number, table))
                if not isinstance(diagnostic, BUILTIN):
                    _check(found)
                measurements += found
            except Exception as error:  # a diagnostic, perhaps a user's own, must never end a training
                self.failed.add(diagnostic.name)
                warn(
                    f"The diagnostic {diagnostic.name!r} failed at step {snapshot.step} and is switched off "
                    f"({type(error).__name__}: {error}). Everything else goes on."
                )
        return measurements

    def scalars(self, measurements: Sequence[Measurement], snapshot: Snapshot) -> dict[str, float]:
        """What TensorBoard's own Scalars dashboard shows too: tag → value."""
        wanted = {diagnostic.name: diagnostic.scalar_columns for diagnostic in self.diagnostics}
        return {
            f"{column}/{layer.layer.path}": float(value)
            for measurement in measurements
            if isinstance(measurement.payload, LayerColumns)
            for column in wanted.get(measurement.diagnostic, ())
            for layer, value in zip(snapshot.layers, _column(measurement.payload, column), strict=False)
            if np.isfinite(value)
        }

    @contextmanager
    def _timed(self, diagnostic: Diagnostic, step: int) -> Iterator[None]:
        if isinstance(diagnostic, BUILTIN):
            yield
            return
        about = (
            f"The diagnostic {diagnostic.name!r} has taken more than {PATIENCE:g} s at step {step}. The training waits "
            "for it to return; from then on it is switched off."
        )
        timer = threading.Timer(PATIENCE, warn, [about])
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
    """Raise what writing or reading them would."""
    for measurement in measurements:
        try:
            decode(encode(measurement))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"it returned what cannot be logged: {error}") from None


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
