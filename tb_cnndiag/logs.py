"""Judge logs: what the command line and notebooks call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judge import Limits, judge
from tb_cnndiag.summaries.reader import find_runs, read_run


class NoDataError(LookupError):
    """A logdir without diagnostics; the message says what to do."""


def no_data(log_dir: str | os.PathLike[str]) -> str:
    """What to say of a logdir without diagnostics."""
    return (
        f"{os.fspath(log_dir)} has no diagnostics. Train with callbacks=[CNNDiagnostics(log_dir)], and give that "
        "directory or one above it."
    )


def histories(log_dir: str | os.PathLike[str]) -> Iterator[History]:
    """The history of each run below a logdir, one at a time.

    Raises:
        FileNotFoundError, NotADirectoryError: When the logdir is none.
        NoDataError: When it holds no diagnostics.
    """
    runs = find_runs(Path(log_dir))
    found = False
    for run, directory in runs.items():
        history = History.of(read_run(directory), run)
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
