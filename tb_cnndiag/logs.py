"""Judge logs: what the command line and notebooks call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import Limits, judge
from tb_cnndiag.payloads import RunInfo
from tb_cnndiag.summaries.codec import Measurement
from tb_cnndiag.summaries.reader import find_runs, read_run
from tb_cnndiag.summaries.storage import LogLocation

# What rules and tables read; matrices, densities and images are for charts, and most of a log's bytes.
JUDGED = frozenset({"run_info", "findings", "layer_columns", "scalars", "unit_states", "unit_values", "dendrogram"})
# First and last step to look at; None for an open end.
Steps: TypeAlias = tuple[int | None, int | None]


class NoDataError(LookupError):
    """A logdir without diagnostics; the message says what to do."""


def no_data(log_dir: str | os.PathLike[str]) -> str:
    """What to say of a logdir without diagnostics."""
    return (
        f"{os.fspath(log_dir)} has no diagnostics. Train with callbacks=[CNNDiagnostics(log_dir)], and give that "
        "directory or one above it."
    )


def matching_runs(log_dir: str | os.PathLike[str], patterns: Sequence[str] = ()) -> dict[str, LogLocation]:
    """Runs below a logdir whose names match one of the shell patterns (all, when there are none): name → directory.

    Raises:
        FileNotFoundError, NotADirectoryError: When the logdir is none.
        NoDataError: When it has runs, but none that matches.
    """
    runs = find_runs(log_dir)
    chosen = {
        run: path for run, path in runs.items() if not patterns or any(fnmatchcase(run, each) for each in patterns)
    }
    if runs and not chosen:
        raise NoDataError(
            f"No run below {os.fspath(log_dir)} matches {' or '.join(map(repr, patterns))}. Runs are: "
            f"{', '.join(runs)}."
        )
    return chosen


def within(measurements: Iterable[Measurement], steps: Steps = (None, None)) -> Iterator[Measurement]:
    """Measurements of these steps only. Layer tables from before them count too: what follows refers to them."""
    first, last = steps
    for measurement in measurements:
        late = last is not None and measurement.step > last
        early = first is not None and measurement.step < first
        if not late and (not early or isinstance(measurement.payload, RunInfo)):
            yield measurement


def histories(
    log_dir: str | os.PathLike[str], runs: Sequence[str] = (), steps: Steps = (None, None)
) -> Iterator[History]:
    """The history of each run below a logdir, one at a time, without what is only drawn.

    Args:
        log_dir: As given to ``CNNDiagnostics``, or a directory above.
        runs: Shell patterns of the runs to read; all, when there are none.
        steps: First and last step to read.

    Raises:
        FileNotFoundError, NotADirectoryError: When the logdir is none.
        NoDataError: When it holds no diagnostics.
    """
    found = False
    for run, directory in matching_runs(log_dir, runs).items():
        history = History.of(within(read_run(directory, JUDGED), steps), run)
        if history.info is not None:
            found = True
            yield history
    if not found:
        raise NoDataError(no_data(log_dir))


def diagnose(log_dir: str | os.PathLike[str], limits: Limits | None = None) -> list[Finding]:
    """Findings of all runs below a logdir, run by run, causes first: the first of a run is its diagnosis.

    Args:
        log_dir: As given to ``CNNDiagnostics``, or a directory above.
        limits: Thresholds to change, by fault and name.

    Raises:
        FileNotFoundError, NotADirectoryError: When the logdir is none.
        NoDataError: When it holds no diagnostics.
        ValueError: When ``limits`` names what does not exist.
    """
    return [finding for history in histories(log_dir) for finding in judge(history, limits)]
