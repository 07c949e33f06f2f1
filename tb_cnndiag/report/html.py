"""One self-contained page: the findings as plain HTML, and the frontend with the log inlined."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from tb_cnndiag.finding import Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judge import Limits, judge
from tb_cnndiag.logs import NoDataError, no_data
from tb_cnndiag.summaries import cnndiag_pb2 as pb
from tb_cnndiag.summaries.codec import Measurement, encode
from tb_cnndiag.summaries.names import run_id, split_tag, tag_of
from tb_cnndiag.summaries.reader import find_runs, read_run
from tb_cnndiag.summaries.thinning import thinned

SCRIPT = Path(__file__).parents[1] / "plugin" / "static" / "report.js"
MEGABYTE = 1_000_000
# How many looks of a layer's own pages, and of everything else, are kept: from all of them to fewer and fewer.
STEPS = tuple((1 << n, 1 << (n + 6)) for n in range(12, -1, -1))

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; }
#cnndiag > .static { max-width: 60rem; margin: 0 auto; padding: 1rem; }
.static article { border-left: 4px solid #8a4b00; padding: 0 1rem; margin: 1rem 0; }
.static article.error { border-color: #b3261e; }
.static table { border-collapse: collapse; }
.static th, .static td { text-align: left; padding: .15rem .8rem .15rem 0; }
@media print { .static article { break-inside: avoid; } }
"""


class ReportError(ValueError):
    """The report cannot be made; the message says why and what to do."""


def report(log_dir: Path, max_size: float = 5.0, limits: Limits | None = None) -> str:
    """The page as text, at most ``max_size`` MB.

    Of a log that is larger fewer looks are kept, evenly spaced, the last always: first of what a layer's own page
    shows, then of everything. The page says so.

    Raises:
        FileNotFoundError, NotADirectoryError: When the logdir is none.
        NoDataError: When it holds no diagnostics.
        ReportError: When the frontend is not built, or nothing fits into ``max_size``.
    """
    if not SCRIPT.exists():
        raise ReportError("The frontend is not built. Reinstall: pip install --force-reinstall tb-cnndiag")
    script = SCRIPT.read_text(encoding="utf-8").replace("</script", "<\\/script")
    histories: list[tuple[History, tuple[Finding, ...]]] = []
    logs: dict[str, dict[str, list[bytes]]] = {}
    for name, directory in find_runs(log_dir).items():
        measurements = list(read_run(directory))
        history = History.of(measurements, name)
        if history.info is not None:
            histories.append((history, judge(history, limits)))
            logs[name] = _by_tag(measurements)
    if not histories:
        raise NoDataError(no_data(log_dir))
    static = "".join(_run(history, findings) for history, findings in histories)
    room = int(max_size * MEGABYTE) - len(script.encode()) - len(static.encode()) - 20_000
    data, note = _fitted(logs, room)
    if data is None:
        raise ReportError(f"Nothing fits into {max_size:g} MB. Allow more with --max-size.")
    return _page(script, static, data, note)


def _by_tag(measurements: Iterable[Measurement]) -> dict[str, list[bytes]]:
    tags: dict[str, dict[int, bytes]] = {}
    for m in measurements:
        steps = tags.setdefault(tag_of(m.diagnostic, m.layer), {})
        for later in [step for step in steps if step >= m.step]:  # a restart, or the same step again
            del steps[later]
        steps[m.step] = encode(m)
    return {tag: list(steps.values()) for tag, steps in tags.items()}


def _fitted(logs: Mapping[str, Mapping[str, Sequence[bytes]]], room: int) -> tuple[str | None, str]:
    """(JSON that fits into ``room`` bytes, what was left out); None when nothing does."""
    for layer_looks, looks in STEPS:
        kept = {
            run: {tag: thinned(m, layer_looks if (split_tag(tag) or ("", ""))[1] else looks) for tag, m in tags.items()}
            for run, tags in logs.items()
        }
        text = json.dumps(_inlined(kept, logs)).replace("<", "\\u003c")
        if len(text.encode()) <= room:
            whole = all(len(kept[run][tag]) == len(m) for run, tags in logs.items() for tag, m in tags.items())
            note = (
                f"To stay small, at most {layer_looks} looks of each layer's charts are kept; the last is among them."
            )
            return text, "" if whole else note
    return None, ""


def _inlined(
    kept: Mapping[str, Mapping[str, Sequence[bytes]]], logs: Mapping[str, Mapping[str, Sequence[bytes]]]
) -> dict[str, Any]:
    runs, measurements = [], {}
    for run, tags in kept.items():
        listed = []
        for tag, messages in sorted(tags.items()):
            diagnostic, layer = split_tag(tag) or ("", "")
            step = pb.Measurement.FromString(messages[-1]).step
            listed.append({"tag": tag, "diagnostic": diagnostic, "layer": layer, "max_step": step})
            served = pb.MeasurementList(items=messages, total=len(logs[run][tag]))
            measurements[f"{run_id(run)}\n{tag}"] = base64.b64encode(served.SerializeToString()).decode()
        runs.append({"run": run, "id": run_id(run), "tags": listed})
    return {"runs": runs, "measurements": measurements}


def _page(script: str, static: str, data: str, note: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    told = f"<p>{escape(note)}</p>" if note else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>CNN diagnostics</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<div id="cnndiag"><main class="static"><h1>CNN diagnostics</h1>{told}{static}</main></div>\n'
        f'<script type="application/json" id="cnndiag-data">{data}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _run(history: History, findings: Sequence[Finding]) -> str:
    head = f"{len(history.layers)} layers, {history.looks} looks, to step {history.last_step}"
    body = "".join(map(_finding, findings)) or "<p>✓ Nothing found.</p>"
    return f"<section><h2>{escape(history.run)}</h2><p>{head}</p>{body}</section>"


def _finding(finding: Finding) -> str:
    cause = finding.caused_by
    because = f"<p>Because of: {escape(cause.title)} in {escape(cause.layer or 'the model')}</p>" if cause else ""
    rows = "".join(_row(name, evidence) for name, evidence in finding.evidence.items())
    changes = "".join(
        f"<li>{escape(f'{a.layer}: ' if a.layer else '')}{escape(a.parameter)}: {escape(a.current)} → "
        f"<b>{escape(a.proposed)}</b> ({escape(a.reason)})</li>"
        for a in finding.adjustments
    )
    what = f"<p>What to change:</p><ul>{changes}</ul>" if changes else ""
    return (
        f'<article class="{finding.severity}"><h3>{finding.severity}: {escape(finding.title)}'
        f"{escape(f' in {finding.layer}' if finding.layer else '')}</h3><p>{escape(finding.message)}</p>{because}"
        f"<table>{rows}</table>{what}</article>"
    )


def _row(name: str, evidence: Evidence) -> str:
    limit = "" if evidence.limit is None else f"limit {evidence.limit:g}"
    return (
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td>{evidence.value:.3g} {escape(evidence.unit)}</td>"
        f"<td>{limit}</td></tr>"
    )
