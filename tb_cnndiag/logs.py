"""Judges logs, for the command line and for notebooks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TypeAlias

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.judge import Limits, verdict
from tb_cnndiag.payloads import RunInfo
from tb_cnndiag.summaries.codec import Measurement
from tb_cnndiag.summaries.reader import find_runs, read_run
from tb_cnndiag.summaries.storage import LogLocation

# Kinds that rules and tables need. Matrices, densities and images are only for charts and take most of a log's bytes.
JUDGED = frozenset({"run_info", "findings", "layer_columns", "scalars", "unit_states", "unit_values", "dendrogram"})
# First and last step to read; None for an open end.
Steps: TypeAlias = tuple[int | None, int | None]


class NoDataError(LookupError):
    """A logdir without diagnostics; the message says what to do."""


def no_data(log_dir: str | os.PathLike[str]) -> str:
    """The error message for a logdir without diagnostics."""
    return (
        f"{os.fspath(log_dir)} has no diagnostics. Train with callbacks=[CNNDiagnostics(log_dir)], then give that "
        "log_dir or a directory above it."
    )


def matching_runs(log_dir: str | os.PathLike[str], patterns: Sequence[str] = ()) -> dict[str, LogLocation]:
    """Runs below a logdir whose names match one of the shell patterns: name → directory. No patterns match all runs.

    Raises:
        FileNotFoundError: If the logdir does not exist.
        NotADirectoryError: If it is not a directory.
        NoDataError: If it has runs, but no run matches.
    """
    runs = find_runs(log_dir)
    chosen = {
        run: path for run, path in runs.items() if not patterns or any(fnmatchcase(run, each) for each in patterns)
    }
    if runs and not chosen:
        raise NoDataError(
            f"No run below {os.fspath(log_dir)} matches {' or '.join(map(repr, patterns))}. The runs are: "
            f"{', '.join(runs)}."
        )
    return chosen


def within(measurements: Iterable[Measurement], steps: Steps = (None, None)) -> Iterator[Measurement]:
    """Measurements of these steps. Earlier layer tables are included, because later measurements refer to them."""
    first, last = steps
    for measurement in measurements:
        late = last is not None and measurement.step > last
        early = first is not None and measurement.step < first
        if not late and (not early or isinstance(measurement.payload, RunInfo)):
            yield measurement


def histories(
    log_dir: str | os.PathLike[str],
    runs: Sequence[str] = (),
    steps: Steps = (None, None),
    kinds: frozenset[str] = JUDGED,
) -> Iterator[History]:
    """The history of each run below a logdir, one at a time, without payloads that are only drawn.

    Args:
        log_dir: The ``log_dir`` passed to ``CNNDiagnostics``, or a directory above it.
        runs: Shell patterns of the runs to read. No patterns match all runs.
        steps: First and last step to read.
        kinds: Kinds of payloads to read.

    Raises:
        FileNotFoundError: If the logdir does not exist.
        NotADirectoryError: If it is not a directory.
        NoDataError: If it has no diagnostics.
    """
    found = False
    for run, directory in matching_runs(log_dir, runs).items():
        history = History.of(within(read_run(directory, kinds), steps), run)
        if history.info is not None:
            found = True
            yield history
    if not found:
        raise NoDataError(no_data(log_dir))


def diagnose(log_dir: str | os.PathLike[str], limits: Limits | None = None) -> list[Finding]:
    """Findings of all runs below a logdir, run by run, causes before effects. A run's first finding is its diagnosis.

    Args:
        log_dir: The ``log_dir`` passed to ``CNNDiagnostics``, or a directory above it.
        limits: Thresholds to change, by fault and name.

    Raises:
        FileNotFoundError: If the logdir does not exist.
        NotADirectoryError: If it is not a directory.
        NoDataError: If it has no diagnostics.
        ValueError: If ``limits`` names a fault or threshold that does not exist.
    """
    return list(judge_log(log_dir, limits).findings)


def judge_log(log_dir: str | os.PathLike[str], limits: Limits | None = None) -> Verdict:
    """The judgment of all runs below a logdir: their findings, as :func:`diagnose` returns them, and its coverage.

    The coverage says of each run and fault whether it was found, is clear, does not apply, or could not be judged, and
    why. Arguments and errors are those of :func:`diagnose`.
    """
    return sum((verdict(history, limits) for history in histories(log_dir)), Verdict())
