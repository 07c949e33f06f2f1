"""The outcome as workflow commands, which GitHub Actions shows as annotations."""

from __future__ import annotations

from tb_cnndiag.finding import Finding
from tb_cnndiag.report.outcome import Outcome, Result
from tb_cnndiag.report.text import adjustment_text, cause_of, plain, switched_off_text, unjudged_text

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(outcome: Outcome) -> str:
    """One command per finding, a line each; a known finding is a notice."""
    lines = [
        f"::error title={_property(f'Not judged ({result.label})')}::{_data(switched_off_text(result.switched_off))}\n"
        for result in outcome.results
        if result.switched_off is not None
    ]
    lines += [
        f"::error title={_property(f'Not judged ({result.label})')}::{_data(unjudged_text(each))}\n"
        for result in outcome.results
        for each in outcome.missing(result)
    ]
    return "".join([*lines, *(_command(outcome, result, finding) for result, finding in outcome)])


def _command(outcome: Outcome, result: Result, finding: Finding) -> str:
    known = outcome.status(result, finding) == "known"
    name = "notice" if known else _COMMANDS[finding.severity]
    title = f"{finding.title or finding.fault} ({result.label})"
    lines = [f"{'known: ' if known else ''}{finding.message}"]
    if finding.caused_by:
        lines.append(f"Because of: {cause_of(finding)}.")
    else:
        lines += [f"→ {adjustment_text(adjustment.layer or '', adjustment)}" for adjustment in finding.adjustments]
    return f"::{name} title={_property(title)}::{_data(chr(10).join(lines))}\n"


def _data(text: str) -> str:
    shown = "".join(c if c in "\r\n" else plain(c) for c in text)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
