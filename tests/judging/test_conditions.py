"""Conditions against obvious computations, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_cnndiag.history import History
from tb_cnndiag.judging.conditions import Above, Below, Condition, Falls, Flat, Is, Known
from tb_cnndiag.judging.signals.base import Signal, Signals, Track
from tests.judging.faults.made import history

NAN = float("nan")
LIMITS = {"a": 0.5, "b": 0.3, "epochs": 3.0, "gain": 0.1}


def signals(run: History | None = None) -> Signals:
    return Signals(run or history({}, scalars={"loss": [1.0] * 10}))


def series(values: Sequence[float], steps: Sequence[int] | None = None, reason: str = "") -> Signal:
    at = np.asarray(steps if steps is not None else [10 * i for i in range(len(values))], np.int64)
    return Signal("made", "ratio", lambda _: Track.of_model(at, values) if len(values) else Track.unknown(reason))


def of_layers(rows: Sequence[Sequence[float]]) -> Signal:
    return Signal("made", "ratio", lambda _: Track(np.arange(len(rows)) * 10, np.asarray(rows, float)))


def found(condition: Condition, row: int = 0) -> bool | None:
    return condition.answer(signals(), LIMITS).outcome(row).found


VALUES = st.lists(st.one_of(st.floats(0, 1), st.just(NAN)), min_size=1, max_size=8)


@given(VALUES)
def test_the_last_known_value_decides(values: list[float]) -> None:
    known = [value for value in values if not np.isnan(value)]
    assert found(Above(series(values), "a")) == (known[-1] >= 0.5 if known else None)
    assert found(Below(series(values), "a")) == (known[-1] < 0.5 if known else None)


@given(VALUES, VALUES)
def test_unknown_is_neither_yes_nor_no(first: list[float], second: list[float]) -> None:
    a, b = Above(series(first), "a"), Above(series(second), "b")

    def kleene(x: bool | None, y: bool | None) -> bool | None:
        return False if False in (x, y) else None if None in (x, y) else True

    x, y = found(a), found(b)
    if len(first) == len(second) and not any(map(np.isnan, [*first, *second])):
        assert found(a & b) == kleene(x, y)
        opposite = kleene(None if x is None else not x, None if y is None else not y)
        assert found(a | b) == (None if opposite is None else not opposite)
    assert found(~a) == (None if x is None else not x)
    assert found(Known(a)) == bool(x)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_a_condition_persists_from_the_last_no_on(truth: list[bool]) -> None:
    """Snapshots are one epoch apart: three epochs are three snapshots."""
    outcome = Above(series([float(t) for t in truth]), "a").for_epochs().answer(signals(), LIMITS).outcome(0)
    count = next((i for i, t in enumerate(reversed(truth)) if not t), len(truth))
    assert outcome.found == (count >= 3 or count == len(truth))
    if outcome.found:
        assert outcome.enough == (count >= 3)
        assert outcome.first_step == 10 * (len(truth) - count)


def test_in_a_short_run_a_complete_persistence_is_unknown() -> None:
    persists = Above(series([1.0, 1.0]), "a").for_epochs(complete=True)
    outcome = persists.answer(signals(), LIMITS).outcome(0)
    assert outcome.found is None
    assert outcome.reasons[-1] == "the run is shorter than 3 epochs"
    assert found(Above(series([0.0, 1.0]), "a").for_epochs(complete=True)) is False


@pytest.mark.parametrize("every", [1, 2, 5])
def test_persistence_does_not_depend_on_the_number_of_snapshots(every: int) -> None:
    values = ([0.0] * 11 + [1.0] * 30)[::every]
    signal = series(values, [10 * every * i for i in range(len(values))])
    assert found(Above(signal, "a").for_epochs())
    late = ([0.0] * 39 + [1.0] * 2)[::-1][::every][::-1]
    assert not found(Above(series(late, [400 - 10 * every * i for i in range(len(late))][::-1]), "a").for_epochs())


@pytest.mark.parametrize("every", [1, 2, 4])
def test_a_decrease_per_epoch_is_interpolated(every: int) -> None:
    values = [0.95**i for i in range(13)][::every]
    signal = series(values, [10 * every * i for i in range(len(values))])
    assert found(Falls(signal, "gain", "epochs")) is False
    assert found(Flat(signal, "gain", "epochs")) is True
    steep = series([0.8**i for i in range(13)][::every], [10 * every * i for i in range(len(values))])
    assert found(Falls(steep, "gain", "epochs")) is True
    assert found(Falls(series([1.0, 0.9]), "gain", "epochs")) is None


def test_the_evidence_is_what_was_compared() -> None:
    high, low = Above(series([0.1, 0.9]), "a"), Below(series([0.1, 0.2]), "b", shown="low")
    outcome = (high & low).answer(signals(), LIMITS).outcome(0)
    assert {name: (e.value, e.limit, e.unit) for name, e in outcome.evidence.items()} == {
        "a": (0.9, 0.5, "ratio"),
        "low": (0.2, 0.3, "ratio"),
    }
    either = (Above(series([0.4]), "a") | Above(series([0.4]), "b")).answer(signals(), LIMITS).outcome(0)
    assert list(either.evidence) == ["b"]  # the alternative that is true


def test_each_layer_is_answered_on_its_own() -> None:
    rows = of_layers([[0.9, 0.1, NAN, 0.0], [0.9, 0.9, NAN, 0.0]])
    assert [found(Above(rows, "a"), row) for row in range(4)] == [True, True, None, False]
    mixed = Above(rows, "a") & Above(series([0.9, 0.9]), "a")
    assert [found(mixed, row) for row in range(4)] == [True, True, None, False]


def test_signals_of_other_steps_count_from_when_they_are_known() -> None:
    condition = Above(series([1.0] * 6), "a") & Above(series([1.0, 1.0], [40, 50]), "b")
    assert condition.answer(signals(), LIMITS).outcome(0).first_step == 40


def test_the_reason_of_an_unknown_signal_is_kept() -> None:
    answer = (Above(series([], reason="no probe"), "a") & Above(series([0.9]), "a")).answer(signals(), LIMITS)
    assert answer.outcome(0).reasons[0] == "no probe"


def test_facts() -> None:
    assert found(Is(lambda signals: True))
    assert found(~Is(lambda signals: True)) is False
    assert found(Is(lambda signals: "not known")) is None


def test_the_names_of_thresholds() -> None:
    condition = (Above(series([1.0]), "a") | ~Below(series([1.0]), "b")).for_epochs()
    assert condition.names() == {"a", "b", "epochs"}
