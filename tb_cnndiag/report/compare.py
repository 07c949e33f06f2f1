"""Compares two logdirs: findings that are new in the second, and measures that changed by more than a bound."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tb_cnndiag.finding import SEVERITIES, Evidence, Finding, Severity
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.faults import Fault
from tb_cnndiag.judging.judge import nearest
from tb_cnndiag.logs import histories
from tb_cnndiag.report.gate import CheckSelection
from tb_cnndiag.report.outcome import Baseline, Key, Outcome, Result
from tb_cnndiag.wording import labeled

CURVES = "training_curve"


@dataclass(frozen=True)
class Bound:
    """How far a measure may rise (``sign`` 1) or fall (-1). ``name`` is a column, or ``diagnostic.column``."""

    name: str
    most: float
    sign: int = 1


class _Regression(Fault):
    """A measure that changed by more than its bound, as a finding, so that every format can report it."""

    what = "A measure changed by more than its bound, compared with the base."
    why = "The model got worse, although it may still be within the thresholds of every fault."
    advice = "Compare the two runs in the tab, layer by layer. Then check what was changed between them."
    source = "The bound given on the command line or in pyproject.toml."


def compare(
    base: str | os.PathLike[str],
    head: str | os.PathLike[str],
    bounds: Sequence[Bound] = (),
    fail_on: str = "error",
    choice: CheckSelection | None = None,
) -> Outcome:
    """The findings of ``head``, those of ``base`` as known ones, and a finding for each measure beyond its bound.

    Runs are matched by name; if both logdirs hold one run, these two are matched. All findings of a run that ``base``
    does not have are new.

    Raises:
        FileNotFoundError, NotADirectoryError: If a logdir does not exist or is not a directory.
        NoDataError: If a logdir holds no diagnostics, or none of the selected runs.
        ValueError: If the selection or a bound names something that does not exist.
    """
    chosen = choice or CheckSelection()
    chosen.check()
    before = {history.run: history for history in histories(base, chosen.runs, chosen.steps)}
    after = list(histories(head, chosen.runs, chosen.steps))
    if len(before) == len(after) == 1:
        before = {after[0].run: next(iter(before.values()))}
    _check(bounds, [*before.values(), *after])
    known: dict[Key, Severity] = {}
    results = []
    for history in after:
        old = before.get(history.run)
        moved: list[Finding] = []
        if old is not None:
            for finding in chosen.of(old).findings:
                key = Key(history.run, finding.fault, finding.layer or "")
                known[key] = max(known.get(key, finding.severity), finding.severity, key=SEVERITIES.index)
            moved = [finding for bound in bounds for finding in _moved(old, history, bound)]
        judged = chosen.of(history)
        results.append(Result.of(history, Verdict((*moved, *judged.findings), judged.coverage), os.fspath(head)))
    rules = {finding.fault: _rule(finding) for result in results for finding in result.findings}
    kinds = tuple(rule for name, rule in rules.items() if name not in {fault.id for fault in chosen.faults()})
    return Outcome(tuple(results), fail_on, (*chosen.faults(), *kinds), Baseline(known), tuple(chosen.require))


def _rule(finding: Finding) -> type[Fault]:
    return type(
        "Regression", (_Regression,), {"id": finding.fault, "title": finding.title, "diagnostic": finding.diagnostic}
    )


def _measures(history: History, name: str = "") -> Iterator[tuple[str, str, str]]:
    """(diagnostic, column, unit) of every measure that can be bounded, or of those that a bound names."""
    for diagnostic in history.info.diagnostics if history.info else ():
        for column in diagnostic.columns:
            if name in ("", column.name, f"{diagnostic.name}.{column.name}"):
                yield diagnostic.name, column.name, column.unit
    for column_name in history.scalar_names(CURVES):
        if name in ("", column_name, f"{CURVES}.{column_name}"):
            yield CURVES, column_name, ""


def _check(bounds: Sequence[Bound], all_runs: Sequence[History]) -> None:
    known = {column: None for history in all_runs for _, column, _ in _measures(history)}
    for bound in bounds:
        if not any(True for history in all_runs for _ in _measures(history, bound.name)):
            raise ValueError(
                f"There is no measure {bound.name!r}.{nearest(bound.name, known)} Measures are: {', '.join(known)}."
            )


def _last(history: History, diagnostic: str, column: str) -> dict[str | None, float]:
    """The last value of each layer; that of the whole model is under None."""
    if diagnostic == CURVES:
        _, values = history.scalars(CURVES, column)
        return {None: float(values[-1])} if values.size else {}
    series = history.series(diagnostic, column)
    found: dict[str | None, float] = {}
    for row, layer in enumerate(history.layers):
        measured = series.values[~np.isnan(series.values[:, row]), row] if len(series) else np.empty(0)
        if measured.size:
            found[layer.path] = float(measured[-1])
    return found


def _moved(old: History, new: History, bound: Bound) -> Iterator[Finding]:
    """A finding for each layer of both runs in which a measure moved by more than its bound."""
    way = "increase" if bound.sign > 0 else "decrease"
    for diagnostic, column, unit in _measures(new, bound.name):
        before, after = _last(old, diagnostic, column), _last(new, diagnostic, column)
        for layer in [layer for layer in after if layer in before]:
            step = bound.sign * (after[layer] - before[layer])
            # A value that became NaN exceeds every bound.
            if step <= bound.most or (np.isnan(step) and np.isnan(before[layer])):
                continue
            words = column.replace("_", " ")
            evidence = {way: Evidence(step, bound.most, unit)}
            yield replace(
                _finding(new, f"{diagnostic}_{column}_{way}", layer, diagnostic),
                title=f"{words[:1].upper()}{words[1:]}: {way}",
                message=f"{words[:1].upper()}{words[1:]} of {layer or 'the model'} went from "
                f"{labeled(before[layer], unit)} to {labeled(after[layer], unit)}. The largest allowed {way} is "
                f"{labeled(bound.most, unit)}.",
                evidence=evidence
                | {"base": Evidence(before[layer], None, unit), "head": Evidence(after[layer], None, unit)},
            )


def _finding(history: History, fault: str, layer: str | None, diagnostic: str) -> Finding:
    return Finding(history.run, fault, layer, "error", history.last_step, history.last_step, "", diagnostic=diagnostic)
