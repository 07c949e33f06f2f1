"""The outcome as GitHub-flavored Markdown, short enough for the summary of a step."""

from __future__ import annotations

import re
from html import escape

from tb_cnndiag.report.groups import Group, evidence_text, grouped
from tb_cnndiag.report.outcome import Outcome, Result
from tb_cnndiag.report.text import cause_of, coverage_lines, plain, switched_off_text
from tb_cnndiag.wording import plural

# GitHub drops a step summary of more than 1,024 kB as a whole.
MOST_BYTES = 1_000_000
# Layers of one fault that are listed.
MOST_LISTED = 20
_MARKS = {"error": "❌", "warning": "⚠️", "info": "ℹ️"}
_SPECIAL = re.compile(r"([\\`*_\[\]{}()#|~!$])")


def render(outcome: Outcome) -> str:
    """Counts first, then each run with its findings; entries that do not fit are counted at the end."""
    parts = [_head(outcome)]
    room = MOST_BYTES - len(parts[0].encode()) - 200
    left_out = 0
    for result in outcome.results:
        groups = grouped(result.findings, lambda finding, result=result: outcome.status(result, finding))  # type: ignore[misc]
        for part in (_run(result), *(_entry(outcome, result, group) for group in groups)):
            size = len(part.encode())
            if left_out or size > room:
                left_out += 1
                continue
            parts.append(part)
            room -= size
    if left_out:
        parts.append(f"\n_… and {left_out:,} more entries, left out to stay below the limit of a step summary._\n")
    return "".join(parts)


def inline(text: str) -> str:
    """Text, escaped for Markdown and HTML."""
    safe = escape(_SPECIAL.sub(r"\\\1", plain(text)), quote=False)
    return safe.replace("://", "&#58;//").replace("@", "@<!-- -->").replace("www.", "www&#46;")


def code(text: str) -> str:
    """Text as code; it may hold backticks."""
    return f"<code>{inline(text)}</code>"


def _head(outcome: Outcome) -> str:
    mark, verdict = (
        ("❌", "failed") if outcome.failing else ("❌", "not judged") if outcome.unjudged else ("✅", "passed")
    )
    counts = [plural(count, level) for level, count in outcome.counts().items() if count]
    runs = plural(len(outcome.results), "run")
    lines = [f"## {mark} CNN diagnostics: {verdict}", f"{runs}, {', '.join(counts) or 'nothing found'}."]
    if outcome.baseline is not None:
        lines.append(f"Against{outcome.baseline_summary().removeprefix('against')}.")
        fixed = [
            f"- fixed: {code(_cut(key.fault))} in {code(_cut(key.layer or 'the model'))} of {code(_cut(key.run))}"
            for key in outcome.fixed[:100]
        ]
        lines += ["\n".join(fixed)] if fixed else []
    return "\n\n".join(lines) + "\n"


def _run(result: Result) -> str:
    healthy = "" if result.findings or result.switched_off else "\n✅ Nothing found.\n"
    if result.switched_off is not None:
        healthy = f"\n❌ Not judged to its end: {inline(_cut(switched_off_text(result.switched_off)))}\n"
    if lines := coverage_lines(result.coverage):
        healthy += f"\n{inline(lines[0])}\n" + "".join(f"\n- {inline(_cut(line.strip()))}" for line in lines[1:])
        healthy += "\n" if lines[1:] else ""
    healthy += "".join(f"\n_{inline(_cut(note))}_\n" for note in result.notes)
    recorded = (
        f"{plural(result.layers, 'layer')}, {plural(result.snapshots, 'snapshot')}, to step {result.last_step:,}."
    )
    return f"\n### {code(_cut(result.label))}\n\n{recorded}\n{healthy}"


def _entry(outcome: Outcome, result: Result, group: Group) -> str:
    known = " (known)" if outcome.status(result, group.first) == "known" else ""
    because = f" Because of: {inline(_cut(cause_of(group.first)))}." if group.caused_by else ""
    lines = [f"\n- {_MARKS[group.severity]} **{group.severity}**{known}: {inline(_cut(group.message))}{because}"]
    lines += [f"  - {inline(_cut(each))}" for each in group.listed(MOST_LISTED)]
    if group.caused_by is None and not known:
        lines += [f"  - {inline(_cut(evidence_text(name, *each)))}" for name, each in group.evidence.items()]
        lines += [
            f"  - change {code(_cut(f'{where}: ' if where else '') + _cut(a.parameter))}: "
            f"{inline(_cut(a.current))} → **{inline(_cut(a.proposed))}** ({inline(_cut(a.reason))})"
            for where, a in group.adjustments
        ]
    return "\n".join(lines) + "\n"


def _cut(text: str, most: int = 500) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
