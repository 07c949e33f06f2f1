"""A run in plain HTML: what a reader without scripts sees, and what a search finds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from tb_cnndiag.finding import SEVERITIES, Evidence, Finding
from tb_cnndiag.history import History
from tb_cnndiag.payloads import ColumnInfo, DiagnosticInfo, RunInfo
from tb_cnndiag.report.text import cause_of, plain

STYLE = """
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; }
:root:has(.static) { color-scheme: light dark; }
:root:has(.static) body { background: Canvas; color: CanvasText; }
.static { max-width: 68rem; margin: 0 auto; padding: 0 1rem 2rem; }
.static h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886; overflow-wrap: anywhere; }
.static h3 { margin: .6rem 0 .2rem; }
.static article { border-left: 4px solid #1f5fae; padding: .1rem 1rem; margin: 1rem 0; }
.static article.warning { border-color: #8a5200; }
.static article.error { border-color: #b3261e; }
.static article.effect { margin-left: 2rem; }
.static article p, .static li, .static dd { margin: .2rem 0; overflow-wrap: anywhere; }
.static dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .6rem 0; }
.static dd { margin: 0; }
.static dt { font-weight: 600; }
.static .wide { overflow-x: auto; }
.static table { border-collapse: collapse; margin: .4rem 0; font-variant-numeric: tabular-nums; }
.static caption { text-align: left; font-weight: 600; padding: .3rem 0; }
.static th, .static td { text-align: left; padding: .15rem .9rem .15rem 0; vertical-align: top; font-weight: 400; }
.static thead th { font-weight: 600; border-bottom: 1px solid #8886; }
.static td.number, .static th.number { text-align: right; }
.left-out { max-width: 68rem; margin: 0 auto; padding: .5rem 1rem 4.5rem; font-size: 12px; }
.static summary { cursor: pointer; padding: .4rem 0; font-weight: 600; }
@media print {
  #cnndiag * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  #cnndiag figure, #cnndiag .figure { break-inside: avoid; }
  .static details::details-content, .finding details::details-content { content-visibility: visible; block-size: auto; }
  .static article, .static tr { break-inside: avoid; }
  .static .wide { overflow: visible; }
  .static table { font-size: 11px; }
}
"""


def contents(runs: Sequence[tuple[History, Sequence[Finding]]]) -> str:
    """How each run is, with links to them; the empty text for a single one."""
    if len(runs) < 2:
        return ""
    rows = "".join(
        f'<li><a href="#run-{number}"><bdi>{text(history.run)}</bdi></a>: {counted(findings)}</li>'
        for number, (history, findings) in enumerate(runs)
    )
    return f'<nav aria-label="Runs"><ul>{rows}</ul></nav>'


def counted(findings: Sequence[Finding]) -> str:
    """How many findings of each severity, in words."""
    counts = {level: sum(finding.severity == level for finding in findings) for level in reversed(SEVERITIES)}
    told = [f"{count:,} {level}{'s' * (count != 1)}" for level, count in counts.items() if count]
    return ", ".join(told) or "nothing found"


def section(history: History, findings: Sequence[Finding], number: int = 0, *, tables: bool = True) -> str:
    """One run: what it is, its findings, and its numbers in tables."""
    name = "This log directory" if history.run == "." else history.run
    body = "".join(map(_finding, findings)) or "<p>✓ Nothing found.</p>"
    numbers = _curves(history) + _layers(history) + _folded(_diagnostics(history)) if tables else ""
    return f'<section><h2 id="run-{number}"><bdi>{text(name)}</bdi></h2>{_facts(history)}{body}{numbers}</section>\n'


def text(words: str) -> str:
    """Words that HTML takes as just that, on one line."""
    return escape(plain(words))


def _facts(history: History) -> str:
    info = history.info or RunInfo("", ())
    observed = f"{history.snapshots:,} snapshots, to step {history.last_step:,}"
    facts = {
        "Model": f"{info.model}: {len(history.layers):,} layers with kernels, {info.parameters:,} parameters",
        "Trained by": ", ".join(filter(None, (_class_name(info.optimizer), _class_name(info.loss), _batch(info)))),
        "Looked at": f"{observed}, on {info.probe.samples:,} samples" if info.probe.samples else observed,
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(info.versions.items())),
    }
    rows = "".join(f"<dt>{name}</dt><dd>{text(words)}</dd>" for name, words in facts.items() if words)
    notes = "".join(f"<p>{text(note)}</p>" for note in info.notes)
    return f"<dl>{rows}</dl>{notes}"


def _class_name(config: str) -> str:
    """Of what Keras serialized, the name; other text as it is."""
    try:
        told = json.loads(config)
    except (ValueError, RecursionError):
        return config
    return str(told.get("class_name", "")) if isinstance(told, dict) else told if isinstance(told, str) else config


def _batch(info: RunInfo) -> str:
    return f"batches of {info.batch_size:,}" if info.batch_size else ""


def _finding(finding: Finding) -> str:
    because = f"<p>Because of: <bdi>{text(cause_of(finding))}</bdi></p>" if finding.caused_by else ""
    rows = "".join(_evidence(name, evidence) for name, evidence in finding.evidence.items())
    evidence = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    changes = "".join(
        f"<li><bdi>{text(f'{a.layer}: ' if a.layer else '')}{text(a.parameter)}</bdi>: {text(a.current)} → "
        f"<b>{text(a.proposed)}</b> ({text(a.reason)})</li>"
        for a in finding.adjustments
    )
    what = f"<p>What to change:</p><ul>{changes}</ul>" if changes else ""
    where = f" in <bdi>{text(finding.layer)}</bdi>" if finding.layer else ""
    steps = f"<p>Steps {finding.first_step:,} to {finding.last_step:,}</p>"
    return (
        f'<article class="{finding.severity}{" effect" if finding.caused_by else ""}"><h3>{finding.severity}: '
        f"{text(finding.title or finding.fault)}{where}</h3><p>{text(finding.message)}</p>{because}{evidence}{steps}"
        f"{what}</article>\n"
    )


def _evidence(name: str, evidence: Evidence) -> str:
    limit = "" if evidence.limit is None else f"limit {_with_unit(evidence.limit, evidence.unit)}"
    value = _with_unit(evidence.value, evidence.unit)
    return f'<tr><th scope="row">{text(name.replace("_", " "))}</th><td>{text(value)}</td><td>{text(limit)}</td></tr>'


def _with_unit(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.3g} %"
    return f"{value:,.10g}" if unit == "count" else f"{value:.3g} {unit}"


def _folded(tables: Iterator[str]) -> str:
    inside = "".join(tables)
    return f"<details><summary>What was measured in each layer</summary>{inside}</details>\n" if inside else ""


def _curves(history: History) -> str:
    rows = []
    for name in history.scalar_names("training_curve"):
        _, values = history.scalars("training_curve", name)
        finite = values[np.isfinite(values)]
        least, most = (finite.min(), finite.max()) if finite.size else (np.nan, np.nan)
        rows.append([name, *map(_number, (values[0], least, most, values[-1]))])
    return _table("Loss and metrics", ["", "first", "least", "most", "last"], rows)


def _layers(history: History) -> str:
    rows = [
        [
            layer.path,
            layer.class_name,
            layer.activation,
            " × ".join(map(str, layer.kernel_shape)),
            f"{layer.units:,}",
            f"{layer.parameters:,}",
        ]
        for layer in history.layers
    ]
    return _table("Layers", ["layer", "class", "activation", "kernel", "units", "parameters"], rows, numbers=4)


def _diagnostics(history: History) -> Iterator[str]:
    for diagnostic in history.info.diagnostics if history.info else ():
        yield _diagnostic(history, diagnostic)


def _diagnostic(history: History, diagnostic: DiagnosticInfo) -> str:
    found = [(column, history.series(diagnostic.name, column.name)) for column in diagnostic.columns]
    measured = [(column, series.values[-1]) for column, series in found if len(series)]
    rows = [
        [layer.path, *(_number(values[row]) for _, values in measured)]
        for row, layer in enumerate(history.layers)
        if any(np.isfinite(values[row]) for _, values in measured)
    ]
    return _table(f"{diagnostic.title}, last snapshot", ["layer", *(_heading(column) for column, _ in measured)], rows)


def _heading(column: ColumnInfo) -> str:
    return f"{column.title} ({column.unit})" if column.unit else column.title


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4g}"


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 1) -> str:
    """A table whose cells from column ``numbers`` on are numbers; nothing without rows."""
    if not rows:
        return ""

    def kind(index: int) -> str:
        return ' class="number"' if index >= numbers else ""

    top = "".join(
        f'<th scope="col"{kind(i)}>{text(head)}</th>' if head else "<td></td>" for i, head in enumerate(heads)
    )
    body = "".join(
        f'<tr><th scope="row"><bdi>{text(row[0])}</bdi></th>'
        + "".join(f"<td{kind(i)}>{text(cell)}</td>" for i, cell in enumerate(row[1:], 1))
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{text(caption)}"><table><caption>{text(caption)}'
        f"</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>\n"
    )
