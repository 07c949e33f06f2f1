"""The numbers of a log as tidy rows: one for each measure, layer, step and run; or one for each unit."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.logs import Steps, histories
from tb_cnndiag.report.json_format import number
from tb_cnndiag.report.unit_table import unit_rows

Table: TypeAlias = Literal["numbers", "units"]
CURVES = "training_curve"


class ExportError(ValueError):
    """The table cannot be made; the message says why and what to do."""


class Row(NamedTuple):
    """One number; ``layer`` is empty for the whole model."""

    run: str
    diagnostic: str
    measure: str
    layer: str
    step: int
    value: float


def table_rows(
    table: Table, log_dir: str | os.PathLike[str], runs: Sequence[str] = (), steps: Steps = (None, None)
) -> Iterator[tuple[Any, ...]]:
    """The rows of one of the tables; errors are those of :func:`rows`."""
    if table not in ROWS:
        raise ValueError(f"The table {table!r} does not exist. Choose from: {', '.join(ROWS)}.")
    return rows(log_dir, runs, steps) if table == "numbers" else unit_rows(log_dir, runs, steps)


def rows(log_dir: str | os.PathLike[str], runs: Sequence[str] = (), steps: Steps = (None, None)) -> Iterator[Row]:
    """Every number of the layers, and loss and metrics, run by run. A value that was not measured has no row.

    Raises:
        FileNotFoundError, NotADirectoryError: If the logdir does not exist or is not a directory.
        NoDataError: If it holds no diagnostics, or none of the selected runs.
    """
    for history in histories(log_dir, runs, steps):
        yield from _rows(history)


def load(
    log_dir: str | os.PathLike[str],
    runs: Sequence[str] = (),
    steps: Steps = (None, None),
    table: Table = "numbers",
) -> Any:
    """The numbers of a log as a tidy pandas frame, or as a dictionary of arrays where pandas is not installed.

    Columns: ``run``, ``diagnostic``, ``measure``, ``layer`` (empty for the whole model), ``step``, ``value``.

    With ``table="units"`` a row is a unit at the last of the steps at which it was measured: ``run``, ``layer``,
    ``unit``; ``class`` that it answers to; ``eta_squared``, the share of the variance of its response that the class
    explains; ``value``, its largest response, on ``image`` of the probe, and the first and last pixel that it sees
    there: ``x0``, ``y0``, ``x1``, ``y1``. What is not known, and what a silent unit does not have, is −1, or NaN in
    ``eta_squared`` and ``value``.

    Raises:
        FileNotFoundError, NotADirectoryError: If the logdir does not exist or is not a directory.
        NoDataError: If it holds no diagnostics, or none of the selected runs.
        ValueError: If there is no such table.
    """
    columns = _columns(table_rows(table, log_dir, runs, steps), table)
    try:
        pandas = import_module("pandas")
    except ImportError:
        return columns
    return pandas.DataFrame(columns)


def write(found: Iterable[tuple[Any, ...]], path: Path | None, kind: str, table: Table = "numbers") -> str | None:
    """Write rows of a table as ``csv``, ``json`` or ``parquet``; without a path, return the text.

    Raises:
        ExportError: If Parquet is requested without pyarrow or without a path.
        OSError: If the file cannot be written.
    """
    if kind == "parquet":
        _parquet(found, path, table)
        return None
    text = _csv(found, table) if kind == "csv" else _json(found, table)
    if path is None:
        return text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
    return None


def _rows(history: History) -> Iterator[Row]:
    for diagnostic in history.info.diagnostics if history.info else ():
        for column in diagnostic.columns:
            series = history.series(diagnostic.name, column.name)
            for step, values in zip(series.steps, series.values, strict=True):
                for layer, value in zip(history.layers, values, strict=True):
                    if not np.isnan(value):
                        yield Row(history.run, diagnostic.name, column.name, layer.path, int(step), float(value))
    for name in history.scalar_names(CURVES):
        for step, value in zip(*history.scalars(CURVES, name), strict=True):
            yield Row(history.run, CURVES, name, "", int(step), float(value))


# Names of the columns of each table, and their types; without one, they are text.
ROWS: dict[str, tuple[tuple[str, Any], ...]] = {
    "numbers": (
        ("run", object),
        ("diagnostic", object),
        ("measure", object),
        ("layer", object),
        ("step", np.int64),
        ("value", np.float64),
    ),
    "units": (
        ("run", object),
        ("layer", object),
        *((name, np.int64) for name in ("unit", "class")),
        *((name, np.float64) for name in ("eta_squared", "value")),
        *((name, np.int64) for name in ("image", "x0", "y0", "x1", "y1")),
    ),
}


def _columns(found: Iterable[tuple[Any, ...]], table: Table) -> dict[str, Any]:
    columns: list[tuple[Any, ...]] = list(zip(*found, strict=True)) or [()] * len(ROWS[table])
    return {name: np.asarray(values, kind) for (name, kind), values in zip(ROWS[table], columns, strict=True)}


def _csv(found: Iterable[tuple[Any, ...]], table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, _ in ROWS[table]])
    writer.writerows(found)
    return text.getvalue()


def _json(found: Iterable[tuple[Any, ...]], table: Table) -> str:
    names = [name for name, _ in ROWS[table]]
    records = [
        {name: number(cell) if isinstance(cell, float) else cell for name, cell in zip(names, row, strict=True)}
        for row in found
    ]
    return json.dumps(records, allow_nan=False) + "\n"


def _parquet(found: Iterable[tuple[Any, ...]], path: Path | None, table: Table) -> None:
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ExportError("Parquet needs pyarrow: pip install pyarrow. Or use --format csv or json.") from None
    if path is None:
        raise ExportError("Parquet is binary: name a file with -o FILE.")
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.table(_columns(found, table)), path)
