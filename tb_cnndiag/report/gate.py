"""Judges logs for a pipeline: which runs, which faults, and which findings fail."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Verdict
from tb_cnndiag.judging.faults import Fault, available
from tb_cnndiag.judging.judge import Limits, check_limits, nearest, verdict
from tb_cnndiag.logs import Steps, histories
from tb_cnndiag.report.baseline import load_baseline
from tb_cnndiag.report.outcome import FAIL_ON, Baseline, Outcome, Result
from tb_cnndiag.report.text import as_text
from tb_cnndiag.summaries.storage import below


@dataclass(frozen=True)
class CheckSelection:
    """Which runs, steps and faults a check covers.

    Attributes:
        limits: Thresholds to change, by fault and name.
        select: Faults to report; empty: all.
        ignore: Faults to leave out.
        runs: Shell patterns of run names; empty: all.
        steps: First and last step.
        require: Faults that must have been judged: a run in which one is unknown could not be judged.
    """

    limits: Limits = field(default_factory=dict)
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    runs: Sequence[str] = ()
    steps: Steps = (None, None)
    require: Sequence[str] = ()

    def check(self) -> None:
        """Raise ValueError for a fault or threshold that does not exist; suggest the nearest name."""
        check_limits(self.limits)
        known = {fault.id: fault for fault in available()}
        for name in (*self.select, *self.ignore, *self.require):
            if name not in known:
                raise ValueError(f"There is no fault {name!r}.{nearest(name, known)} Faults are: {', '.join(known)}.")

    def faults(self) -> tuple[type[Fault], ...]:
        """The faults to report."""
        chosen = [fault for fault in available() if not self.select or fault.id in self.select]
        return tuple(fault for fault in chosen if fault.id not in self.ignore)

    def of(self, history: History) -> Verdict:
        """The judgment of a run by the selected faults. Causes are found among all findings."""
        wanted = {fault.id for fault in self.faults()}
        judged = verdict(history, self.limits, ignored={fault.id for fault in available()} - wanted)
        return Verdict(
            tuple(finding for finding in judged.findings if finding.fault in wanted),
            tuple(each for each in judged.coverage if each.fault in wanted),
        )


def judge_logs(
    logdirs: Sequence[str | os.PathLike[str]],
    fail_on: str = "error",
    choice: CheckSelection | None = None,
    baseline: Baseline | None = None,
) -> Outcome:
    """Judge every selected run of the logdirs, one at a time.

    Raises:
        FileNotFoundError, NotADirectoryError: If a logdir does not exist or is not a directory.
        NoDataError: If a logdir holds no diagnostics, or none of the selected runs.
        ValueError: If the selection names a fault or threshold that does not exist.
    """
    chosen = choice or CheckSelection()
    chosen.check()
    if fail_on not in FAIL_ON:
        raise ValueError(f"fail_on is {fail_on!r}; allowed: {', '.join(FAIL_ON)}.")
    results = []
    for logdir in logdirs:
        for history in histories(logdir, chosen.runs, chosen.steps):
            label = history.run if len(logdirs) == 1 else below(logdir, history.run)
            results.append(Result.of(history, chosen.of(history), os.fspath(logdir), label))
    return Outcome(tuple(results), fail_on, chosen.faults(), baseline, tuple(chosen.require))


def assert_healthy(
    log_dir: str | os.PathLike[str],
    fail_on: str = "error",
    *,
    limits: Limits | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    runs: Sequence[str] = (),
    baseline: str | os.PathLike[str] | None = None,
    require: Sequence[str] = (),
    allow_unjudged: bool = False,
) -> None:
    """Fail a test if a run below a logdir is faulty; the message lists each such run with its findings.

    Args:
        log_dir: As given to ``CNNDiagnostics``, or a directory above.
        fail_on: ``"error"`` or ``"warning"``: the lowest severity that fails.
        limits: Thresholds to change, by fault and name.
        select: Ids of the faults to report; empty: all.
        ignore: Ids of faults to leave out.
        runs: Shell patterns of the runs to judge; empty: all.
        baseline: A file of known findings, as ``tb-cnndiag check --update-baseline`` writes it.
        require: Ids of faults that must have been judged.
        allow_unjudged: Pass although a run could not be judged.

    Raises:
        AssertionError: If a finding fails, or a run could not be judged: diagnostics were switched off, a rule crashed,
            or a required fault is unknown.
        FileNotFoundError, NotADirectoryError: If the logdir does not exist or is not a directory.
        NoDataError: If it holds no diagnostics.
        ValueError: If an argument names a fault or threshold that does not exist.
    """
    __tracebackhide__ = True
    known = load_baseline(Path(baseline)) if baseline is not None else None
    outcome = judge_logs([log_dir], fail_on, CheckSelection(limits or {}, select, ignore, runs, require=require), known)
    failing = outcome.failing
    if outcome.unjudged and not failing and not allow_unjudged:
        details = "\n".join(as_text(result, outcome) for result in outcome.unjudged)
        raise AssertionError(f"{os.fspath(log_dir)} could not be judged:\n{details}")
    if failing:
        faulty = {result.label: result for result, _ in failing}
        count = f"{len(failing)} finding{'s' if len(failing) > 1 else ''}"
        details = "\n".join(as_text(result, outcome) for result in faulty.values())
        raise AssertionError(f"{count} in {os.fspath(log_dir)} at or above {fail_on}:\n{details}")
