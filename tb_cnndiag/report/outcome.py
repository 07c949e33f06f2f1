"""The outcome of a check: runs with their findings, which of them are known, and which fail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from tb_cnndiag.finding import SEVERITIES, Finding, Severity
from tb_cnndiag.history import History
from tb_cnndiag.judging.coverage import Coverage, Verdict, missing_of
from tb_cnndiag.judging.faults import BUILTIN, Fault
from tb_cnndiag.payloads import SwitchedOff

NEVER = "never"
# The lowest severity that fails a check.
FAIL_ON = (*reversed(SEVERITIES[1:]), NEVER)


@dataclass(frozen=True, order=True)
class Key:
    """Identifies a finding across checks."""

    run: str
    fault: str
    layer: str

    def fingerprint(self) -> str:
        """A short digest that is the same on every machine."""
        return hashlib.sha256(self._words()).hexdigest()[:32]

    def _words(self) -> bytes:
        return "\n".join((self.run, self.fault, self.layer)).encode(errors="surrogateescape")


@dataclass(frozen=True)
class Result:
    """One run and its findings, causes first.

    Attributes:
        logdir: As the user gave it.
        label: The run's name, unique in the check: with the logdir before it where several were given.
        notes: What was not recorded, and why.
        switched_off: When and why recording stopped early; such a run could not be judged to its end.
        coverage: How the judgment of each fault ended.
        origin: How the log was made: empty for a training.
    """

    logdir: str
    run: str
    label: str
    layers: int
    snapshots: int
    last_step: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    switched_off: SwitchedOff | None = None
    coverage: tuple[Coverage, ...] = ()
    origin: str = ""

    @classmethod
    def of(cls, history: History, judged: Verdict, logdir: str = "", label: str = "") -> Result:
        """The result of one judged history."""
        return cls(
            logdir,
            history.run,
            label or history.run,
            len(history.layers),
            history.snapshots,
            history.last_step,
            judged.findings,
            history.info.notes if history.info else (),
            history.info.switched_off if history.info else None,
            judged.coverage,
            history.info.origin if history.info else "",
        )

    def key(self, finding: Finding) -> Key:
        """Identifies a finding of this run across checks."""
        return Key(self.label, finding.fault, finding.layer or "")


@dataclass(frozen=True)
class Baseline:
    """Known findings with their severities: a finding that is known and no worse does not fail."""

    severities: dict[Key, Severity]

    def knows(self, key: Key, severity: Severity) -> bool:
        """Whether the finding is known and has not become worse."""
        known = self.severities.get(key)
        return known is not None and SEVERITIES.index(severity) <= SEVERITIES.index(known)


@dataclass(frozen=True)
class Outcome:
    """Everything that a check found. ``faults`` are those that it covered, ``required`` must have been judged."""

    results: tuple[Result, ...]
    fail_on: str = "error"
    faults: tuple[type[Fault], ...] = BUILTIN
    baseline: Baseline | None = None
    required: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[Result, Finding]]:
        """Every finding with its run."""
        for result in self.results:
            for finding in result.findings:
                yield result, finding

    def status(self, result: Result, finding: Finding) -> str | None:
        """``"new"`` or ``"known"``; None without a baseline."""
        if self.baseline is None:
            return None
        return "known" if self.baseline.knows(result.key(finding), finding.severity) else "new"

    def fails(self, result: Result, finding: Finding) -> bool:
        """Whether this finding makes the check fail."""
        if self.fail_on == NEVER or self.status(result, finding) == "known":
            return False
        return finding.rank() >= SEVERITIES.index(self.fail_on)

    @property
    def failing(self) -> tuple[tuple[Result, Finding], ...]:
        """The findings that make the check fail."""
        return tuple((result, finding) for result, finding in self if self.fails(result, finding))

    @property
    def unjudged(self) -> tuple[Result, ...]:
        """Runs that could not be judged: diagnostics were switched off, a rule crashed, or a required one is unknown.

        See :meth:`missing`.
        """
        return tuple(result for result in self.results if result.switched_off is not None or self.missing(result))

    def missing(self, result: Result) -> tuple[Coverage, ...]:
        """The faults whose judgment a run lacks: those that crashed, and required ones that are unknown."""
        return missing_of(result.coverage, self.required)

    @property
    def fixed(self) -> tuple[Key, ...]:
        """Known findings that are gone, among the runs and faults that the check covered."""
        if self.baseline is None:
            return ()
        found = {result.key(finding) for result, finding in self}
        return tuple(sorted(key for key in self.baseline.severities if self.covers(key) and key not in found))

    def covers(self, key: Key) -> bool:
        """Whether the check covered this run and this fault."""
        return any(result.label == key.run for result in self.results) and any(
            fault.id == key.fault for fault in self.faults
        )

    def counts(self) -> dict[Severity, int]:
        """How many findings of each severity, the gravest first."""
        return {level: sum(finding.severity == level for _, finding in self) for level in reversed(SEVERITIES)}

    def baseline_summary(self) -> str:
        """One line about new, known and fixed findings; empty without a baseline."""
        if self.baseline is None:
            return ""
        known = sum(self.status(result, finding) == "known" for result, finding in self)
        total = sum(1 for _ in self)
        return f"against the baseline: {total - known} new, {known} known, {len(self.fixed)} fixed"
