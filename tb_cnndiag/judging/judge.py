"""Judges a history: the faults found, causes first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from tb_cnndiag.finding import Finding
from tb_cnndiag.history import History
from tb_cnndiag.judging.faults import Fault, available
from tb_cnndiag.warning import warn

Limits = Mapping[str, Mapping[str, float]]
# Former names of thresholds, which configurations may still use. Each applies to the faults that have the present name.
ALIASES = {"looks": "snapshots", "maimed": "died_after_large_updates", "maimed_loss": "harmless_loss"}


def judge(
    history: History, limits: Limits | None = None, faults: Sequence[type[Fault]] | None = None
) -> tuple[Finding, ...]:
    """All findings of one run: causes first, then by severity, then by depth.

    ``limits`` changes thresholds, by fault and name; ``faults`` are the faults to judge, by default all available ones.

    Raises:
        ValueError: If ``limits`` names a fault or threshold that does not exist.
    """
    changed = limits or {}
    faults = available() if faults is None else faults
    check_limits(changed, faults)
    found: list[Finding] = []
    for kind in faults:
        fault = kind()
        values = {name: limit.value for name, limit in fault.limits.items()}
        values |= {_threshold(kind, name): value for name, value in changed.get(fault.id, {}).items()}
        try:
            found += list(fault.judge(history, values))
        except Exception as error:  # one failing fault, perhaps a custom one, must not hide the others
            warn(f"The fault {fault.id!r} could not be judged ({type(error).__name__}: {error}) and is skipped.")
    depth = {layer.path: row for row, layer in enumerate(history.layers)}
    return _ordered(_with_causes(found, {kind.id: kind.follows for kind in faults}, depth), depth)


def check_limits(limits: Limits, faults: Sequence[type[Fault]] | None = None) -> None:
    """Raise ValueError for a fault or threshold that does not exist, suggesting the nearest."""
    known = {kind.id: kind for kind in (available() if faults is None else faults)}
    for name, values in limits.items():
        if name not in known:
            raise ValueError(f"There is no fault {name!r}.{nearest(name, known)} Faults are: {', '.join(known)}.")
        for key in values:
            names = known[name].limits
            if _threshold(known[name], key) not in names:
                raise ValueError(f"{name} has no limit {key!r}.{nearest(key, names)} It has: {', '.join(names)}.")


def _threshold(kind: type[Fault], name: str) -> str:
    """The present name of a threshold."""
    return name if name in kind.limits else ALIASES.get(name, name)


def nearest(name: str, known: Mapping[str, object]) -> str:
    """`` Did you mean …?``, or nothing."""
    near = get_close_matches(name, known, 1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _with_causes(
    found: Sequence[Finding], follows: Mapping[str, tuple[str, ...]], depth: Mapping[str, int]
) -> list[Finding]:
    """Each finding with the finding that causes it; ``follows`` names, per fault, the faults that can."""
    done: dict[int, Finding] = {}
    of_fault: dict[str, list[int]] = {}
    for index, finding in enumerate(found):
        of_fault.setdefault(finding.fault, []).append(index)

    def resolved(index: int, visiting: frozenset[int]) -> Finding:
        if index not in done:
            effect = found[index]
            candidates = (
                other
                for fault in follows[effect.fault]
                for other in of_fault.get(fault, ())
                if other not in visiting and _explains(found[other], effect, depth)
            )
            first = next(candidates, None)
            cause = None if first is None else resolved(first, visiting | {first})
            done[index] = replace(effect, caused_by=cause)
        return done[index]

    return [resolved(index, frozenset({index})) for index in range(len(found))]


def _explains(cause: Finding, effect: Finding, depth: Mapping[str, int]) -> bool:
    if cause.first_step > effect.last_step:
        return False
    if cause.layer is None or effect.layer is None or cause.layer == effect.layer:
        return cause.fault != effect.fault
    # Signals vanish forward and gradients backward, so a cause can lie on either side. The same fault spreads forward.
    return cause.fault != effect.fault or depth.get(cause.layer, 0) < depth.get(effect.layer, 0)


def _ordered(found: Sequence[Finding], depth: Mapping[str, int]) -> tuple[Finding, ...]:
    def generation(finding: Finding) -> int:
        return 0 if finding.caused_by is None else 1 + generation(finding.caused_by)

    return tuple(sorted(found, key=lambda f: (generation(f), -f.rank(), depth.get(f.layer or "", -1))))
