"""Rules about rules: signals alone read histories, and every threshold is declared and has an effect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tb_cnndiag.judging
from tb_cnndiag.judging.conditions import Above, All, Any, Below, Condition, Flat, Known, Persists, Some
from tb_cnndiag.judging.faults import BUILTIN, Fault
from tb_cnndiag.judging.signals.base import Signal
from tb_cnndiag.judging.thresholds import SHARED

JUDGING = Path(tb_cnndiag.judging.__file__).parent
SOURCES = {path.relative_to(JUDGING).as_posix(): path.read_text("utf-8") for path in JUDGING.rglob("*.py")}


@pytest.mark.parametrize("file", [file for file in SOURCES if not file.startswith("signals/")])
def test_only_signals_read_series(file: str) -> None:
    assert not re.search(r"\.(?:series|scalars|scalar_names)\(", SOURCES[file])


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.id)
def test_every_threshold_is_declared_and_used(kind: type[Fault]) -> None:
    compared = frozenset().union(*(each.when.names() for each in kind.kinds))
    assert compared <= kind.limits.keys()
    source = SOURCES[f"faults/{kind.id}.py"]
    read = set(re.findall(r"limits\[\"(\w+)\"\]", source))
    assert kind.limits.keys() <= compared | read


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.id)
def test_every_threshold_says_where_it_comes_from(kind: type[Fault]) -> None:
    assert all(limit.origin for limit in kind.limits.values())
    for former, present in kind.former.items():
        assert former not in kind.limits
        assert present is None or present in kind.limits


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.id)
def test_no_fault_has_more_than_five_thresholds_of_its_own(kind: type[Fault]) -> None:
    assert sum(not limit.concept for limit in kind.limits.values()) <= 5


@pytest.mark.parametrize("concept", SHARED)
def test_a_shared_threshold_is_one_number_in_several_faults(concept: str) -> None:
    having = [limit for kind in BUILTIN for limit in kind.limits.values() if limit.concept == concept]
    assert len(having) >= 2
    assert all(limit is SHARED[concept] for limit in having)


def _shown(condition: Condition) -> list[dict[str, Signal]]:
    """The signals that a condition shows together, by the names that it gives them, in each way in which it is true."""
    if isinstance(condition, Above | Below | Flat):
        return [{condition.shown or condition.limit: condition.signal}]
    if isinstance(condition, Some):
        return [{condition.shown: condition.signal}]
    if isinstance(condition, Known | Persists):
        return _shown(condition.condition)
    if isinstance(condition, Any):
        return [way for each in condition.conditions for way in _shown(each)]
    if isinstance(condition, All):
        ways: list[dict[str, Signal]] = [{}]
        for each in condition.conditions:
            ways = [_joined(before, way) for before in ways for way in _shown(each)]
        return ways
    return [{}]


def _joined(first: dict[str, Signal], second: dict[str, Signal]) -> dict[str, Signal]:
    for name in first.keys() & second.keys():
        assert first[name] is second[name], name
    return first | second


@pytest.mark.parametrize("kind", BUILTIN, ids=lambda kind: kind.id)
def test_no_number_hides_another_in_the_evidence(kind: type[Fault]) -> None:
    """Two signals that are compared with one threshold have names of their own."""
    for each in kind.kinds:
        assert _shown(each.when)
