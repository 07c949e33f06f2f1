"""One self-contained page: the findings as plain HTML, and the frontend with the log inlined."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from tb_cnndiag.finding import Findings
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.logs import NoDataError, matching_runs, no_data, within
from tb_cnndiag.report.gate import CheckSelection
from tb_cnndiag.report.inlined import Log, fitted, left_out
from tb_cnndiag.report.pictured_units import PicturedUnits
from tb_cnndiag.report.static import static_html, template
from tb_cnndiag.summaries.codec import Measurement
from tb_cnndiag.summaries.names import FINDINGS
from tb_cnndiag.summaries.reader import read_run
from tb_cnndiag.summaries.storage import LogLocation

SCRIPT = Path(__file__).parents[1] / "plugin" / "static" / "report.js"
MEGABYTE = 1_000_000
# Tables of numbers may take this share of the page; above it they are left out, since the charts show the numbers too.
SHARE_OF_TABLES = 0.3
# The images of the probe may take this share; above it they are stored smaller.
SHARE_OF_IMAGES = 0.3


class ReportError(ValueError):
    """The report cannot be made; the message says why and what to do."""


def report(log_dir: str | os.PathLike[str], max_size: float = 5.0, choice: CheckSelection | None = None) -> str:
    """The page as text, at most ``max_size`` MB.

    If the log is larger, fewer snapshots are kept, always with the last, then pictures of fewer units: see
    :mod:`tb_cnndiag.report.inlined`. The page says what was left out. Findings are judged anew, for the selected runs,
    faults, steps and thresholds.

    Raises:
        FileNotFoundError, NotADirectoryError: If the logdir does not exist or is not a directory.
        NoDataError: If it holds no diagnostics, or none of the selected runs.
        ReportError: If the frontend is not built, or nothing fits into ``max_size``.
        ValueError: If the selection names a fault or threshold that does not exist.
    """
    chosen = choice or CheckSelection()
    chosen.check()
    if not SCRIPT.exists():
        raise ReportError("The frontend is not built. Reinstall: pip install --force-reinstall tb-cnndiag")
    # Neither sequence may occur in a script element.
    script = SCRIPT.read_text(encoding="utf-8").replace("</script", "<\\/script").replace("<!--", "\\x3c!--")
    runs: list[tuple[History, Verdict]] = []
    logs: list[Log] = []
    for name, directory in matching_runs(log_dir, chosen.runs).items():
        history, log = _read(directory, name, chosen)
        if history.info is None:
            continue
        judged = chosen.of(history)
        log.add(Measurement(FINDINGS, max(history.last_step, 0), max(history.snapshots - 1, 0), _with_coverage(judged)))
        runs.append((history, judged))
        logs.append(log)
    if not runs:
        raise NoDataError(no_data(log_dir))
    return _fitting_page(script, runs, logs, max_size)


def _with_coverage(judged: Verdict) -> Findings:
    return Findings.of(judged.findings, judged.coverage)


def _read(directory: LogLocation, name: str, choice: CheckSelection) -> tuple[History, Log]:
    history, log = History(name), Log(name)
    for measurement in within(read_run(directory), choice.steps):
        history.add(measurement)
        if measurement.diagnostic != FINDINGS:  # the findings of the page are judged anew
            log.add(measurement)
    return history, log


def _fitting_page(script: str, runs: Sequence[tuple[History, Verdict]], logs: Sequence[Log], max_size: float) -> str:
    most = int(max_size * MEGABYTE)
    notes: tuple[str, ...] = ()
    static = static_html(runs, tables=True)
    if len(static.encode()) > SHARE_OF_TABLES * most:
        static = static_html(runs, tables=False)
        notes = ("The tables of numbers are left out of the plain text.",)
    # 5 kB are more than the frame and the notes take.
    room = most - len(script.encode()) - len(static.encode()) - 5_000
    for log in logs:
        log.shrink_atlases(int(SHARE_OF_IMAGES * room * 3 / 4) // len(logs))  # base64 is a third longer
    shown = {key: units for log in logs for key, units in log.pictured().items()}
    pictured = PicturedUnits.of([(history, judged.findings) for history, judged in runs], shown)
    found = fitted(logs, room, pictured)
    if found is None:
        raise ReportError(f"Nothing fits into {max_size:g} MB. Allow more with --max-size, or choose runs with --run.")
    data, keep = found
    notes = left_out(logs, keep, pictured) + notes
    return _page(script, static, data, notes, max_size)


def _page(script: str, static: str, data: str, notes: Sequence[str], max_size: float) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = template("page.html").render(
        policy=policy, static=static, data=data, script=script, notes=notes, max_size=f"{max_size:g}"
    )
    return f"{page}\n"
