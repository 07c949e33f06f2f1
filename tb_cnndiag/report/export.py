"""The numbers of a log as tidy rows: one for each measure, layer, step and run."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tb_cnndiag.history import History
from tb_cnndiag.logs import Steps, histories
from tb_cnndiag.report.json_format import number

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


def rows(log_dir: str | os.PathLike[str], runs: Sequence[str] = (), steps: Steps = (None, None)) -> Iterator[Row]:
    """Every number of the layers, and loss and metrics, run by run. A value that was not measured has no row.

    Raises:
        FileNotFoundError, NotADirectoryError: If the logdir does not exist or is not a directory.
        NoDataError: If it holds no diagnostics, or none of the selected runs.
    """
    for history in histories(log_dir, runs, steps):
        yield from _rows(history)


def load(log_dir: str | os.PathLike[str], runs: Sequence[str] = (), steps: Steps = (None, None)) -> Any:
    """The numbers of a log as a tidy pandas frame, or as a dictionary of arrays where pandas is not installed.

    Columns: ``run``, ``diagnostic``, ``measure``, ``layer`` (empty for the whole model), ``step``, ``value``.

    Raises:
        FileNotFoundError, NotADirectoryError: If the logdir does not exist or is not a directory.
        NoDataError: If it holds no diagnostics, or none of the selected runs.
    """
    columns = _columns(rows(log_dir, runs, steps))
    try:
        pandas = import_module("pandas")
    except ImportError:
        return columns
    return pandas.DataFrame(columns)


def write(found: Iterable[Row], path: Path | None, kind: str) -> str | None:
    """Write rows as ``csv``, ``json`` or ``parquet``; without a path, return the text.

    Raises:
        ExportError: If Parquet is requested without pyarrow or without a path.
        OSError: If the file cannot be written.
    """
    if kind == "parquet":
        _parquet(found, path)
        return None
    text = _csv(found) if kind == "csv" else _json(found)
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


def _columns(found: Iterable[Row]) -> dict[str, Any]:
    columns = list(zip(*found, strict=True)) or [()] * len(Row._fields)
    kinds = {"step": np.int64, "value": np.float64}
    return {
        name: np.asarray(values, kinds.get(name, object)) for name, values in zip(Row._fields, columns, strict=True)
    }


def _csv(found: Iterable[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(found)
    return text.getvalue()


def _json(found: Iterable[Row]) -> str:
    records = [row._asdict() | {"value": number(row.value)} for row in found]
    return json.dumps(records, allow_nan=False) + "\n"


def _parquet(found: Iterable[Row], path: Path | None) -> None:
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ExportError("Parquet needs pyarrow: pip install pyarrow. Or use --format csv or json.") from None
    if path is None:
        raise ExportError("Parquet is binary: name a file with -o FILE.")
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.table(_columns(found)), path)
