"""One self-contained page: the findings as plain HTML, and the frontend with the log inlined."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.judge import judge
from tb_cnndiag.logs import NoDataError, matching_runs, no_data, within
from tb_cnndiag.report.gate import CheckSelection
from tb_cnndiag.report.inlined import Log, fitted, left_out
from tb_cnndiag.report.static import STYLE, contents, section, text
from tb_cnndiag.summaries.codec import Measurement
from tb_cnndiag.summaries.names import FINDINGS
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.storage import LogLocation

SCRIPT = Path(__file__).parents[1] / "plugin" / "static" / "report.js"
MEGABYTE = 1_000_000
# Tables of numbers may take this share of the page; beyond it they are left to the charts.
SHARE_OF_TABLES = 0.3


class ReportError(ValueError):
    """The report cannot be made; the message says why and what to do."""


def report(log_dir: str | os.PathLike[str], max_size: float = 5.0, choice: CheckSelection | None = None) -> str:
    """The page as text, at most ``max_size`` MB.

    Of a log that is larger fewer snapshots are kept, the last always: see :mod:`tb_cnndiag.report.inlined`. The page says
    what was left out. Findings are judged anew, for the runs, faults, steps and limits of ``choice``.

    Raises:
        FileNotFoundError, NotADirectoryError: When the logdir is none.
        NoDataError: When it holds no diagnostics, or no run that was asked for.
        ReportError: When the frontend is not built, or nothing fits into ``max_size``.
        ValueError: When the choice names what does not exist.
    """
    chosen = choice or CheckSelection()
    chosen.check()
    if not SCRIPT.exists():
        raise ReportError("The frontend is not built. Reinstall: pip install --force-reinstall tb-cnndiag")
    # Neither may stand in a script element.
    script = SCRIPT.read_text(encoding="utf-8").replace("</script", "<\\/script").replace("<!--", "\\x3c!--")
    runs: list[tuple[History, tuple[Finding, ...]]] = []
    logs: list[Log] = []
    for name, directory in matching_runs(log_dir, chosen.runs).items():
        history, log = _read(directory, name, chosen)
        if history.info is None:
            continue
        findings = chosen.of(judge(history, chosen.limits))
        log.add(Measurement(FINDINGS, max(history.last_step, 0), max(history.snapshots - 1, 0), findings))
        runs.append((history, findings))
        logs.append(log)
    if not runs:
        raise NoDataError(no_data(log_dir))
    return _fitting_page(script, runs, logs, max_size)


def _read(directory: LogLocation, name: str, choice: CheckSelection) -> tuple[History, Log]:
    history, log = History(name), Log(name)
    for measurement in within(read_run(directory), choice.steps):
        history.add(measurement)
        if measurement.diagnostic != FINDINGS:  # those of the page are judged anew
            log.add(measurement)
    return history, log


def _fitting_page(
    script: str, runs: Sequence[tuple[History, tuple[Finding, ...]]], logs: Sequence[Log], max_size: float
) -> str:
    most = int(max_size * MEGABYTE)
    notes: tuple[str, ...] = ()
    static = _static(runs, tables=True)
    if len(static.encode()) > SHARE_OF_TABLES * most:
        static = _static(runs, tables=False)
        notes = ("The tables of numbers are left out of the plain text.",)
    # The frame and the notes take less than that.
    room = most - len(script.encode()) - len(static.encode()) - 5_000
    found = fitted(logs, room)
    if found is None:
        raise ReportError(f"Nothing fits into {max_size:g} MB. Allow more with --max-size, or choose runs with --run.")
    data, keep = found
    notes = left_out(logs, keep) + notes
    return _page(script, static, data, notes, max_size)


def _static(runs: Sequence[tuple[History, tuple[Finding, ...]]], *, tables: bool) -> str:
    sections = (section(history, findings, i, tables=tables) for i, (history, findings) in enumerate(runs))
    return contents(runs) + "".join(sections)


def _page(script: str, static: str, data: str, notes: Sequence[str], max_size: float) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    told = (
        f'<footer class="left-out"><p>To stay below {max_size:g} MB, this page holds fewer snapshots than the log. '
        f"{text(' '.join(notes))} For more: tb-cnndiag report --max-size.</p></footer>\n"
        if notes
        else ""
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>CNN Diagnostics</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<div id="cnndiag"><main class="static"><h1>CNN Diagnostics</h1>{static}</main></div>\n{told}'
        f'<script type="application/json" id="cnndiag-data">{data}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
