"""The runs of a log in plain HTML: what a reader without scripts sees, and what a search finds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from tb_cnndiag.finding import SEVERITIES, Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.payloads import ColumnInfo, DiagnosticInfo, RunInfo
from tb_cnndiag.report.groups import Group, evidence_text, grouped
from tb_cnndiag.report.text import cause_of, coverage_lines, plain
from tb_cnndiag.wording import number, plural


class Table(NamedTuple):
    """A table of numbers: the first cell of each row names it."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Run(NamedTuple):
    """What the page says of one run."""

    name: str
    title: str
    counts: str
    facts: dict[str, str]
    notes: Sequence[str]
    groups: Sequence[Group]
    coverage: Sequence[str]
    curves: Table
    layers: Table
    diagnostics: Sequence[Table]


def static_html(runs: Sequence[tuple[History, Verdict]], *, tables: bool) -> Markup:
    """Every run: what it is, its findings, and, with ``tables``, its numbers. Several runs get a list of links."""
    return Markup(template("static.html").render(runs=[_run(*run) for run in runs], tables=tables))


def template(name: str) -> Any:
    """A template whose values are escaped, and shown on one line without control characters."""
    environment = Environment(
        loader=PackageLoader("tb_cnndiag.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) or not isinstance(value, str) else plain(value),
    )
    environment.filters.update(cause=cause_of, evidence=evidence_text)
    return environment.get_template(name)


def counted(findings: Sequence[Finding]) -> str:
    """How many findings of each severity, in words."""
    counts = {level: sum(finding.severity == level for finding in findings) for level in reversed(SEVERITIES)}
    return ", ".join(plural(count, level) for level, count in counts.items() if count) or "nothing found"


def _run(history: History, judged: Verdict) -> Run:
    findings = judged.findings
    return Run(
        history.run,
        "This log directory" if history.run == "." else history.run,
        counted(findings),
        _facts(history),
        history.info.notes if history.info else (),
        grouped(findings),
        coverage_lines(judged.coverage),
        _curves(history),
        _layers(history),
        [table for table in _diagnostics(history) if table.rows],
    )


# What a log that is not of a training holds, by its origin.
STATES = {"audit": "a saved model", "preflight": "before training"}


def _facts(history: History) -> dict[str, str]:
    info = history.info or RunInfo("", ())
    recorded = STATES.get(info.origin, f"{plural(history.snapshots, 'snapshot')}, to step {history.last_step:,}")
    batch = f"batches of {info.batch_size:,}" if info.batch_size else ""
    facts = {
        "Model": f"{info.model}: {plural(len(history.layers), 'layer')} with kernels, "
        f"{plural(info.parameters, 'parameter')}",
        "Trained by": ", ".join(filter(None, (_class_name(info.optimizer), _class_name(info.loss), batch))),
        "Recorded": f"{recorded}, on {plural(info.probe.samples, 'sample')}" if info.probe.samples else recorded,
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(info.versions.items())),
    }
    return {name: words for name, words in facts.items() if words}


def _class_name(config: str) -> str:
    """The class that a serialized Keras object names; any other text as it is."""
    try:
        value = json.loads(config)
    except (ValueError, RecursionError):
        return config
    return str(value.get("class_name", "")) if isinstance(value, dict) else value if isinstance(value, str) else config


def _curves(history: History) -> Table:
    rows = []
    for name in history.scalar_names("training_curve"):
        _, values = history.scalars("training_curve", name)
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if finite.size else (np.nan, np.nan)
        rows.append([name, *map(_cell, (values[0], low, high, values[-1]))])
    return Table("Loss and metrics", ["", "first", "minimum", "maximum", "last"], rows)


def _layers(history: History) -> Table:
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
    return Table("Layers", ["layer", "class", "activation", "kernel", "units", "parameters"], rows)


def _diagnostics(history: History) -> Iterator[Table]:
    for diagnostic in history.info.diagnostics if history.info else ():
        yield _diagnostic(history, diagnostic)


def _diagnostic(history: History, diagnostic: DiagnosticInfo) -> Table:
    columns = [(column, history.series(diagnostic.name, column.name)) for column in diagnostic.columns]
    measured = [(column, series.values[-1]) for column, series in columns if len(series)]
    rows = [
        [layer.path, *(_cell(values[row], column.unit) for column, values in measured)]
        for row, layer in enumerate(history.layers)
        if any(np.isfinite(values[row]) for _, values in measured)
    ]
    heads = ["layer", *(_heading(column) for column, _ in measured)]
    return Table(f"{diagnostic.title}, last snapshot", heads, rows)


def _heading(column: ColumnInfo) -> str:
    return f"{column.title} ({column.unit})" if column.unit not in ("", "share", "count") else column.title


def _cell(value: float, unit: str = "") -> str:
    return "–" if np.isnan(value) else number(float(value), unit)
