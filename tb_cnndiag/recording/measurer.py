"""Runs the diagnostics on a snapshot and turns their results into measurements."""

from __future__ import annotations

import functools
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import ThreadpoolController

from tb_cnndiag.capture.model_inspector import WEIGHT_NAMES
from tb_cnndiag.diagnostics import BUILTIN
from tb_cnndiag.diagnostics.base import (
    Cost,
    Diagnostic,
    LayerDiagnostic,
    LayerResult,
    LayerSnapshot,
    ModelDiagnostic,
    Snapshot,
)
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
    _frozen: dict[tuple[str, str], tuple[int, LayerResult]] = field(default_factory=dict)

    def due(self, costs: Set[Cost]) -> list[Diagnostic]:
        """The diagnostics of these costs that have not failed."""
        return [each for each in self.diagnostics if each.name not in self.failed and each.cost in costs]

    def measure(
        self,
        snapshot: Snapshot,
        number: int,
        table: str,
        diagnostics: Sequence[Diagnostic],
        timed: Callable[[str], AbstractContextManager[None]] = lambda _name: nullcontext(),
        exhausted: Callable[[Cost], bool] = lambda _cost: False,
    ) -> tuple[list[Measurement], list[Diagnostic]]:
        """All measurements of one snapshot, and the diagnostics for which no time was left.

        Args:
            snapshot: What was captured.
            number: 0-based number of the snapshot.
            table: Id of the layer table.
            diagnostics: The diagnostics to run.
            timed: Context that times the diagnostic of a name.
            exhausted: Whether the time for diagnostics of this cost has been spent.
        """
        measurements: list[Measurement] = []
        skipped: list[Diagnostic] = []
        for diagnostic in diagnostics:
            if diagnostic.needs and exhausted(diagnostic.cost):
                skipped.append(diagnostic)
                continue
            try:
                with timed(diagnostic.name), self._patient(diagnostic, snapshot.step), _one_blas_thread():
                    results = list(self._measured(diagnostic, snapshot, number, table))
                if not isinstance(diagnostic, BUILTIN):
                    _check(results)
                measurements += results
            except Exception as error:  # no diagnostic, built-in or user-defined, may ever stop the training
                self.failed.add(diagnostic.name)
                warn(
                    f"The diagnostic {diagnostic.name!r} failed at step {snapshot.step} and is switched off "
                    f"({type(error).__name__}: {error}). Everything else continues."
                )
        return measurements, skipped

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

    def _measured(self, diagnostic: Diagnostic, snapshot: Snapshot, number: int, table: str) -> Iterator[Measurement]:
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
            rows = [
                row for row, each in enumerate(snapshot.layers) if all(name in each.data for name in diagnostic.needs)
            ]
            layers = [snapshot.layers[row] for row in rows]
            for row, layer, result in zip(rows, layers, self._results(diagnostic, layers), strict=True):
                for name, value in result.values.items():
                    columns[name][row] = value
                if result.payload is not None:
                    yield measurement(result.payload, layer.layer.path)
            if not all(np.isnan(values).all() for values in columns.values()):
                yield measurement(LayerColumns(columns))

    def _results(self, diagnostic: LayerDiagnostic, layers: Sequence[LayerSnapshot]) -> list[LayerResult]:
        """The result of each layer; that of a frozen layer whose weights are as before is not measured again."""
        known: dict[int, LayerResult] = {}
        checksums: dict[int, int] = {}
        if set(diagnostic.needs) <= WEIGHT_NAMES:
            for row, layer in enumerate(layers):
                if not layer.layer.trainable:
                    checksums[row] = _checksum(layer)
                    checksum, result = self._frozen.get((diagnostic.name, layer.layer.path), (None, None))
                    if result is not None and checksum == checksums[row]:
                        known[row] = result
        rest = [row for row in range(len(layers)) if row not in known]
        known |= dict(zip(rest, diagnostic.measure_all([layers[row] for row in rest]), strict=True))
        for row, checksum in checksums.items():
            self._frozen[diagnostic.name, layers[row].layer.path] = checksum, known[row]
        return [known[row] for row in range(len(layers))]

    @contextmanager
    def _patient(self, diagnostic: Diagnostic, step: int) -> Iterator[None]:
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


@functools.cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def _one_blas_thread() -> AbstractContextManager[object]:
    """Linear algebra on one thread: matrices are small, and next to other work several threads wait for each other.

    On two busy cores, the singular values of ResNet50's kernels took 7.8 s on two threads, and 0.3 s on one.
    """
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


def _column(payload: LayerColumns, name: str) -> FloatArray:
    return payload.columns.get(name, np.empty(0, np.float32))


def _check(measurements: Sequence[Measurement]) -> None:
    """Raise a ValueError if the measurements cannot be written and read again."""
    for measurement in measurements:
        try:
            decode(encode(measurement))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"its result cannot be logged: {error}") from None


def _checksum(layer: LayerSnapshot) -> int:
    """A checksum of a layer's weights."""
    total = 0
    for name in sorted(WEIGHT_NAMES & layer.data.keys()):
        total = zlib.crc32(np.ascontiguousarray(layer.data[name]).tobytes(), total)
    return total
