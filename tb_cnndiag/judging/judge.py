"""Judges a history: the faults found, causes first, and how the judgment of each fault ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from tb_cnndiag.finding import Finding, Findings
from tb_cnndiag.history import History
from tb_cnndiag.judging.causes import Ways, explained, graph, with_causes
from tb_cnndiag.judging.coverage import Coverage, Verdict
from tb_cnndiag.judging.faults import Fault, available
from tb_cnndiag.judging.faults.base import Judged
from tb_cnndiag.judging.faults.before_training import FoundBefore
from tb_cnndiag.judging.signals.base import Signals
from tb_cnndiag.judging.signals.before_training import stored
from tb_cnndiag.judging.thresholds import SHARED, SHARED_ID
from tb_cnndiag.warning import warn

Limits = Mapping[str, Mapping[str, float]]
# Why faults of trainings do not apply to other runs, by their origin.
UNTRAINED = {"audit": "a saved model is not trained here", "preflight": "the training has not begun"}
# Former names of thresholds, which configurations may still use. Each applies to the faults that have the present name.
ALIASES = {
    "snapshots": "epochs",
    "looks": "epochs",
    "maimed": "died_after_large_updates",
    "maimed_loss": "harmless_loss",
}


def judge(
    history: History, limits: Limits | None = None, faults: Sequence[type[Fault]] | None = None
) -> tuple[Finding, ...]:
    """All findings of one run: causes first, then by severity, then by depth. See :func:`verdict`."""
    return verdict(history, limits, faults).findings


def verdict(
    history: History,
    limits: Limits | None = None,
    faults: Sequence[type[Fault]] | None = None,
    ignored: Collection[str] = (),
) -> Verdict:
    """The judgment of one run.

    Args:
        history: The run.
        limits: Thresholds to change, by fault and name; those of ``"shared"`` in all faults that have them.
        faults: The faults to judge, by default all available ones.
        ignored: Faults that leave no other finding out: they are not reported, so what they explain is.

    Raises:
        ValueError: If ``limits`` names a fault or threshold that does not exist.
    """
    changed = limits or {}
    faults = available() if faults is None else faults
    check_limits(changed, faults)
    signals = Signals(history)
    origin = history.info.origin if history.info else ""
    checked = bool(stored(signals).coverage)
    ended = {
        kind.id: _judged(kind, signals, changed.get(kind.id, {}), changed.get(SHARED_ID, {}))
        if not (origin and kind.of_trainings)
        else Judged((), "not_applicable", UNTRAINED.get(origin, ""))
        for kind in faults
        if (origin == "audit" or not kind.of_audits) and (checked or not issubclass(kind, FoundBefore))
    }
    _add_stored(ended, stored(signals), history.run)
    left_out = {
        explained_away: cause
        for cause, judged in ended.items()
        if cause not in ignored
        for explained_away in judged.instead_of
    }
    found = [finding for fault, judged in ended.items() if fault not in left_out for finding in judged.findings]
    coverage = tuple(
        Coverage(history.run, fault, judged.status, judged.reason)
        if fault not in left_out
        else Coverage(history.run, fault, "clear", f"explained by {left_out[fault]}")
        for fault, judged in ended.items()
    )
    ways = Ways(history.layers, history.info.model if history.info else "")
    causes = graph({kind.id: kind.follows for kind in faults})
    for fault, judged in ended.items():
        causes = with_causes(causes, fault, judged.causes)
    return Verdict(explained(found, causes, ways), coverage)


def _add_stored(ended: dict[str, Judged], found: Findings, run: str) -> None:
    """Add what preflight found to the faults that a training judges, too; a finding of the training itself counts."""
    known_before = {each.fault: each for each in found.coverage}
    for fault, judged in ended.items():
        before = known_before.get(fault)
        if before is not None and not judged.findings and judged.reason == UNTRAINED["preflight"]:
            ended[fault] = judged = Judged((), before.status, before.reason)
        known = {finding.layer for finding in judged.findings}
        more = tuple(
            replace(finding, run=run)
            for finding in found
            if finding.fault == fault and finding.layer not in known and None not in known
        )
        if more and judged.status != "crashed":
            ended[fault] = replace(judged, findings=(*judged.findings, *more), status="found", reason="")


def _judged(kind: type[Fault], signals: Signals, changed: Mapping[str, float], shared: Mapping[str, float]) -> Judged:
    try:
        fault = kind()
        values = {name: shared.get(limit.concept, limit.value) for name, limit in fault.limits.items()}
        for name, value in changed.items():
            present = threshold(kind, name)
            if present is not None:
                values[present] = value
        return fault.judge(signals, values)
    except Exception as error:  # one failing fault, perhaps a custom one, must not hide the others
        reason = f"{type(error).__name__}: {error}"
        warn(f"The fault {kind.id!r} could not be judged ({reason}).")
        return Judged((), "crashed", reason)


def check_limits(limits: Limits, faults: Sequence[type[Fault]] | None = None) -> None:
    """Raise ValueError for a fault or threshold that does not exist, suggesting the nearest; warn of a former one."""
    known = {kind.id: kind for kind in (available() if faults is None else faults)}
    for name, values in limits.items():
        if name == SHARED_ID:
            _check_shared(values)
            continue
        if name not in known:
            raise ValueError(f"There is no fault {name!r}.{nearest(name, known)} Faults are: {', '.join(known)}.")
        kind = known[name]
        for key in values:
            if kind.former.get(key, key) is None:
                warn(f"{name} no longer has a limit {key!r}: it changes nothing.")
            elif threshold(kind, key) not in kind.limits:
                names = dict.fromkeys([*kind.limits, *(old for old, new in ALIASES.items() if new in kind.limits)])
                raise ValueError(f"{name} has no limit {key!r}.{nearest(key, names)} It has: {', '.join(kind.limits)}.")


def _check_shared(values: Mapping[str, float]) -> None:
    for key in values:
        if key not in SHARED:
            raise ValueError(f"There is no shared limit {key!r}.{nearest(key, SHARED)} They are: {', '.join(SHARED)}.")


def threshold(kind: type[Fault], name: str) -> str | None:
    """The present name of a threshold; None if it no longer exists."""
    if name in kind.limits:
        return name
    return kind.former[name] if name in kind.former else ALIASES.get(name, name)


def nearest(name: str, known: Mapping[str, object]) -> str:
    """`` Did you mean …?``, or nothing."""
    near = get_close_matches(name, known, 1)
    return f" Did you mean {near[0]!r}?" if near else ""
